//! The planner by table, and its promises over random neighbours.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::inventory::Held;

const LINK: u32 = 2;

fn link(name: &str) -> Link {
    Link { index: LINK, name: name.to_owned(), mac: None }
}

fn held(link: u32, address: [u8; 4], prefix: u8) -> Held {
    Held { link, address: address.into(), prefix }
}

fn planned(vips: &[[u8; 4]], actual: &[Held]) -> Vec<String> {
    let vips: Vec<Ipv4Addr> = vips.iter().map(|vip| (*vip).into()).collect();
    let inventory = Inventory::new([link("ens5")], actual.iter().copied());
    plan(&Desired::new(&link("ens5"), &vips), &inventory)
        .iter()
        .map(|repair| match &repair.label {
            Some(label) => format!("{} {label}", repair.vip),
            None => repair.vip.to_string(),
        })
        .collect()
}

#[test]
fn only_what_the_interface_lacks_is_added() {
    let (one, two) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let similar = [10, 0, 0, 11];
    let table: [(&str, &[Held], &[&str]); 8] = [
        ("none there", &[], &["10.0.0.1 ens5:1", "10.0.0.2 ens5:2"]),
        ("both there", &[held(LINK, one, 32), held(LINK, two, 32)], &[]),
        ("second missing", &[held(LINK, one, 32)], &["10.0.0.2 ens5:2"]),
        ("first missing", &[held(LINK, two, 32)], &["10.0.0.1 ens5:1"]),
        ("subnet's prefix", &[held(LINK, one, 20), held(LINK, two, 32)], &[]),
        ("twice there", &[held(LINK, one, 20), held(LINK, one, 32), held(LINK, two, 32)], &[]),
        ("on another interface", &[held(3, one, 32), held(LINK, two, 32)], &["10.0.0.1 ens5:1"]),
        ("similar address", &[held(LINK, similar, 32), held(LINK, two, 32)], &["10.0.0.1 ens5:1"]),
    ];
    for (name, actual, want) in table {
        assert_eq!(planned(&[one, two], actual), want, "{name}");
    }
}

#[test]
fn a_label_that_does_not_fit_is_left_out() {
    let desired = Desired::new(&link("enp0s31f6abcdef"), &[Ipv4Addr::new(10, 0, 0, 1)]);
    let repairs = plan(&desired, &Inventory::default());
    assert_eq!(repairs.len(), 1);
    assert_eq!(repairs[0].label, None);
}

/// Few enough addresses that VIPs and neighbours meet often: 10.0.0.1, 10.0.0.11, 10.0.0.111 among
/// them.
fn address() -> impl Strategy<Value = Ipv4Addr> {
    let last = prop_oneof![Just(1), Just(2), Just(11), Just(12), Just(21), Just(111), Just(112)];
    (0..2u8, last).prop_map(|(third, last)| Ipv4Addr::new(10, 0, third, last))
}

fn neighbours() -> impl Strategy<Value = BTreeSet<Held>> {
    let one = (1..4u32, address(), prop_oneof![Just(20), Just(24), Just(32)]);
    let one = one.prop_map(|(link, address, prefix)| Held { link, address, prefix });
    prop::collection::btree_set(one, 0..16)
}

/// What the kernel does with a repair: it adds a /32, or says that it exists.
fn carry_out(actual: &BTreeSet<Held>, repairs: &[Repair]) -> BTreeSet<Held> {
    let added =
        repairs.iter().map(|repair| Held { link: repair.link, address: repair.vip, prefix: 32 });
    actual.iter().copied().chain(added).collect()
}

proptest! {
    #[test]
    fn neighbours_stay_and_vips_come_once(
        vips in prop::collection::vec(address(), 0..6),
        before in neighbours(),
    ) {
        let wanted: BTreeSet<Ipv4Addr> = vips.iter().copied().collect();
        let desired = Desired::new(&link("ens5"), &vips);
        let repairs = plan(&desired, &Inventory::new([], before.iter().copied()));
        let after = carry_out(&before, &repairs);

        prop_assert!(before.is_subset(&after), "nothing goes away");
        for new in after.difference(&before) {
            prop_assert_eq!(new.link, LINK, "no other interface is touched");
            prop_assert!(wanted.contains(&new.address), "no other address is touched");
            let same = |old: &Held| (old.link, old.address) == (new.link, new.address);
            let doubled = before.iter().any(same);
            prop_assert!(!doubled, "what is there in any form is not added");
        }
        for vip in &wanted {
            prop_assert!(after.iter().any(|held| (held.link, held.address) == (LINK, *vip)));
        }
        prop_assert_eq!(repairs.len(), after.len() - before.len(), "no repair is in vain");
        let again = plan(&desired, &Inventory::new([], after));
        prop_assert!(again.is_empty(), "one pass is enough");
    }
}

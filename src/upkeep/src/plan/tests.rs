//! The planner by table, and its promises over random neighbours.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::inventory::Held;

const LINK: u32 = 2;

fn held(link: u32, address: [u8; 4], prefix: u8) -> Held {
    Held { link, address: address.into(), prefix, secondary: false }
}

fn planned(desired: Desired, vips: &[[u8; 4]], actual: &[Held]) -> Vec<String> {
    let aliases = vips.iter().map(|vip| ((*vip).into(), desired)).collect();
    let inventory = Inventory::new([], actual.iter().copied());
    let plan = plan(&DesiredAliases { link: LINK, aliases }, &inventory);
    let words = plan.repairs.iter().map(|repair| match repair.act {
        Act::Add => repair.vip.to_string(),
        Act::Remove(prefix) => format!("-{}/{prefix}", repair.vip),
    });
    words.collect()
}

#[test]
fn only_what_the_interface_lacks_is_added() {
    let (one, two) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let similar = [10, 0, 0, 11];
    let table: [(&str, &[Held], &[&str]); 8] = [
        ("none there", &[], &["10.0.0.1", "10.0.0.2"]),
        ("both there", &[held(LINK, one, 32), held(LINK, two, 32)], &[]),
        ("second missing", &[held(LINK, one, 32)], &["10.0.0.2"]),
        ("first missing", &[held(LINK, two, 32)], &["10.0.0.1"]),
        ("subnet's prefix", &[held(LINK, one, 20), held(LINK, two, 32)], &[]),
        ("twice there", &[held(LINK, one, 20), held(LINK, one, 32), held(LINK, two, 32)], &[]),
        ("on another interface", &[held(3, one, 32), held(LINK, two, 32)], &["10.0.0.1"]),
        ("similar address", &[held(LINK, similar, 32), held(LINK, two, 32)], &["10.0.0.1"]),
    ];
    for (name, actual, want) in table {
        assert_eq!(planned(Desired::Present, &[one, two], actual), want, "{name}");
        assert_eq!(planned(Desired::Unchanged, &[one, two], actual), [""; 0], "{name}");
    }
}

#[test]
fn what_must_go_goes_with_any_prefix_and_nothing_like_it_does() {
    let one = [10, 0, 0, 1];
    let similar = [[10, 0, 0, 11], [10, 0, 0, 111], [10, 0, 1, 1]];
    let table: [(&str, &[Held], &[&str]); 5] = [
        ("not there", &[], &[]),
        ("as /32", &[held(LINK, one, 32)], &["-10.0.0.1/32"]),
        ("with the subnet's prefix", &[held(LINK, one, 20)], &["-10.0.0.1/20"]),
        ("twice", &[held(LINK, one, 20), held(LINK, one, 32)], &["-10.0.0.1/20", "-10.0.0.1/32"]),
        ("on another interface", &[held(3, one, 32)], &[]),
    ];
    for (name, actual, want) in table {
        let neighbours = similar.map(|address| held(LINK, address, 32));
        let actual: Vec<Held> = neighbours.into_iter().chain(actual.iter().copied()).collect();
        assert_eq!(planned(Desired::Absent, &[one], &actual), want, "{name}");
    }
}

#[test]
fn what_would_take_others_along_stays() {
    let (vip, own) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let secondary = Held { secondary: true, ..held(LINK, own, 20) };
    let desired = DesiredAliases { link: LINK, aliases: [(vip.into(), Desired::Absent)].into() };
    let inventory = || Inventory::new([], [held(LINK, vip, 20), held(LINK, vip, 32), secondary]);
    let got = plan(&desired, &inventory());
    assert_eq!(got.repairs.len(), 1, "the /32 goes: {got:?}");
    assert_eq!(got.withheld, [(vip.into(), vec![own.into()])].into());
    let got = plan(&desired, &inventory().promoting([LINK]));
    assert_eq!((got.repairs.len(), got.withheld.len()), (2, 0));
}

#[test]
fn a_vip_and_the_one_that_would_go_with_it_both_go_the_latter_first() {
    let (primary, secondary) = ([10, 0, 0, 11], [10, 0, 0, 112]);
    let aliases = [primary, secondary].map(|vip| (vip.into(), Desired::Absent)).into();
    let inventory = Inventory::new(
        [],
        [held(LINK, primary, 24), Held { secondary: true, ..held(LINK, secondary, 24) }],
    );
    let got = plan(&DesiredAliases { link: LINK, aliases }, &inventory);
    let remove = |vip: [u8; 4]| Repair { link: LINK, vip: vip.into(), act: Act::Remove(24) };
    assert_eq!(got.repairs, [remove(secondary), remove(primary)]);
    assert_eq!(got.withheld, BTreeMap::new());
}

/// Few enough addresses that VIPs and neighbours meet often: 10.0.0.1, 10.0.0.11, 10.0.0.111 among
/// them.
fn address() -> impl Strategy<Value = Ipv4Addr> {
    let last = prop_oneof![Just(1), Just(2), Just(11), Just(12), Just(21), Just(111), Just(112)];
    (0..2u8, last).prop_map(|(third, last)| Ipv4Addr::new(10, 0, third, last))
}

fn neighbours() -> impl Strategy<Value = BTreeSet<Held>> {
    let one = (1..4u32, address(), prop_oneof![Just(20), Just(24), Just(32)], any::<bool>());
    let one = one.prop_map(|(link, address, prefix, secondary)| {
        let secondary = secondary && prefix < 32;
        Held { link, address, prefix, secondary }
    });
    // The kernel tells addresses apart by interface, address and prefix.
    let distinct = |all: Vec<Held>| {
        let keyed = all.into_iter().map(|held| ((held.link, held.address, held.prefix), held));
        keyed.collect::<BTreeMap<_, _>>().into_values().collect()
    };
    prop::collection::vec(one, 0..16).prop_map(distinct)
}

fn desired() -> impl Strategy<Value = Desired> {
    prop_oneof![Just(Desired::Present), Just(Desired::Unchanged), Just(Desired::Absent)]
}

/// What the kernel does with the repairs: it adds a /32, or says that it exists; it removes the
/// copy with that prefix, and without promotion its secondaries.
fn carry_out(before: &BTreeSet<Held>, repairs: &[Repair]) -> BTreeSet<Held> {
    let mut after = before.clone();
    for Repair { link, vip, act } in repairs {
        match act {
            Act::Add => {
                after.insert(Held { link: *link, address: *vip, prefix: 32, secondary: false });
            }
            Act::Remove(prefix) => {
                let inventory = Inventory::new([], after.iter().copied());
                let copies = inventory.copies_on(*link, *vip);
                let gone: Vec<Held> =
                    copies.filter(|held| held.prefix == *prefix).copied().collect();
                let along: Vec<Ipv4Addr> =
                    gone.iter().flat_map(|held| inventory.going_with(held)).collect();
                let goes_along = |held: &Held| {
                    held.link == *link && held.secondary && along.contains(&held.address)
                };
                after.retain(|held| !gone.contains(held) && !goes_along(held));
            }
        }
    }
    after
}

proptest! {
    #[test]
    fn only_vips_on_the_nodes_interface_are_touched_and_one_pass_is_enough(
        vips in prop::collection::btree_map(address(), desired(), 0..6),
        before in neighbours(),
    ) {
        let desired = DesiredAliases { link: LINK, aliases: vips.clone() };
        let Plan { repairs, withheld } = plan(&desired, &Inventory::new([], before.iter().copied()));
        let after = carry_out(&before, &repairs);

        for touched in after.symmetric_difference(&before) {
            prop_assert_eq!(touched.link, LINK, "no other interface is touched");
            let desired = vips.get(&touched.address);
            prop_assert!(desired.is_some(), "no other address is touched");
            let wanted = if after.contains(touched) { Desired::Present } else { Desired::Absent };
            prop_assert_eq!(desired, Some(&wanted), "nothing is done on doubt");
        }
        for (vip, desired) in &vips {
            let copies = |all: &BTreeSet<Held>| {
                all.iter().filter(|held| (held.link, held.address) == (LINK, *vip)).count()
            };
            match desired {
                Desired::Present => prop_assert_eq!(copies(&after), copies(&before).max(1)),
                Desired::Unchanged => prop_assert_eq!(copies(&after), copies(&before)),
                Desired::Absent => {
                    prop_assert!(copies(&after) == 0 || withheld.contains_key(vip));
                }
            }
        }
        let again = plan(&desired, &Inventory::new([], after));
        prop_assert!(again.repairs.is_empty(), "one pass is enough");
    }
}

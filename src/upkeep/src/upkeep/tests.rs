//! What one pass after another shows and remembers.

use vipward_core::alias_report::Holding;

use super::*;
use crate::inventory::Held;
use crate::plan::{Act, Repair};

const NODE: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 11);
const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 202);

fn upkeep(mode: &str) -> Upkeep {
    let text = format!(
        r#"
        cluster = "prod-db"
        subnet = "172.31.0.0/20"
        policy = {{ alias = "{mode}" }}
        [[node]]
        name = "resource-01"
        address = "172.31.0.11"
        eni = "eni-0a1b2c3d4e5f60001"
        [[node]]
        name = "resource-02"
        address = "172.31.0.124"
        eni = "eni-0a1b2c3d4e5f60002"
        [[service]]
        name = "redis"
        vip = "172.31.0.202"
        check = {{ kind = "redis", port = 6379 }}
        "#
    );
    Upkeep::new(Config::parse("vipward.toml", &text).expect("the fixture is good"), None)
}

fn mac(last: u8) -> Option<Mac> {
    Mac::from_bytes(&[2, 0, 0, 0, 0, last])
}

fn dump_of(index: u32, name: &str, mac: Option<Mac>, addresses: &[Ipv4Addr]) -> Inventory {
    let held = addresses.iter().map(|address| Held {
        link: index,
        address: *address,
        prefix: 20,
        secondary: false,
    });
    Inventory::new([Link { index, name: name.to_owned(), mac }], held)
}

fn dump(addresses: &[Ipv4Addr]) -> Inventory {
    dump_of(2, "ens5", mac(1), addresses)
}

/// One pass: what it wants to do, and whether carrying it out undid what somebody had done.
fn pass(upkeep: &mut Upkeep, addresses: &[Ipv4Addr]) -> Vec<(bool, bool)> {
    let plan = upkeep.poll(&dump(addresses)).expect("it is there").plan;
    let one = |repair: &Repair| (repair.act == Act::Add, upkeep.done(repair.vip, Ok(())));
    plan.repairs.iter().map(one).collect()
}

const ADDED: (bool, bool) = (true, false);
const RESTORED: (bool, bool) = (true, true);
const REMOVED: (bool, bool) = (false, false);
const STALE_REMOVED: (bool, bool) = (false, true);

fn answer(vip: bool) -> Answer {
    Answer::Addresses([NODE].into_iter().chain(vip.then_some(VIP)).collect())
}

fn repairs(upkeep: &Upkeep) -> u64 {
    upkeep.report().aliases[0].repairs
}

#[test]
fn first_added_then_restored() {
    let mut upkeep = upkeep("static");
    assert_eq!(pass(&mut upkeep, &[NODE]), [ADDED]);
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), []);
    assert_eq!(repairs(&upkeep), 0);
    assert_eq!(pass(&mut upkeep, &[NODE]), [RESTORED]);
    assert_eq!(repairs(&upkeep), 1);
}

#[test]
fn what_was_found_there_and_goes_is_restored() {
    let mut upkeep = upkeep("static");
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), []);
    assert_eq!(pass(&mut upkeep, &[NODE]), [RESTORED]);
}

#[test]
fn an_add_that_failed_is_asked_for_again_and_told() {
    let mut upkeep = upkeep("static");
    for _ in 0..2 {
        let plan = upkeep.poll(&dump(&[NODE])).expect("it is there").plan;
        assert_eq!(plan.repairs.len(), 1);
        upkeep.done(VIP, Err("no room".to_owned()));
        let state = &upkeep.report().aliases[0];
        assert_eq!((state.drift.as_deref(), state.present), (Some("no room"), false));
    }
    assert_eq!(pass(&mut upkeep, &[NODE]), [ADDED], "it never was there");
    let state = &upkeep.report().aliases[0];
    assert_eq!((state.drift.as_deref(), state.present), (None, true));
}

#[test]
fn the_interface_goes_and_comes_back_under_another_name_without_its_address() {
    let mut upkeep = upkeep("static");
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), []);
    let lost = upkeep.poll(&Inventory::default()).expect_err("it is gone");
    assert!(lost.just_now);
    let drift = upkeep.report().aliases[0].drift.clone().expect("the VIP is not there");
    assert!(drift.starts_with("no interface has the node's address"), "{drift}");
    let lost = upkeep.poll(&Inventory::default()).expect_err("it is gone");
    assert!(!lost.just_now, "said once");

    let pass = upkeep.poll(&dump_of(9, "ens6", mac(1), &[])).expect("the MAC tells it");
    assert!(pass.link_changed);
    let repair = &pass.plan.repairs[0];
    assert_eq!((pass.link.index, repair.link), (9, 9));
}

#[test]
fn a_host_whose_address_is_to_come_waits_for_it() {
    let mut upkeep = upkeep("follow");
    let lost = upkeep.poll(&dump(&[])).expect_err("no address yet");
    assert!(lost.just_now && lost.cause.starts_with("no node has an address of this host"));
    assert!(!upkeep.on_answer(&answer(true)), "nobody was asked about");
    assert_eq!((upkeep.subject(), upkeep.report().node), (None, None));
    upkeep.poll(&dump(&[NODE])).expect("here it is");
    let subject = upkeep.subject().expect("it follows");
    assert_eq!((Some(subject.mac), subject.eni.as_str()), (mac(1), "eni-0a1b2c3d4e5f60001"));
    assert_eq!(upkeep.report().node.expect("it is known").as_str(), "resource-01");
}

#[test]
fn in_follow_it_comes_with_the_vip_and_goes_with_it() {
    let mut upkeep = upkeep("follow");
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), [], "nothing is known");
    assert_eq!(upkeep.report().aliases[0].ec2, Holding::Unknown);

    assert!(upkeep.on_answer(&answer(true)));
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), []);
    assert_eq!(pass(&mut upkeep, &[NODE]), [RESTORED]);
    assert_eq!(upkeep.report().aliases[0].ec2, Holding::Held);

    assert!(!upkeep.on_answer(&answer(false)));
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), [], "not confirmed");
    assert_eq!(pass(&mut upkeep, &[NODE]), [RESTORED], "nor that it may stay away");
    assert!(upkeep.on_answer(&answer(false)));
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), [REMOVED]);
    assert_eq!(upkeep.report().aliases[0].ec2, Holding::NotHeld);

    assert_eq!(pass(&mut upkeep, &[NODE]), []);
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), [STALE_REMOVED], "somebody put it back");
    assert_eq!(repairs(&upkeep), 3);

    assert!(upkeep.on_answer(&Answer::Unknown("503".to_owned())));
    assert_eq!(pass(&mut upkeep, &[NODE, VIP]), [], "what is, stays");
    let report = upkeep.report();
    assert_eq!((report.trouble.as_deref(), &report.aliases[0].drift), (Some("503"), &None));
}

#[test]
fn what_was_said_of_one_interface_says_nothing_of_another() {
    let mut upkeep = upkeep("follow");
    pass(&mut upkeep, &[NODE]);
    upkeep.on_answer(&answer(true));
    let other = dump_of(3, "ens6", mac(2), &[NODE]);
    let pass = upkeep.poll(&other).expect("it has the address");
    assert_eq!(pass.plan, Plan::default());
    assert_eq!(upkeep.subject().map(|subject| subject.mac), mac(2));
}

#[test]
fn what_would_take_others_along_is_drift() {
    let mut upkeep = upkeep("follow");
    pass(&mut upkeep, &[NODE]);
    upkeep.on_answer(&answer(false));
    upkeep.on_answer(&answer(false));
    let held = |address, secondary| Held { link: 2, address, prefix: 20, secondary };
    let link = Link { index: 2, name: "ens5".to_owned(), mac: mac(1) };
    let dump = Inventory::new([link], [held(VIP, false), held(NODE, true)]);
    let pass = upkeep.poll(&dump).expect("it is there");
    assert_eq!(pass.plan.repairs, []);
    let drift = upkeep.report().aliases[0].drift.clone().expect("it is not as it should be");
    assert_eq!(drift, "stale, but the kernel would take 172.31.0.11 away with it");
}

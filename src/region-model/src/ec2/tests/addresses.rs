//! Assign and unassign: every refusal, and what a move does.

use std::collections::BTreeMap;

use super::{ENI_1, ENI_2, ENI_SMALL, VIP, at, ec2, ip, secondaries};
use crate::ec2::AssignedAgain;
use crate::journal::JournalEvent;

const FREE: &str = "172.31.0.210";
const FULL: &[&str] = &["172.31.0.211", "172.31.0.212", "172.31.0.213", "172.31.0.214"];

/// Interface, addresses, whether they may be reassigned; AWS's code and part of its text.
type Refusal = (&'static str, &'static [&'static str], bool, &'static str, &'static str);

const REFUSALS: &[Refusal] = &[
    (
        "eni-0b",
        &[FREE],
        true,
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID 'eni-0b' does not exist",
    ),
    (
        ENI_2,
        &[VIP],
        false,
        "InvalidParameterValue",
        "[172.31.0.202] assigned, but move is not allowed.",
    ),
    (
        ENI_2,
        &[FREE, VIP],
        false,
        "InvalidParameterValue",
        "[172.31.0.202] assigned, but move is not allowed.",
    ),
    (ENI_2, &["172.31.0.11"], true, "InvalidParameterValue", "secondary-addresses"),
    (ENI_2, &["172.31.0.12"], true, "InvalidParameterValue", "secondary-addresses"),
    (
        ENI_2,
        FULL,
        true,
        "PrivateIpAddressLimitExceeded",
        "Number of private addresses will exceed limit.",
    ),
    (
        ENI_SMALL,
        &[FREE, VIP],
        true,
        "PrivateIpAddressLimitExceeded",
        "Number of private addresses will exceed limit.",
    ),
    (
        ENI_2,
        &[VIP, "172.31.16.1"],
        true,
        "InvalidParameterValue",
        "Address does not fall within the subnet's address range",
    ),
    (
        ENI_2,
        &["172.31.0.0"],
        true,
        "InvalidParameterValue",
        "Address 172.31.0.0 is in subnet's reserved address range",
    ),
    (
        ENI_2,
        &["172.31.0.3"],
        true,
        "InvalidParameterValue",
        "is in subnet's reserved address range",
    ),
    (
        ENI_2,
        &["172.31.15.255"],
        true,
        "InvalidParameterValue",
        "is in subnet's reserved address range",
    ),
];

#[test]
fn every_refusal_of_assign_has_awss_code_and_text_and_changes_nothing() {
    for (eni, addresses, reassign, code, text) in REFUSALS {
        let mut ec2 = ec2();
        let before = ec2.present().clone();
        let addresses: Vec<_> = addresses.iter().map(|address| ip(address)).collect();
        let error = ec2.assign(eni, &addresses, *reassign, at(1)).expect_err(text);
        assert_eq!((error.code.as_ref(), error.status), (*code, 400), "{addresses:?}");
        assert!(error.message.contains(text), "{addresses:?}: {}", error.message);
        assert_eq!(*ec2.present(), before, "{addresses:?}");
        assert!(ec2.journal.is_empty());
    }
}

#[test]
fn a_move_is_one_step_from_one_interface_to_the_other() {
    let mut ec2 = ec2();
    let assigned = ec2.assign(ENI_2, &[ip(VIP), ip("172.31.0.210")], true, at(5)).expect("moves");
    assert_eq!(assigned.from, BTreeMap::from([(ip(VIP), ENI_1.to_owned())]));
    assert!(secondaries(&ec2, ENI_1).is_empty());
    assert_eq!(secondaries(&ec2, ENI_2), [VIP, "172.31.0.210"]);
    assert!(matches!(&ec2.journal[..], [JournalEvent::Assigned { eni, .. }] if eni == ENI_2));
    assert_eq!(ec2.as_of(at(4)).holder(ip(VIP)).map(|i| i.id.as_str()), Some(ENI_1));
    assert_eq!(ec2.as_of(at(5)).holder(ip(VIP)).map(|i| i.id.as_str()), Some(ENI_2));
}

#[test]
fn assigning_what_is_there_already_changes_nothing_and_takes_no_room() {
    let mut ec2 = ec2();
    ec2.assign(ENI_SMALL, &[ip(VIP)], true, at(1)).expect("the one slot is free");
    ec2.assign(ENI_SMALL, &[ip(VIP)], true, at(2)).expect("it has it already");
    assert_eq!(secondaries(&ec2, ENI_SMALL), [VIP]);
}

#[test]
fn what_is_assigned_again_without_reassignment_is_accepted_or_refused() {
    let mut ec2 = ec2();
    let before = ec2.present().clone();
    ec2.assign(ENI_1, &[ip(VIP)], false, at(1)).expect("it has it already");
    assert_eq!(*ec2.present(), before);
    let taken = ec2.assign(ENI_2, &[ip(VIP)], false, at(2)).expect_err("another has it");
    assert_eq!(taken.message, "[172.31.0.202] assigned, but move is not allowed.");

    ec2.settings.assigned_again = AssignedAgain::Refused;
    let refused = ec2.assign(ENI_1, &[ip(VIP)], false, at(3)).expect_err("it has it already");
    assert_eq!((&*refused.code, refused.status), ("InvalidParameterValue", 400));
    assert_eq!(refused.message, "[172.31.0.202] assigned, but move is not allowed.");
    ec2.assign(ENI_1, &[ip(VIP)], true, at(4)).expect("reassignment is allowed");
    assert_eq!(*ec2.present(), before);
}

#[test]
fn unassign_takes_all_addresses_or_none() {
    let mut ec2 = ec2();
    for (eni, addresses) in [
        (ENI_2, vec![ip(VIP)]),
        (ENI_1, vec![ip(VIP), ip("172.31.0.9")]),
        (ENI_1, vec![ip("172.31.0.11")]),
    ] {
        let error = ec2.unassign(eni, &addresses, at(1)).expect_err("not held");
        assert_eq!(error.code, "InvalidParameterValue");
        let wanted = format!("Some of the specified addresses are not assigned to interface {eni}");
        assert_eq!(error.message, wanted);
    }
    ec2.unassign(ENI_1, &[ip(VIP)], at(1)).expect("held");
    assert!(secondaries(&ec2, ENI_1).is_empty());
    let unknown = ec2.unassign("eni-0b", &[ip(VIP)], at(2)).expect_err("no such interface");
    assert_eq!(unknown.code, "InvalidNetworkInterfaceID.NotFound");
}

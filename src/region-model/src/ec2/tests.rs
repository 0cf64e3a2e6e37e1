mod addresses;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};

use super::inventory::{InstanceState, Subnet};
use super::{Ec2, Filter, NewInstance, Paging, Settings};
use crate::Place;

const ENI_1: &str = "eni-0a00000000000001";
const ENI_2: &str = "eni-0a00000000000002";
const ENI_SMALL: &str = "eni-0a00000000000003";
const VIP: &str = "172.31.0.202";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("in range")
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter {
        name: name.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

/// Three instances, the third with room for two addresses; the first holds the VIP.
fn ec2() -> Ec2 {
    let subnet = Subnet {
        id: "subnet-0a".to_owned(),
        cidr: "172.31.0.0/20".parse().expect("a network"),
        vpc: "vpc-0a".to_owned(),
        zone: "us-east-1a".to_owned(),
    };
    let settings = Settings::default();
    let mut ec2 = Ec2::new(settings, [subnet]);
    for (n, eni, kind, secondaries) in [
        (1, ENI_1, "m7g.medium", vec![ip(VIP)]),
        (2, ENI_2, "m7g.medium", vec![]),
        (3, ENI_SMALL, "t3.micro", vec![]),
    ] {
        let instance = NewInstance {
            id: format!("i-0{n}"),
            kind: kind.to_owned(),
            eni: eni.to_owned(),
            mac: format!("02:00:00:00:00:0{n}"),
            subnet: "subnet-0a".to_owned(),
            address: Ipv4Addr::new(172, 31, 0, 10 + n),
            secondaries,
        };
        ec2.launch(instance, at(0)).expect("fits");
    }
    ec2
}

fn secondaries(ec2: &Ec2, eni: &str) -> Vec<String> {
    let held = &ec2.present().interfaces[eni].secondaries;
    held.iter().map(ToString::to_string).collect()
}

#[test]
fn interfaces_are_found_by_every_filter() {
    let mut ec2 = ec2();
    let tags = BTreeMap::from([("vipward:prod:redis".to_owned(), "moved=1".to_owned())]);
    ec2.create_tags(&[ENI_2.to_owned()], &tags, at(1)).expect("taggable");
    let table: &[(&[Filter], &[&str])] = &[
        (&[filter("network-interface-id", &[ENI_1, "eni-0b"])], &[ENI_1]),
        (&[filter("addresses.private-ip-address", &[VIP])], &[ENI_1]),
        (&[filter("addresses.private-ip-address", &["172.31.0.12"])], &[ENI_2]),
        (
            &[
                filter("addresses.private-ip-address", &["172.31.0.1?"]),
                filter("subnet-id", &["subnet-0a"]),
            ],
            &[ENI_1, ENI_2, ENI_SMALL],
        ),
        (
            &[filter("addresses.private-ip-address", &[VIP]), filter("subnet-id", &["subnet-0b"])],
            &[],
        ),
        (&[filter("private-ip-address", &[VIP])], &[]),
        (&[filter("tag:vipward:prod:redis", &["moved=*"])], &[ENI_2]),
        (&[filter("tag-key", &["vipward:*:redis"])], &[ENI_2]),
        (&[filter("attachment.instance-id", &["i-03"])], &[ENI_SMALL]),
    ];
    for (filters, wanted) in table {
        let page = ec2.present().describe_interfaces(&[], filters, &Paging::default());
        let found: Vec<_> =
            page.expect("known filters").items.iter().map(|i| i.id.clone()).collect();
        assert_eq!(found, *wanted, "{filters:?}");
    }
    let misspelt = [filter("adresses.private-ip-address", &[VIP])];
    let error = ec2.present().describe_interfaces(&[], &misspelt, &Paging::default());
    assert_eq!(error.expect_err("no such filter").code, "InvalidParameterValue");
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let mut ec2 = ec2();
    for n in 4..=12u8 {
        let instance = NewInstance {
            id: format!("i-{n:02}"),
            kind: "t3.micro".to_owned(),
            eni: format!("eni-0a000000000000{n:02}"),
            mac: format!("02:00:00:00:00:{n:02}"),
            subnet: "subnet-0a".to_owned(),
            address: Ipv4Addr::new(172, 31, 0, 10 + n),
            secondaries: vec![],
        };
        ec2.launch(instance, at(0)).expect("fits");
    }
    let (mut next_token, mut sizes) = (None, Vec::new());
    loop {
        let paging = Paging { max_results: Some(5), next_token };
        let page = ec2.present().describe_interfaces(&[], &[], &paging).expect("a page");
        sizes.push(page.items.len());
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [5, 5, 2]);
    for (max_results, token, code) in
        [(Some(4), None, "InvalidParameterValue"), (None, Some("x"), "InvalidPaginationToken")]
    {
        let paging = Paging { max_results, next_token: token.map(str::to_owned) };
        let error = ec2.present().describe_interfaces(&[], &[], &paging).expect_err(code);
        assert_eq!(error.code, code);
    }
}

#[test]
fn tags_are_checked_set_and_removed() {
    let mut ec2 = ec2();
    let tag = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let eni = [ENI_1.to_owned()];
    for (resource, tags, code) in [
        ("eni-0b", tag("k", "v"), "InvalidNetworkInterfaceID.NotFound"),
        ("i-01", tag("k", "v"), "InvalidID"),
        (ENI_1, tag("aws:k", "v"), "InvalidParameterValue"),
        (ENI_1, tag("", "v"), "InvalidParameterValue"),
        (ENI_1, tag("k", &"v".repeat(257)), "InvalidParameterValue"),
        (ENI_1, (0..51).map(|n| (n.to_string(), String::new())).collect(), "TagLimitExceeded"),
    ] {
        let error = ec2.create_tags(&[resource.to_owned()], &tags, at(1)).expect_err(code);
        assert_eq!(error.code, code);
    }
    ec2.create_tags(&eni, &tag("a", "1"), at(1)).expect("fits");
    ec2.create_tags(&eni, &tag("b", "2"), at(1)).expect("fits");
    let only_if = |key: &str, value: Option<&str>| {
        BTreeMap::from([(key.to_owned(), value.map(str::to_owned))])
    };
    ec2.delete_tags(&eni, &only_if("a", Some("9")), at(2)).expect("no error");
    assert_eq!(ec2.present().interfaces[ENI_1].tags.len(), 2);
    ec2.delete_tags(&eni, &only_if("a", None), at(2)).expect("no error");
    assert_eq!(ec2.present().interfaces[ENI_1].tags, tag("b", "2"));
    let found = ec2.present().describe_tags(&[filter("resource-id", &[ENI_1])]).expect("known");
    assert_eq!(found.len(), 1);
    ec2.delete_tags(&eni, &BTreeMap::new(), at(3)).expect("no error");
    assert!(ec2.present().interfaces[ENI_1].tags.is_empty());
}

#[test]
fn a_stopped_instance_keeps_its_addresses_and_a_terminated_one_loses_its_interface() {
    let mut ec2 = ec2();
    let change =
        ec2.set_state("i-01", InstanceState::Stopped, at(7)).expect("exists").expect("changes");
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let event = change.to_event(&place);
    assert_eq!(event["detail"]["state"], "stopped");
    assert_eq!(event["resources"][0], "arn:aws:ec2:us-east-1:123456789012:instance/i-01");
    assert_eq!(ec2.set_state("i-01", InstanceState::Stopped, at(8)), Ok(None));
    assert_eq!(secondaries(&ec2, ENI_1), [VIP]);
    let by_state = [
        filter("instance-state-name", &["stopped"]),
        filter("network-interface.network-interface-id", &[ENI_1]),
    ];
    let page = ec2.present().describe_instances(&[], &by_state, &Paging::default()).expect("known");
    assert_eq!(page.items.len(), 1);

    ec2.set_state("i-01", InstanceState::Terminated, at(9)).expect("exists");
    assert!(ec2.present().holder(ip(VIP)).is_none());
    let back = ec2.set_state("i-01", InstanceState::Running, at(10)).expect_err("gone for good");
    assert_eq!(back.code, "IncorrectInstanceState");
    let unknown = ec2.set_state("i-09", InstanceState::Running, at(10)).expect_err("not there");
    assert_eq!(unknown.code, "InvalidInstanceID.NotFound");
}

#[test]
fn reads_lag_as_far_as_they_are_told_and_the_past_is_forgotten_in_time() {
    let mut ec2 = ec2();
    ec2.settings.describe_lag = SignedDuration::from_secs(1);
    ec2.assign(ENI_2, &[ip(VIP)], true, at(10_000)).expect("moves");
    let holder = |ec2: &Ec2, now: i64, stale: i64| {
        let seen = ec2.seen(at(now), SignedDuration::from_millis(stale));
        seen.holder(ip(VIP)).map(|interface| interface.id.clone())
    };
    assert_eq!(holder(&ec2, 10_999, 0).as_deref(), Some(ENI_1));
    assert_eq!(holder(&ec2, 11_000, 0).as_deref(), Some(ENI_2));
    assert_eq!(holder(&ec2, 13_999, 3000).as_deref(), Some(ENI_1));
    let later = 10_000 + 11 * 60_000;
    ec2.assign(ENI_1, &[ip(VIP)], true, at(later)).expect("moves back");
    assert_eq!(ec2.past.len(), 1);
}

//! Each rule about the sending of calls catches who breaks it.

use std::net::Ipv4Addr;

use super::*;
use crate::audit::call_log::{InFlight, Look, Read};
use crate::history::cluster::named;
use crate::history::fault::Fault;

const A: &str = "eni-0000000a";
const B: &str = "eni-0000000b";
const C: &str = "eni-0000000c";
const VIPS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 201), Ipv4Addr::new(10, 0, 0, 202)];

fn config() -> Config {
    let text = concat!(
        include_str!("../../../fixtures/pair.toml"),
        r#"
[[node]]
name = "c"
address = "10.0.0.12"
eni = "eni-0000000c"
[[service]]
name = "web"
vip = "10.0.0.202"
check = { kind = "tcp", port = 7002 }
"#
    );
    Config::parse("sim", text).expect("it is right")
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("within range")
}

/// What EC2 says when these have the VIPs, in their order.
fn look(holders: &[Option<&str>]) -> Look {
    let held = || holders.iter().enumerate().filter_map(|(at, eni)| Some((at, (*eni)?)));
    let services = ["svc", "web"];
    Look {
        holders: held().map(|(at, eni)| (named(services[at]), eni.to_owned())).collect(),
        vips: held().map(|(at, eni)| (VIPS[at], eni.to_owned())).collect(),
        ..Look::default()
    }
}

/// A call to bring the first VIP from `a` to `b`, 1,000 s after the start, on evidence that is as
/// new as can be.
fn call() -> Assignment {
    let now = at(1_000_000);
    Assignment {
        serial: 2,
        sent: now,
        arrives: now,
        eni: B.to_owned(),
        addresses: vec![VIPS[0]],
        reassign: Reassign::Allowed,
        call_log: CallLog {
            began: Some((at(999_000), Caller::Other)),
            looks: vec![(now, look(&[Some(A)]))],
            read: Some(Read { asked: now, arrived: now }),
            words: Some(now),
            ..CallLog::default()
        },
        in_flight: Vec::new(),
    }
}

fn crash(node: &str, at_ms: u64, for_ms: u64) -> Fault {
    let what = FaultKind::ServiceCrash { node: named(node), service: named("svc") };
    Fault { at_ms, for_ms, what }
}

fn judged(faults: &[Fault], call: &Assignment) -> Vec<Rule> {
    let (config, truth) = (config(), Truth::of(faults));
    let hosts = &HostBook::default();
    let sending = Sending { config: &config, truth: &truth, hosts, start: at(0), call };
    sending.judge().into_iter().map(|(rule, _)| rule).collect()
}

/// The holder is dead.
fn dead() -> Vec<Fault> {
    vec![crash("a", 990_000, 60_000)]
}

const FRESH_EVIDENCE: Rule = Rule::FreshEvidence;
const WELL: Rule = Rule::RecoveredHolderKeeps;
const ONE_TARGET: Rule = Rule::OneTargetInFlight;
const ROBS_NOBODY: Rule = Rule::PlacementRobsNobody;

#[test]
fn a_failover_on_fresh_evidence_breaks_no_rule() {
    assert_eq!(judged(&dead(), &call()), []);
}

#[test]
fn a_slow_read_is_used_once_at_once() {
    let call_log = |asked, arrived, words, began| CallLog {
        read: Some(Read { asked: at(asked), arrived: at(arrived) }),
        words,
        began,
        ..call().call_log
    };
    let hint = Some((at(994_500), Caller::Hint));
    let alarm = Some((at(994_500), Caller::Other));
    for (call_log, is_right) in [
        (call_log(995_000, 1_000_000, Some(at(994_000)), alarm), true),
        (call_log(995_000, 1_000_000, Some(at(993_999)), alarm), false),
        (call_log(995_000, 999_000, Some(at(999_500)), alarm), true),
        (call_log(995_000, 998_999, Some(at(999_500)), alarm), false),
        (call_log(995_000, 1_000_000, None, hint), true),
        (call_log(995_501, 1_000_000, None, hint), false),
        (call_log(995_000, 1_000_000, None, alarm), false),
        (CallLog { read: None, ..call().call_log }, false),
    ] {
        let expected: &[Rule] = if is_right { &[] } else { &[FRESH_EVIDENCE] };
        let call = Assignment { call_log, ..call() };
        assert_eq!(judged(&dead(), &call), expected, "{:?}", call.call_log);
    }
}

#[test]
fn a_holder_is_spared_once_it_could_say_that_it_is_well() {
    let gone = |host: &str, at_ms| Fault {
        at_ms,
        for_ms: 1_000,
        what: FaultKind::AgentCrash { host: named(host) },
    };
    let drain =
        Fault { at_ms: 950_000, for_ms: 1_000, what: FaultKind::Drain { node: named("a") } };
    for (faults, expected) in [
        (vec![crash("a", 990_000, 1_500)], vec![WELL]),
        (vec![crash("a", 990_000, 5_000)], vec![]),
        (vec![crash("b", 990_000, 60_000)], vec![WELL]),
        (vec![crash("a", 990_000, 1_500), gone("a", 985_000)], vec![]),
        // What another had said before it fell silent counts until it is stale.
        (vec![crash("a", 985_000, 1_500), gone("c", 989_000)], vec![]),
        (vec![crash("a", 970_000, 1_500), gone("c", 989_000)], vec![WELL]),
        (vec![drain], vec![]),
    ] {
        assert_eq!(judged(&faults, &call()), expected, "{faults:?}");
    }
    let order = CallLog { began: Some((at(999_000), Caller::Switchover)), ..call().call_log };
    assert_eq!(judged(&[], &Assignment { call_log: order, ..call() }), []);
}

#[test]
fn while_a_call_may_land_its_target_alone_is_asked_again() {
    let in_flight = |eni: &str, sent, vip| {
        let (eni, addresses) = (eni.to_owned(), vec![vip]);
        let of = InFlight { serial: 1, sent: at(sent), arrives: at(sent), eni, addresses };
        Assignment { in_flight: vec![of], ..call() }
    };
    let other = in_flight(C, 990_001, VIPS[0]);
    assert_eq!(judged(&dead(), &other), [ONE_TARGET]);
    assert_eq!(judged(&dead(), &in_flight(B, 990_001, VIPS[0])), []);
    assert_eq!(judged(&dead(), &in_flight(C, 990_001, VIPS[1])), []);
    assert_eq!(judged(&dead(), &in_flight(C, 990_000, VIPS[0])), []);
    let both_dead = [dead(), vec![crash("c", 995_000, 60_000)]].concat();
    assert_eq!(judged(&both_dead, &other), [], "it is left for dead");
}

#[test]
fn a_placement_takes_from_nobody() {
    let seen = |looks: &[&[Option<&str>]], reassign| {
        let looks = looks.iter().map(|holders| (at(1_000_000), look(holders))).collect();
        let call_log = CallLog { looks, ..call().call_log };
        Assignment { call_log, reassign, addresses: VIPS.to_vec(), ..call() }
    };
    let (nobody, one): (&[_], &[_]) = (&[None, None], &[Some(A), None]);
    assert_eq!(judged(&dead(), &seen(&[nobody], Reassign::Allowed)), [ROBS_NOBODY]);
    assert_eq!(judged(&dead(), &seen(&[nobody, nobody], Reassign::Allowed)), [ROBS_NOBODY]);
    assert_eq!(judged(&dead(), &seen(&[nobody], Reassign::Forbidden)), []);
    assert_eq!(judged(&dead(), &seen(&[one], Reassign::Allowed)), [ROBS_NOBODY]);
    assert_eq!(judged(&dead(), &seen(&[one, one], Reassign::Allowed)), []);
}

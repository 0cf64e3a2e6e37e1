//! Each rule about hosts and hooks catches who breaks it.

use std::collections::BTreeMap;

use vipward_core::Config;

use super::*;
use crate::audit::call_log::Look;
use crate::history::cluster::named;
use crate::history::fault::Fault;
use crate::history::truth::Truth;

const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 201);
const A: &str = "eni-0000000a";
const B: &str = "eni-0000000b";

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `a` has the VIP, and these faults are in the history.
fn auditor(faults: &[Fault]) -> Auditor {
    let pair = include_str!("../../../fixtures/pair.toml");
    let config = Config::parse("sim", pair).expect("it is right");
    let start = jiff::Timestamp::UNIX_EPOCH;
    Auditor::new(&config, Truth::of(faults), start, false, false)
}

fn ran(occasion: Occasion, node: &str, when: u64, lag: u64) -> Option<Rule> {
    let mut auditor = auditor(&[]);
    auditor.aliases.goes_to(VIP, Some(B), at(100));
    auditor.hook_runs(at(when), &named(node), &named("svc"), occasion, at(lag));
    auditor.breaches().first().map(|breach| breach.rule)
}

#[test]
fn hooks_run_where_the_vip_is_but_for_as_long_as_nobody_there_can_know() {
    use Occasion::{Acquire, Fault, Release};
    assert_eq!(ran(Release, "b", 108, 1), Some(Rule::HolderReleasesNothing));
    assert_eq!(ran(Acquire, "a", 108, 1), Some(Rule::OnlyHolderAcquires));
    for (occasion, node) in [(Release, "b"), (Acquire, "a")] {
        assert_eq!(ran(occasion, node, 107, 1), None, "it cannot know yet");
        assert_eq!(ran(occasion, node, 108, 2), None, "its metadata lag behind");
    }
    for (occasion, node) in [(Release, "a"), (Acquire, "b"), (Fault, "a"), (Fault, "b")] {
        assert_eq!(ran(occasion, node, 900, 0), None, "{occasion:?} on {node}");
    }
}

/// That node lacks the address from that second on.
fn without_address(auditor: &mut Auditor, node: &str, since: u64) {
    for (name, when) in [("a", 0), ("b", 0), (node, since)] {
        let present = (name != node || when < since).then_some(VIP);
        auditor.host_seen(at(when), &named(name), &present.into_iter().collect());
    }
}

fn went(auditor: &Auditor, sent: u64) -> Option<Rule> {
    let change = Change {
        at: at(sent),
        service: named("svc"),
        from: Some(A.to_owned()),
        to: B.to_owned(),
        sent: at(sent),
        look: Some(Look { holders: BTreeMap::new(), ..Look::default() }),
        took: Duration::ZERO,
    };
    auditor.goes_to_the_ready(&change).map(|(rule, _)| rule)
}

#[test]
fn a_vip_goes_to_no_node_that_is_known_to_lack_something_while_another_is_well() {
    let lacking = |faults: &[Fault]| {
        let mut auditor = auditor(faults);
        without_address(&mut auditor, "b", 1_000);
        auditor
    };
    let fault = |what| [Fault { at_ms: 1_020_000, for_ms: 20_000, what }];
    assert_eq!(went(&lacking(&[]), 1_030), Some(Rule::TargetIsReady));
    assert_eq!(went(&lacking(&[]), 1_029), None, "not everybody knows yet");
    let crash = FaultKind::ServiceCrash { node: named("a"), service: named("svc") };
    assert_eq!(went(&lacking(&fault(crash)), 1_030), None, "nobody else is well");
    let silent = FaultKind::AgentCrash { host: named("b") };
    assert_eq!(went(&lacking(&fault(silent)), 1_030), None, "its agent cannot say so");
    let mut both = lacking(&[]);
    both.host_seen(at(1_000), &named("a"), &BTreeSet::new());
    assert_eq!(went(&both, 1_030), None, "the other lacks it too");
    let mut back = lacking(&[]);
    back.host_seen(at(1_029), &named("b"), &BTreeSet::from([VIP]));
    assert_eq!(went(&back, 1_030), None, "it is there again");
}

#[test]
fn a_failed_acquire_is_a_lack_until_one_succeeds_or_the_host_boots() {
    let failed = || {
        let mut auditor = auditor(&[]);
        without_address(&mut auditor, "b", 0);
        auditor.host_seen(at(1), &named("b"), &BTreeSet::from([VIP]));
        auditor.hook_ended(at(500), &named("b"), &named("svc"), Occasion::Acquire, true);
        auditor.hook_ended(at(501), &named("b"), &named("svc"), Occasion::Release, false);
        auditor
    };
    assert_eq!(went(&failed(), 900), Some(Rule::TargetIsReady), "a release changes nothing");
    let mut succeeded = failed();
    succeeded.hook_ended(at(502), &named("b"), &named("svc"), Occasion::Acquire, false);
    assert_eq!(went(&succeeded, 900), None);
    let mut booted = failed();
    booted.host_boots(at(502), &named("b"));
    assert_eq!(went(&booted, 900), None);
}

#[test]
fn a_holder_that_lacks_something_is_left_within_the_bound_while_another_is_well() {
    let stays = |faults: &[Fault], reason: &str, when: u64| {
        let mut auditor = auditor(faults);
        without_address(&mut auditor, "a", 1_000);
        auditor.held_for.insert(named("svc"), reason.to_owned());
        auditor.alerted.insert("no-standby".to_owned(), at(1_100));
        auditor.looks(at(when), &BTreeMap::from([(named("svc"), Some(A.to_owned()))]));
        auditor.breaches().first().map(|breach| breach.rule)
    };
    assert_eq!(stays(&[], "holder-unready", 1_180), Some(Rule::LeavesUnreadyHolder));
    assert_eq!(stays(&[], "holder-unready", 1_179), None, "within the bound");
    assert_eq!(stays(&[], "budget-spent", 1_180), None, "the budget is spent");
    let what = FaultKind::ServiceCrash { node: named("b"), service: named("svc") };
    let crash = [Fault { at_ms: 900_000, for_ms: 900_000, what }];
    assert_eq!(stays(&crash, "holder-unready", 1_180), None, "nobody else is well");
}

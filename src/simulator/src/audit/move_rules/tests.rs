//! Each rule about moves catches who breaks it.

use std::collections::BTreeMap;

use super::*;
use crate::audit::call_log::Remembered;
use crate::history::cluster::named;
use crate::history::fault::Fault;

const SECOND: Duration = Duration::from_secs(1);

const PAIR: &str = include_str!("../../../fixtures/pair.toml");

fn config() -> Config {
    Config::parse("sim", PAIR).expect("it is right")
}

fn three() -> String {
    format!("{PAIR}[[node]]\nname = \"c\"\naddress = \"10.0.0.12\"\neni = \"eni-0000000c\"\n")
}

fn seconds(seconds: u64) -> Duration {
    SECOND * u32::try_from(seconds).expect("small")
}

/// Its sender knew all that was.
fn change(at: u64, from: &str, to: &str) -> Change {
    let everything = Remembered { last: i64::MAX, unplanned: Vec::new() };
    Change {
        at: seconds(at),
        service: named("svc"),
        from: Some(from.to_owned()),
        to: to.to_owned(),
        sent: seconds(at),
        look: Some(Look {
            holders: BTreeMap::from([(named("svc"), from.to_owned())]),
            ledgers: BTreeMap::from([(named("svc"), vec![everything])]),
            ..Look::default()
        }),
        took: Duration::ZERO,
    }
}

/// The service crashes there at these seconds, for a minute each.
fn crashes(at: &[(u64, &str)]) -> Truth {
    let fault = |(at, node): &(u64, &str)| Fault {
        at_ms: at * 1_000,
        for_ms: 60_000,
        what: FaultKind::ServiceCrash { node: named(node), service: named("svc") },
    };
    Truth::of(&at.iter().map(fault).collect::<Vec<_>>())
}

const A: &str = "eni-0000000a";
const B: &str = "eni-0000000b";

fn judged(truth: &Truth, before: &[Change], change: &Change) -> Option<Rule> {
    let config = config();
    let mut book = Book::new(&config, false, 0);
    for earlier in before {
        book.enter(earlier.clone());
    }
    book.judge(&config, truth, change).map(|(rule, _)| rule)
}

#[test]
fn a_failover_with_a_cause_breaks_no_rule() {
    assert_eq!(judged(&crashes(&[(999, "a")]), &[], &change(1_000, A, B)), None);
}

#[test]
fn a_blip_of_the_network_is_no_cause() {
    let parted = |for_ms: &[u64]| {
        let fault = |(index, for_ms): (usize, &u64)| Fault {
            at_ms: 990_000 + 2_000 * index as u64,
            for_ms: *for_ms,
            what: FaultKind::Partition { side: vec![named("a")] },
        };
        Truth::of(&for_ms.iter().enumerate().map(fault).collect::<Vec<_>>())
    };
    let rule = Some(Rule::HealthyHolderKeeps);
    assert_eq!(judged(&parted(&[1_400]), &[], &change(1_000, A, B)), rule);
    assert_eq!(judged(&parted(&[1_500]), &[], &change(1_000, A, B)), None);
    assert_eq!(judged(&parted(&[700, 700]), &[], &change(1_000, A, B)), None, "one after another");
}

#[test]
fn the_last_word_of_a_node_that_cannot_speak_counts_until_it_is_stale() {
    let with = |what: Option<FaultKind>, died: u64| {
        let crash = |node: &str, at_ms| Fault {
            at_ms,
            for_ms: 60_000,
            what: FaultKind::ServiceCrash { node: named(node), service: named("svc") },
        };
        let silent = what.map(|what| Fault { at_ms: died * 1_000, for_ms: 60_000, what });
        let mut faults = vec![crash("a", 999_000), crash("b", died * 1_000)];
        faults.extend(silent);
        judged(&Truth::of(&faults), &[], &change(1_000, A, B))
    };
    let gone = || Some(FaultKind::AgentCrash { host: named("b") });
    let rule = Some(Rule::TargetWasWell);
    assert_eq!((with(None, 993), with(None, 991)), (None, rule));
    assert_eq!((with(gone(), 981), with(gone(), 979)), (None, rule));
    assert_eq!(with(Some(FaultKind::MetricsLost), 981), None);
}

#[test]
fn each_rule_has_its_breaker() {
    let calm = crashes(&[]);
    let ill = crashes(&[(999, "a")]);
    let of_a_and_b = crashes(&[(900, "a"), (901, "b")]);
    for (truth, before, moved, rule) in [
        (&calm, vec![], change(1_000, A, B), Rule::HealthyHolderKeeps),
        (&ill, vec![], change(1_000, A, FOREIGN_ENI), Rule::OnlyFileIsTouched),
        (&ill, vec![], change(1_000, FOREIGN_ENI, B), Rule::ForeignHolderKeeps),
        (&of_a_and_b, vec![], change(950, A, B), Rule::TargetWasWell),
        (&ill, vec![change(1_100, A, B)], change(1_110, B, A), Rule::HealthyHolderKeeps),
    ] {
        assert_eq!(judged(truth, &before, &moved), Some(rule), "{moved:?}");
    }
}

/// It is left 30 s after it came, by a return home that the file asks for.
fn hasty(change: &Change, truth: &Truth) -> Option<Rule> {
    let mut config = config();
    config.policy.failback = Failback::After(SECOND);
    let mut book = Book::new(&config, false, 0);
    book.enter(self::change(1_000, A, B));
    book.judge(&config, truth, change).map(|(rule, _)| rule)
}

#[test]
fn a_vip_rests_unless_its_holder_is_ill_or_nobody_knew_that_it_moved() {
    let rule = Some(Rule::Cooldown);
    let calm = crashes(&[]);
    let home = |edit: &dyn Fn(&mut Change)| {
        let mut home = change(1_030, B, A);
        edit(&mut home);
        hasty(&home, &calm)
    };
    assert_eq!(home(&|_| {}), rule);
    assert_eq!(hasty(&change(1_070, B, A), &calm), None, "it has rested");
    assert_eq!(hasty(&change(1_030, B, A), &crashes(&[(1_029, "b")])), None, "it is ill");
    assert_eq!(home(&|home| home.sent = seconds(999)), None, "sent before the move came");
    assert_eq!(home(&|home| home.sent = seconds(1_000)), rule, "late, but sent after it came");
    let ledger = |home: &mut Change, last| {
        let ledgers = &mut home.look.as_mut().expect("a look").ledgers;
        ledgers.insert(named("svc"), vec![Remembered { last, unplanned: Vec::new() }]);
    };
    assert_eq!(home(&|home| ledger(home, 999)), None, "the ledger had not got it");
    assert_eq!(home(&|home| ledger(home, 1_000)), rule);
}

#[test]
fn what_a_sender_could_not_see_is_judged_by_what_it_saw() {
    let saw = |home: &mut Change, eni: &str| {
        let holders = &mut home.look.as_mut().expect("a look").holders;
        holders.insert(named("svc"), eni.to_owned());
    };
    let mut late = change(1_030, FOREIGN_ENI, B);
    saw(&mut late, A);
    assert_eq!(judged(&crashes(&[(999, "a")]), &[], &late), None, "it came after the look");
    late.look = None;
    let robbed = Some(Rule::ForeignHolderKeeps);
    assert_eq!(judged(&crashes(&[(999, "a")]), &[], &late), robbed, "it did not look");
    let causeless = Some(Rule::HealthyHolderKeeps);
    // It takes from b what it saw on the ill a.
    let (mut blind, mut seeing) = (change(1_030, B, "eni-0000000c"), change(1_069, B, A));
    saw(&mut blind, A);
    seeing.sent = seconds(1_070);
    let ill = crashes(&[(999, "a")]);
    assert_eq!(judged(&ill, &[change(1_000, A, B)], &seeing), causeless);
    let config = Config::parse("sim", &three()).expect("it is right");
    let mut book = Book::new(&config, false, 0);
    book.enter(change(1_000, A, B));
    assert_eq!(book.judge(&config, &ill, &blind), None);
    let broken = book.judge(&config, &crashes(&[]), &blind).map(|(rule, _)| rule);
    assert_eq!(broken, causeless, "nothing was wrong with the one it saw");
}

#[test]
fn a_call_that_comes_late_is_judged_by_when_it_was_sent() {
    let mut late = change(1_200, A, B);
    late.sent = seconds(1_000);
    let ill_of_late = crashes(&[(1_190, "a")]);
    let causeless = Some(Rule::HealthyHolderKeeps);
    assert_eq!(judged(&ill_of_late, &[], &late), causeless);
    assert_eq!(judged(&crashes(&[(990, "a")]), &[], &late), None);
    let died_since = crashes(&[(990, "a"), (1_100, "b")]);
    assert_eq!(judged(&died_since, &[], &late), None);
}

#[test]
fn a_service_follows_its_group_and_nothing_else() {
    let text = "cluster = \"sim\"\nsubnet = \"10.0.0.0/24\"\n".to_owned()
        + "[[node]]\nname = \"a\"\naddress = \"10.0.0.10\"\neni = \"eni-0000000a\"\n"
        + "[[node]]\nname = \"b\"\naddress = \"10.0.0.11\"\neni = \"eni-0000000b\"\n";
    let service = |name: &str, vip: &str| {
        format!("[[service]]\nname = \"{name}\"\nvip = \"{vip}\"\ngroup = \"db\"\n")
            + "check = { kind = \"tcp\", port = 7001 }\n"
    };
    let text = text + &service("svc", "10.0.0.201") + &service("other", "10.0.0.202");
    let config = Config::parse("sim", &text).expect("it is right");
    let judged = |truth: &Truth, before: &[Change]| {
        let mut book = Book::new(&config, false, 0);
        for earlier in before {
            book.enter(earlier.clone());
        }
        let mut other = Change { service: named("other"), ..change(600, A, B) };
        let holders = &mut other.look.as_mut().expect("a look").holders;
        let of_svc = book.holder(&named("svc")).expect("it is held").clone();
        holders.extend([(named("svc"), of_svc), (named("other"), A.to_owned())]);
        book.judge(&config, truth, &other).map(|(rule, _)| rule)
    };
    let causeless = Some(Rule::HealthyHolderKeeps);
    assert_eq!(judged(&crashes(&[]), &[]), causeless);
    assert_eq!(judged(&crashes(&[(590, "a")]), &[]), None, "another of its group is ill there");
    assert_eq!(judged(&crashes(&[]), &[change(599, A, B)]), None, "another of its group has gone");
}

#[test]
fn a_node_that_leaves_is_passed_by_while_another_is_well() {
    let config = Config::parse("sim", &three()).expect("it is right");
    let faults = |others: &[Fault]| {
        let what = FaultKind::Leave { node: named("b"), service: None };
        let leaves = Fault { at_ms: 900_000, for_ms: 300_000, what };
        let what = FaultKind::ServiceCrash { node: named("a"), service: named("svc") };
        let ill = Fault { at_ms: 999_000, for_ms: 60_000, what };
        Truth::of(&[&[leaves, ill], others].concat())
    };
    let judged = |others: &[Fault], change: &Change| {
        let book = Book::new(&config, false, 0);
        book.judge(&config, &faults(others), change).map(|(rule, _)| rule)
    };
    let fault = |at_ms, what| Fault { at_ms, for_ms: 1_000, what };
    let crash = |host: &str| FaultKind::HostCrash { host: named(host) };
    let rule = Some(Rule::LeavingNodeGetsNone);
    assert_eq!(judged(&[], &change(1_000, A, B)), rule);
    assert_eq!(judged(&[], &change(1_000, A, "eni-0000000c")), None);
    let others = [fault(995_000, crash("c"))];
    assert_eq!(judged(&others, &change(1_000, A, B)), None, "c has only just come back");
    let others = [fault(950_000, crash("b"))];
    assert_eq!(judged(&others, &change(1_000, A, B)), None, "its agent knows nothing of it");
    let others = [fault(950_000, FaultKind::MetricsLost)];
    assert_eq!(judged(&others, &change(1_000, A, B)), None, "nobody has heard it");
}

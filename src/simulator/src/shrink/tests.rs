//! Histories are the same each time, and bad ones are found and cut down.

use super::*;
use crate::history::cluster::named;
use crate::history::concurrency::Concurrency;
use crate::history::fault::{Fault, FaultKind};
use crate::history::generate::generate;

const PAIR: &str = include_str!("../../fixtures/pair.toml");

fn scenario(calm_ms: u64, faults: Vec<Fault>) -> Scenario {
    Scenario {
        seed: 1,
        calm_ms,
        unplaced: false,
        concurrency: Concurrency::Deployed,
        describe_lag_ms: 0,
        moves: None,
        leaves_within_ms: None,
        cluster: PAIR.to_owned(),
        faults,
    }
}

fn crash_on(node: &str) -> FaultKind {
    FaultKind::ServiceCrash { node: named(node), service: named("svc") }
}

#[test]
fn a_seed_plays_the_same_history_every_time() {
    for seed in [1, 5, 9] {
        let timeline = || play(&generate(seed), true).expect("it is played").timeline;
        let first = timeline();
        assert!(first.len() > 20, "seed {seed} tells something");
        assert_eq!(first, timeline(), "seed {seed}");
    }
}

#[test]
fn what_is_told_changes_nothing() {
    let told = play(&generate(2), true).expect("it is played");
    let untold = play(&generate(2), false).expect("it is played");
    assert_eq!(told.tally, untold.tally);
    assert!(untold.timeline.is_empty());
}

#[test]
fn a_bad_history_is_cut_down_to_the_fault_that_matters() {
    // Cut off in the midst of its trouble, the history has not come to rest.
    let fault = |at_ms, for_ms, what| Fault { at_ms, for_ms, what };
    let bad = scenario(
        100,
        vec![
            fault(200_000, 60_000, FaultKind::FunctionKilled),
            fault(300_000, 90_000, crash_on("a")),
            fault(300_000, 90_000, crash_on("b")),
            fault(310_000, 5_000, FaultKind::MetricsLost),
        ],
    );
    let rule = Rule::Rest;
    let breach = play(&bad, false).expect("it is played").breaches;
    assert!(breach.iter().any(|breach| breach.rule == rule), "{breach:?}");
    let least = shrink(&bad, rule).expect("it is played");
    assert!(least.faults.len() <= 2 && !least.faults.is_empty(), "{least:?}");
    assert!(least.faults.iter().all(|fault| matches!(fault.what, FaultKind::ServiceCrash { .. })));
}

/// Every file in `histories`: what people wrote down to be watched, and seeds that found something.
#[test]
fn the_histories_that_are_kept_break_no_rule() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/histories");
    let (mut played, mut broken) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder is part of the project") {
        let path = entry.expect("is readable").path();
        let text = std::fs::read_to_string(&path).expect("is text");
        let scenario =
            Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let breaches = play(&scenario, false).expect("it is played").breaches;
        let told = |breach: &Breach| format!("{}: {}", path.display(), breach.rule);
        broken.extend(breaches.iter().map(told));
        played += 1;
    }
    assert!(played >= 8, "{played}");
    broken.sort_unstable();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_history_that_makes_no_sense_is_told_so() {
    let what = FaultKind::InstanceStopped { node: named("nobody") };
    let fault = Fault { at_ms: 200_000, for_ms: 1_000, what };
    let played = play(&scenario(1_000, vec![fault]), false).expect("it is played");
    assert!(played.breaches.iter().any(|breach| breach.rule == Rule::HistoryPlayable));
}

#[test]
fn a_fault_that_the_region_cannot_have_is_no_history() {
    let fault = serde_json::from_str(r#"{"on":"events:deliver","kind":"drop"}"#);
    let what = FaultKind::Aws { fault: fault.expect("a fault") };
    let good = scenario(1_000, vec![Fault { at_ms: 1, for_ms: 1, what }]).to_text();
    assert!(Scenario::parse(&good).is_ok(), "{good}");
    let bad = good.replace("events:deliver", "ec2:Dance");
    let error = Scenario::parse(&bad).expect_err("nobody dances").to_string();
    assert!(error.contains("no operation `ec2:Dance`"), "{error}");
}

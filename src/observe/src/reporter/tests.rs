use std::time::Duration;

use super::*;
use crate::fixture::config;
use crate::verdict::VerdictChange;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn reporter() -> Reporter {
    Reporter::new(&config(4242), &"a".parse().expect("a name"), "start".to_owned(), at(0))
}

fn change(subject: &str, from: Verdict, to: Verdict) -> TargetChange {
    let change = VerdictChange { from, to, cause: None };
    let service = "web".parse().expect("a name");
    TargetChange { subject: subject.parse().expect("a name"), service, change }
}

/// All that is due, as words, answered at once.
fn due(reporter: &mut Reporter, now: Timestamp) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(report) = reporter.due(now) {
        match report {
            Report::Metrics(reason, data) => {
                words.push(format!("{} {}", reason.as_str(), data.len()));
                reporter.published(now, &Ok(()));
            }
            Report::Hint(hint) => {
                words.push(format!("hint {}", hint.sequence));
                reporter.hinted(now, &Ok(()));
            }
        }
    }
    words
}

#[test]
fn one_who_knows_nothing_says_nothing() {
    let mut reporter = reporter();
    assert_eq!(due(&mut reporter, at(10)), Vec::<String>::new());
    assert_eq!(reporter.deadline(), Some(at(20)));
}

#[test]
fn changes_are_told_at_once_and_own_trouble_by_hint_first() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    reporter.observe(at(2), &change("a", Verdict::Healthy, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 2"]);
}

#[test]
fn trouble_of_another_is_hinted_a_moment_later_and_its_end_is_not() {
    let mut reporter = reporter();
    reporter.observe(at(2), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 1"]);
    reporter.observe(at(4), &change("b", Verdict::Unhealthy, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(4)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(10)), ["tick 1"]);
}

#[test]
fn the_end_of_own_trouble_is_hinted_once() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)), ["hint 1", "change 1"]);
    reporter.observe(at(2), &change("a", Verdict::Unhealthy, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 2", "change 1"]);
    // The metrics of the illness may lie in the same second.
    assert_eq!(due(&mut reporter, at(4)), ["tick 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn a_hanging_request_of_one_kind_does_not_hold_up_the_other() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert!(matches!(reporter.due(at(1)), Some(Report::Hint(_))));
    assert!(matches!(reporter.due(at(1)), Some(Report::Metrics(..))));
    assert_eq!(reporter.deadline(), None, "all is on its way");
    reporter.hinted(at(1), &Ok(()));
    assert!(
        matches!(reporter.due(at(2)), Some(Report::Hint(hint)) if hint.observations[0].held_ms == 1000)
    );
    assert_eq!(reporter.due(at(20)), None);
    reporter.published(at(20), &Ok(()));
    assert!(matches!(reporter.due(at(20)), Some(Report::Metrics(Reason::Tick, _))));
}

#[test]
fn with_hints_off_the_metrics_alone_speak() {
    let mut config = config(4242);
    config.policy.hints = false;
    let me = "a".parse().expect("a name");
    let mut reporter = Reporter::new(&config, &me, "start".to_owned(), at(0));
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn after_a_stall_nothing_known_is_said_until_it_is_seen_again() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    reporter.observe(at(1), &change("b", Verdict::Unknown, Verdict::Healthy));
    // Both are on their way when the host pauses.
    assert!(matches!(reporter.due(at(1)), Some(Report::Hint(_))));
    assert!(matches!(reporter.due(at(1)), Some(Report::Metrics(..))));
    reporter.start_over(at(60));
    assert_eq!(due(&mut reporter, at(60)), Vec::<String>::new());
    assert_eq!(reporter.view().summary(), "0 healthy, 0 unhealthy, 2 unknown");
    assert_eq!(reporter.deadline(), Some(at(70)));
    reporter.observe(at(61), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    let Some(Report::Hint(hint)) = reporter.due(at(62)) else { panic!("own trouble is hinted") };
    assert_eq!((hint.sequence, hint.observations[0].held_ms), (2, 1000), "not since the pause");
    assert_eq!(hint.observations[1].verdict, Verdict::Unknown);
}

/// The same file, changed.
fn changed(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = config(4242);
    change(&mut config);
    config
}

#[test]
fn a_new_file_changes_what_is_said_and_keeps_what_is_known_of_what_it_keeps() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    reporter.observe(at(1), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 2"]);
    let only_a = BTreeSet::from([("a".parse().expect("a name"), "web".parse().expect("a name"))]);

    let faster = changed(|config| config.policy.publish_interval = Duration::from_secs(5));
    reporter.adopt(&faster, &only_a, at(3));
    let status = reporter.status(at(3));
    let seen: Vec<_> = status.targets.iter().map(|seen| (seen.verdict, seen.since)).collect();
    assert_eq!(seen, [(Verdict::Healthy, at(1)), (Verdict::Unknown, at(3))]);
    assert_eq!(status.config_digest, faster.digest());
    let next = reporter.deadline().expect("a publication");
    assert_eq!(due(&mut reporter, next), ["tick 1"], "no trouble is left to hint");

    reporter.observe(at(4), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    reporter.adopt(&changed(|config| config.policy.hints = false), &only_a, at(5));
    assert_eq!(due(&mut reporter, at(5)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(6)), Vec::<String>::new());
}

#[test]
fn what_came_of_each_request_is_counted() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)).len(), 2);
    assert!(matches!(reporter.due(at(2)), Some(Report::Hint(_))));
    reporter.hinted(at(3), &Err(SendError::NoRegion));
    let status = reporter.status(at(4));
    assert_eq!((status.metrics.sent, status.metrics.failed), (1, 0));
    assert_eq!((status.hints.sent, status.hints.failed), (1, 1));
    assert_eq!(status.hints.last_sent, Some(at(1)));
    let failure = status.hints.last_failure.expect("it failed");
    assert_eq!((failure.at, failure.error), (at(3), SendError::NoRegion.to_string()));
}

#[test]
fn leaving_is_told_at_once_and_again_and_that_it_is_over_once() {
    let mut reporter = reporter();
    reporter.observe(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    let mut leaving = Leaving::default();
    leaving.request(&["web".parse().expect("a name")], "upgrade", at(2));
    reporter.see_leaving(at(2), &leaving);
    reporter.see_leaving(at(2), &leaving);
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 2"]);
    // Its first word of itself may lie in the same second.
    assert_eq!(due(&mut reporter, at(5)), ["hint 3", "tick 1"]);
    reporter.see_leaving(at(8), &Leaving::default());
    assert_eq!(due(&mut reporter, at(8)), ["hint 4", "change 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn another_role_is_told_once() {
    let mut reporter = reporter();
    let is = |primary| BTreeMap::from([("web".parse().expect("a name"), primary)]);
    reporter.see_places(at(1), BTreeMap::new(), is(true));
    assert_eq!(due(&mut reporter, at(1)), ["hint 1"], "and nothing yet to publish");
    reporter.see_places(at(2), BTreeMap::new(), is(true));
    assert_eq!(due(&mut reporter, at(2)), Vec::<String>::new());
    reporter.see_places(at(3), BTreeMap::new(), is(false));
    assert_eq!(due(&mut reporter, at(3)), ["hint 2"]);
}

#[test]
fn a_word_against_another_node_is_said_again_once_it_decides() {
    let mut reporter = reporter();
    reporter.observe(at(2), &change("b", Verdict::Healthy, Verdict::Unhealthy));
    let mut said = Vec::new();
    while let Some(due) = reporter.deadline().filter(|due| *due < at(30)) {
        while let Some(report) = reporter.due(due) {
            if let Report::Hint(hint) = report {
                said.extend(
                    hint.observations
                        .iter()
                        .filter(|o| o.subject.as_str() == "b")
                        .map(|o| o.held_ms),
                );
                reporter.hinted(due, &Ok(()));
            } else {
                reporter.published(due, &Ok(()));
            }
        }
    }
    assert_eq!(said, [250, 1250, 2100, 6100, 15_100, 25_100], "with others, and alone");
}

#[test]
fn one_hint_says_of_all_services_of_a_host_that_they_are_out_of_reach_for_long_enough() {
    let mut config = config(4242);
    let service = |index: u32| {
        let name = format!("s{index}").parse().expect("a name");
        vipward_core::config::Service { name, ..config.services[0].clone() }
    };
    config.services = (0..9).map(service).collect();
    let me = "a".parse().expect("a name");
    let mut reporter = Reporter::new(&config, &me, "start".to_owned(), at(0));
    let moment = |index: u32| at(2) + Duration::from_millis(90) * index;
    for index in 0..9 {
        let change = TargetChange {
            service: format!("s{index}").parse().expect("a name"),
            ..change("b", Verdict::Healthy, Verdict::Unhealthy)
        };
        reporter.observe(moment(index), &change);
    }
    let mut ripe = 0;
    while let Some(due) = reporter.deadline().filter(|due| *due < at(6)) {
        while let Some(report) = reporter.due(due) {
            match report {
                Report::Hint(_) if due > at(4) => ripe += 1,
                Report::Hint(_) | Report::Metrics(..) => {}
            }
            match report {
                Report::Hint(_) => reporter.hinted(due, &Ok(())),
                Report::Metrics(..) => reporter.published(due, &Ok(())),
            }
        }
    }
    assert_eq!(ripe, 1);
}

#[test]
fn a_word_against_a_silent_node_is_published_again_before_it_decides_alone() {
    let mut reporter = reporter();
    reporter.observe(at(2), &change("b", Verdict::Healthy, Verdict::Unhealthy));
    let mut published = Vec::new();
    while let Some(due) = reporter.deadline().filter(|due| *due < at(30)) {
        while let Some(report) = reporter.due(due) {
            if let Report::Metrics(..) = report {
                published.push(due.duration_since(at(0)).as_secs());
                reporter.published(due, &Ok(()));
            } else {
                reporter.hinted(due, &Ok(()));
            }
        }
    }
    assert_eq!(
        published,
        [2, 4, 14, 15, 25],
        "when it decides with others, and before it does alone"
    );
}

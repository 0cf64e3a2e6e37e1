use std::time::Duration;

use vipward_core::config::{CheckKind, Role};
use vipward_core::outcome::{Lag, Pass, Replication};

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

fn seen(role: Replication) -> LastSeen {
    let mut seen = LastSeen::default();
    seen.on_probe(&Ok(Pass { role: Some(role), lag: None }), Duration::ZERO);
    seen
}

/// All that is due, as words, answered at once.
fn due(reporter: &mut Reporter, now: Timestamp) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(report) = reporter.poll(now) {
        words.push(match &report {
            Report::Metrics(reason, data) => format!("{} {}", reason.as_str(), data.len()),
            Report::Hint(hint) => format!("hint {}", hint.sequence),
        });
        reporter.done(now, report.channel(), &Ok(()));
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
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    reporter.on_change(at(2), &change("a", Verdict::Healthy, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 2"]);
}

#[test]
fn trouble_of_another_is_hinted_a_moment_later_and_its_end_is_not() {
    let mut reporter = reporter();
    reporter.on_change(at(2), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 1"]);
    reporter.on_change(at(4), &change("b", Verdict::Unhealthy, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(4)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(10)), ["tick 1"]);
}

#[test]
fn the_end_of_own_trouble_is_hinted_once() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)), ["hint 1", "change 1"]);
    reporter.on_change(at(2), &change("a", Verdict::Unhealthy, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 2", "change 1"]);
    // The metrics of the illness may lie in the same second.
    assert_eq!(due(&mut reporter, at(4)), ["tick 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn a_hanging_request_of_one_kind_does_not_hold_up_the_other() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert!(matches!(reporter.poll(at(1)), Some(Report::Hint(_))));
    assert!(matches!(reporter.poll(at(1)), Some(Report::Metrics(..))));
    assert_eq!(reporter.deadline(), None, "all is on its way");
    reporter.done(at(1), Channel::Hints, &Ok(()));
    assert!(
        matches!(reporter.poll(at(2)), Some(Report::Hint(hint)) if hint.observations[0].held_ms == 1000)
    );
    assert_eq!(reporter.poll(at(20)), None);
    reporter.done(at(20), Channel::Metrics, &Ok(()));
    assert!(matches!(reporter.poll(at(20)), Some(Report::Metrics(Reason::Tick, _))));
}

#[test]
fn with_hints_off_the_metrics_alone_speak() {
    let mut config = config(4242);
    config.policy.hints = false;
    let me = "a".parse().expect("a name");
    let mut reporter = Reporter::new(&config, &me, "start".to_owned(), at(0));
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn after_a_stall_nothing_known_is_said_until_it_is_seen_again() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    reporter.on_change(at(1), &change("b", Verdict::Unknown, Verdict::Healthy));
    // Both are on their way when the host pauses.
    assert!(matches!(reporter.poll(at(1)), Some(Report::Hint(_))));
    assert!(matches!(reporter.poll(at(1)), Some(Report::Metrics(..))));
    reporter.on_stall(at(60));
    assert_eq!(due(&mut reporter, at(60)), Vec::<String>::new());
    assert_eq!(reporter.view().summary(), "0 healthy, 0 unhealthy, 2 unknown");
    assert_eq!(reporter.deadline(), Some(at(70)));
    reporter.on_change(at(61), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    let Some(Report::Hint(hint)) = reporter.poll(at(62)) else { panic!("own trouble is hinted") };
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
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    reporter.on_change(at(1), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 2"]);
    let only_a = BTreeSet::from([("a".parse().expect("a name"), "web".parse().expect("a name"))]);

    let faster = changed(|config| config.policy.publish_interval = Duration::from_secs(5));
    reporter.on_config(at(3), &faster, &only_a);
    let status = reporter.status(at(3));
    let seen: Vec<_> = status.targets.iter().map(|seen| (seen.verdict, seen.since)).collect();
    assert_eq!(seen, [(Verdict::Healthy, at(1)), (Verdict::Unknown, at(3))]);
    assert_eq!(status.config_digest, faster.digest());
    let next = reporter.deadline().expect("a publication");
    assert_eq!(due(&mut reporter, next), ["tick 1"], "no trouble is left to hint");

    reporter.on_change(at(4), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    reporter.on_config(at(5), &changed(|config| config.policy.hints = false), &only_a);
    assert_eq!(due(&mut reporter, at(5)), ["change 1"]);
    assert_eq!(due(&mut reporter, at(6)), Vec::<String>::new());
}

#[test]
fn what_came_of_each_request_is_counted() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(due(&mut reporter, at(1)).len(), 2);
    assert!(matches!(reporter.poll(at(2)), Some(Report::Hint(_))));
    reporter.done(at(3), Channel::Hints, &Err(SendError::NoRegion));
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
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    let mut leaving = Leaving::default();
    leaving.on_request(at(2), &["web".parse().expect("a name")], "upgrade");
    reporter.on_leaving(at(2), &leaving);
    reporter.on_leaving(at(2), &leaving);
    assert_eq!(due(&mut reporter, at(2)), ["hint 1", "change 1"]);
    assert_eq!(due(&mut reporter, at(3)), ["hint 2"]);
    // Its first word of itself may lie in the same second.
    assert_eq!(due(&mut reporter, at(5)), ["hint 3", "tick 1"]);
    reporter.on_leaving(at(8), &Leaving::default());
    assert_eq!(due(&mut reporter, at(8)), ["hint 4", "change 1"]);
    assert_eq!(reporter.deadline(), Some(at(10)));
}

#[test]
fn another_role_is_told_once() {
    let mut reporter = reporter();
    let following = changed(|config| config.services[0].role = Role::Primary);
    let targets = targets(&following, reporter.me());
    let (primary, replica) = (seen(Replication::Primary), seen(Replication::Replica));
    let mut on_own = |now, own: &LastSeen| {
        reporter.on_last_seen(now, targets.iter().zip([own, &primary]));
        due(&mut reporter, now)
    };
    assert_eq!(on_own(at(1), &primary), ["hint 1"], "and nothing yet to publish");
    assert_eq!(on_own(at(2), &primary), Vec::<String>::new());
    assert_eq!(on_own(at(3), &replica), ["hint 2"]);
}

#[test]
fn role_and_lag_are_told_of_own_services_where_they_matter() {
    let (primary, behind) = (seen(Replication::Primary), {
        let lag = Some(Lag::Behind(Duration::from_secs(3)));
        let mut seen = LastSeen::default();
        seen.on_probe(&Ok(Pass { role: Some(Replication::Replica), lag }), Duration::ZERO);
        seen
    });
    let redis = CheckKind::Redis {
        user: None,
        password_file: None,
        max_lag: Some(Duration::from_secs(10)),
        tls: None,
    };
    for (kind, role, told) in [
        (CheckKind::Tcp, Role::Any, (None, None)),
        (CheckKind::Tcp, Role::Primary, (None, Some(false))),
        (redis, Role::Any, (Some(3_000), None)),
    ] {
        let config = changed(|config| {
            config.services[0].check.kind = kind;
            config.services[0].role = role;
        });
        let mut reporter = reporter();
        reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
        let targets = targets(&config, reporter.me());
        reporter.on_last_seen(at(1), targets.iter().zip([&behind, &primary]));
        let observations = reporter.view().observations(at(1));
        let told_of = |index: usize| (observations[index].lag_ms, observations[index].primary);
        assert_eq!((told_of(0), told_of(1)), (told, (None, None)));
    }
}

#[test]
fn an_observation_of_another_node_is_said_again_once_it_decides() {
    let mut reporter = reporter();
    reporter.on_change(at(2), &change("b", Verdict::Healthy, Verdict::Unhealthy));
    let mut said = Vec::new();
    while let Some(due) = reporter.deadline().filter(|due| *due < at(30)) {
        while let Some(report) = reporter.poll(due) {
            if let Report::Hint(hint) = &report {
                let of_b = hint.observations.iter().filter(|o| o.subject.as_str() == "b");
                said.extend(of_b.map(|o| o.held_ms));
            }
            reporter.done(due, report.channel(), &Ok(()));
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
        reporter.on_change(moment(index), &change);
    }
    let mut hints = 0;
    while let Some(due) = reporter.deadline().filter(|due| *due < at(6)) {
        while let Some(report) = reporter.poll(due) {
            hints += u32::from(report.channel() == Channel::Hints && due > at(4));
            reporter.done(due, report.channel(), &Ok(()));
        }
    }
    assert_eq!(hints, 1);
}

#[test]
fn an_observation_of_a_silent_node_is_published_again_before_it_decides_alone() {
    let mut reporter = reporter();
    reporter.on_change(at(2), &change("b", Verdict::Healthy, Verdict::Unhealthy));
    let mut published = Vec::new();
    while let Some(due) = reporter.deadline().filter(|due| *due < at(30)) {
        while let Some(report) = reporter.poll(due) {
            if report.channel() == Channel::Metrics {
                published.push(due.duration_since(at(0)).as_secs());
            }
            reporter.done(due, report.channel(), &Ok(()));
        }
    }
    assert_eq!(
        published,
        [2, 4, 14, 15, 25],
        "when it decides with others, and before it does alone"
    );
}

#[test]
fn a_vip_that_has_come_is_told_at_once_by_one_hint() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    assert_eq!(due(&mut reporter, at(1)), ["change 1"]);
    let web: ServiceName = "web".parse().expect("a name");
    reporter.on_arrivals(at(3), [(web.clone(), Some(false))]);
    assert_eq!(due(&mut reporter, at(3)), Vec::<String>::new());
    reporter.on_arrivals(at(4), [(web.clone(), Some(true))]);
    assert_eq!(due(&mut reporter, at(4)), ["hint 1", "change 2"]);
    reporter.on_arrivals(at(5), [(web, Some(true))]);
    assert_eq!(due(&mut reporter, at(5)), Vec::<String>::new());
}
mod failing;

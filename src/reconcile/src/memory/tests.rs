//! Which hint is the newest, what becomes of old ones, and what the last pass is worth.

use super::*;
use crate::fake::{CLUSTER, World, config, hint, start};
use vipward_core::evidence::Snapshot;
use vipward_core::telemetry::AlarmName;
use vipward_core::{Hint, HintEntry, Verdict};

fn heard(start_id: &str, sequence: u64, at: i64, verdict: Verdict) -> HeardHint {
    let said = |subject: &str, service: &str| HintEntry {
        subject: subject.parse().expect("a name"),
        service: service.parse().expect("a name"),
        verdict,
        held_ms: 4_000,
        cause: None,
        lag_ms: (service == "redis").then_some(2_500),
        primary: Some(true),
        leaving: true,
        unready_ms: Some(700),
        arrived: None,
        arrived_ms: None,
    };
    HeardHint {
        observer: "b".parse().expect("a name"),
        at: start() + SignedDuration::from_secs(at),
        hint: Hint {
            version: 1,
            cluster: "test".parse().expect("a name"),
            start_id: start_id.to_owned(),
            sequence,
            config_digest: String::new(),
            metrics_failing_ms: None,
            observations: vec![said("b", "redis"), said("a", "redis")],
        },
    }
}

/// The verdict of `b` about itself, `later` seconds after the start.
fn remembered(hints: impl IntoIterator<Item = HeardHint>, later: i64) -> Option<Verdict> {
    let mut memory = Memory::default();
    for hint in hints {
        memory.hear(hint);
    }
    let observations = memory.observations(&config(), start() + SignedDuration::from_secs(later));
    let b = "b".parse().expect("a name");
    observations.newest(&b, &b, &"redis".parse().expect("a name")).map(|word| word.value.verdict)
}

#[test]
fn the_highest_sequence_of_one_start_wins_in_whatever_order() {
    let first = || heard("s", 1, 0, Verdict::Unhealthy);
    let second = || heard("s", 2, 0, Verdict::Healthy);
    assert_eq!(remembered([first(), second()], 1), Some(Verdict::Healthy));
    assert_eq!(remembered([second(), first()], 1), Some(Verdict::Healthy));
    assert_eq!(remembered([second(), second()], 1), Some(Verdict::Healthy));
}

#[test]
fn across_starts_the_later_wins() {
    let before = || heard("old", 99, 0, Verdict::Unhealthy);
    let after = || heard("new", 1, 2, Verdict::Healthy);
    assert_eq!(remembered([before(), after()], 3), Some(Verdict::Healthy));
    assert_eq!(remembered([after(), before()], 3), Some(Verdict::Healthy));
    let at_once = || heard("old", 99, 2, Verdict::Unhealthy);
    assert_eq!(remembered([at_once(), after()], 3), Some(Verdict::Healthy), "or the last heard");
}

#[test]
fn a_hint_is_news_once() {
    let mut memory = Memory::default();
    let news = [1, 1, 2, 1].map(|sequence| memory.hear(heard("s", sequence, 0, Verdict::Healthy)));
    assert_eq!(news, [true, false, true, false]);
}

#[test]
fn old_hints_are_forgotten() {
    assert_eq!(remembered([heard("s", 1, 0, Verdict::Unhealthy)], 14), Some(Verdict::Unhealthy));
    assert_eq!(remembered([heard("s", 1, 0, Verdict::Unhealthy)], 15), None);
}

#[test]
fn what_was_said_has_held_since_before_it_was_heard() {
    let mut memory = Memory::default();
    memory.hear(heard("s", 1, 0, Verdict::Unhealthy));
    let observations = memory.observations(&config(), start());
    let subjects: Vec<_> = observations.iter().map(|(key, _)| key.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b"]);
    let (_, word) = observations.iter().last().expect("of b");
    assert_eq!(word.value.since, start() - SignedDuration::from_secs(4));
}

#[test]
fn of_lag_role_and_leaving_a_node_speaks_for_itself_only() {
    let mut memory = Memory::default();
    memory.hear(heard("s", 1, 0, Verdict::Healthy));
    let observations = memory.observations(&config(), start());
    let said = |subject: &str| {
        let node = |name: &str| name.parse().expect("a name");
        let redis = "redis".parse().expect("a name");
        let word = observations.newest(&node("b"), &node(subject), &redis).expect("it was said");
        (
            observations.lag(&node(subject), &redis).map(|lag| lag.value),
            observations.primary(&node(subject), &redis).map(|is| is.value),
            (word.value.leaving, word.value.unready.is_some()),
        )
    };
    assert_eq!(said("b"), (Some(Duration::from_millis(2_500)), Some(true), (true, true)));
    assert_eq!(said("a"), (None, None, (false, false)));
}

fn name(text: &str) -> NodeName {
    text.parse().expect("a name")
}

fn redis() -> ServiceName {
    "redis".parse().expect("a name")
}

/// What a pass sees while all alarms are quiet and the metrics were not read.
fn all_quiet() -> Evidence {
    let quiet_alarms = Some(AlarmName::all(&config()).collect());
    Evidence {
        inventory: World::new().state().inventory.clone(),
        quiet_alarms,
        ..Evidence::default()
    }
}

/// A memory of these hints, and of a pass that held everything then.
fn after_a_pass(config: &Config, hints: &[HeardHint], evidence: Evidence) -> Memory {
    let mut memory = Memory::default();
    for hint in hints {
        memory.hear(hint.clone());
    }
    let observations = memory.observations(config, start());
    let evidence = Evidence { observations, ..evidence };
    let decisions = decide(Snapshot { config, evidence: &evidence, now: start() });
    assert!(decisions.iter().all(|one| matches!(one.choice, Choice::Hold { .. })), "{decisions:?}");
    memory.saw(config, start(), &evidence, Some(&decisions));
    memory
}

#[test]
fn a_call_may_land_for_a_while_unless_it_has() {
    let mut memory = Memory::default();
    let call = |to: &str, ms| Call { to: name(to), sent: start() + Duration::from_millis(ms) };
    memory.sent(&redis(), call("b", 0));
    memory.sent(&redis(), call("b", 500));
    memory.sent(&redis(), call("c", 1_000));
    memory.landed(&redis(), &call("b", 500));
    let after = |memory: &mut Memory, ms| {
        let flying = memory
            .in_flight(start() + MAY_LAND + Duration::from_millis(ms) - Duration::from_secs(1));
        flying.into_values().flatten().map(|node| node.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(after(&mut memory, 999), ["b", "c"], "one landed, the others may");
    assert_eq!(after(&mut memory, 1_000), ["c"]);
    assert_eq!(after(&mut memory, 2_000), [""; 0]);
}

#[tokio::test]
async fn a_hint_changes_nothing_for_moments_after_a_pass() {
    let mut memory = after_a_pass(&config(), &[], all_quiet());
    assert!(memory.changes_nothing(&config(), start() + MOMENTS));
    assert!(!memory.changes_nothing(&config(), start() + MOMENTS + Duration::from_millis(1)));
    memory.saw(&config(), start(), &all_quiet(), None);
    assert!(!memory.changes_nothing(&config(), start()), "that pass acted");
    assert!(!Memory::default().changes_nothing(&config(), start()), "there was none");
}

#[tokio::test]
async fn a_hint_is_weighed_with_what_the_pass_read() {
    let mut said = Memory::default();
    said.hear(hint(&World::new(), "a", &[("a", Verdict::Unhealthy, 100)]));
    let observations = said.observations(&config(), start());
    let evidence = Evidence { observations, ..all_quiet() };
    let decisions = decide(Snapshot { config: &config(), evidence: &evidence, now: start() });
    let mut memory = Memory::default();
    memory.saw(&config(), start(), &evidence, Some(&decisions));
    assert_eq!(memory.read_before().iter().count(), 1);
    assert!(memory.changes_nothing(&config(), start()), "{decisions:?}");
}

#[tokio::test]
async fn a_hint_that_would_decide_with_the_metrics_changes_something() {
    let world = World::new();
    let said =
        hint(&world, "b", &[("b", Verdict::Healthy, 600_000), ("a", Verdict::Unhealthy, 20_000)]);
    let mut memory = after_a_pass(&config(), &[said], all_quiet());
    assert!(!memory.changes_nothing(&config(), start()), "a could be silent");
}

#[tokio::test]
async fn a_hint_is_weighed_with_the_calls_that_may_land() {
    const C: &str = "[[node]]\nname = \"c\"\naddress = \"10.0.0.12\"\neni = \"eni-0000000c\"\n";
    let trio = Config::parse("test", &format!("{CLUSTER}\n{C}")).expect("it is right");
    let world = World::new();
    let ill = |observer| {
        hint(&world, observer, &[("b", Verdict::Healthy, 600_000), ("a", Verdict::Unhealthy, 100)])
    };
    let in_flight = BTreeMap::from([(redis(), BTreeSet::from([name("c")]))]);
    let mut evidence = Evidence { in_flight, ..all_quiet() };
    let enis = &mut evidence.inventory.enis;
    let mut of_c = enis[&"eni-0000000b".parse().expect("an id")].clone();
    of_c.addresses = vec!["10.0.0.12".parse().expect("an address")];
    enis.insert("eni-0000000c".parse().expect("an id"), of_c);
    let mut memory = after_a_pass(&trio, &[ill("a"), ill("b")], evidence);
    assert!(!memory.changes_nothing(&trio, start()), "the call has landed since");
    memory.sent(&redis(), Call { to: name("c"), sent: start() });
    assert!(memory.changes_nothing(&trio, start()), "it still may");
}

#[tokio::test]
async fn a_hint_is_weighed_without_what_ec2_refused_then() {
    let world = World::new();
    let ill = |observer| {
        hint(&world, observer, &[("b", Verdict::Healthy, 600_000), ("a", Verdict::Unhealthy, 100)])
    };
    let refusals = BTreeSet::from([(redis(), name("b"))]);
    let evidence = Evidence { refusals, ..all_quiet() };
    let mut memory = after_a_pass(&config(), &[ill("a"), ill("b")], evidence);
    assert!(!memory.changes_nothing(&config(), start()), "there may be room by now");
}

#[tokio::test]
async fn the_first_look_is_at_what_may_move() {
    let first = |memory: &mut Memory, wake| memory.first_scope(&config(), wake, start());
    let all: BTreeSet<ServiceName> =
        config().services.iter().map(|service| service.name.clone()).collect();
    let mut cold = Memory::default();
    assert_eq!(first(&mut cold, WakeKind::Schedule), BTreeSet::new());
    assert_eq!(first(&mut cold, WakeKind::Hint), all);
    let world = World::new();
    let said =
        hint(&world, "b", &[("b", Verdict::Healthy, 600_000), ("a", Verdict::Unhealthy, 100)]);
    let mut warm = after_a_pass(&config(), &[said], all_quiet());
    assert_eq!(first(&mut warm, WakeKind::Schedule), BTreeSet::new());
    assert_eq!(first(&mut warm, WakeKind::Hint), BTreeSet::from([redis()]));
    assert_eq!(first(&mut warm, WakeKind::Alarm), all);
}

#[tokio::test]
async fn the_schedule_looks_into_all_metrics_every_quarter_of_an_hour() {
    let mut memory = Memory::default();
    let mut first = |minute: u64| {
        let now = start() + std::time::Duration::from_mins(minute);
        let wanted = memory.first_scope(&config(), WakeKind::Schedule, now);
        if !wanted.is_empty() {
            let mut evidence = all_quiet();
            evidence.observations.read = wanted.clone();
            memory.saw(&config(), now, &evidence, None);
        }
        wanted.len()
    };
    let looks: Vec<_> = (0..40).filter(|minute| first(*minute) == 2).collect();
    assert_eq!(looks, [15, 30]);
}

#[tokio::test]
async fn where_there_is_no_standby_the_schedule_looks_again_the_next_minute() {
    let (mut memory, config) = (Memory::default(), config());
    let all: BTreeSet<_> = config.services.iter().map(|service| service.name.clone()).collect();
    let mut first = |minute: u64, standby| {
        let now = start() + std::time::Duration::from_mins(minute);
        let wanted = memory.first_scope(&config, WakeKind::Schedule, now);
        let mut evidence = all_quiet();
        evidence.observations.read.clone_from(&wanted);
        let mut decisions = decide(Snapshot { config: &config, evidence: &evidence, now });
        decisions[0].standby = standby;
        memory.saw(&config, now, &evidence, Some(&decisions));
        wanted == all
    };
    let looks: Vec<_> = (0..30)
        .filter(|minute| {
            first(*minute, if *minute < 17 { Standby::Missing } else { Standby::Ready })
        })
        .collect();
    assert_eq!(looks, [15, 16, 17]);
}

#[test]
fn what_no_pass_has_found_for_long_is_over() {
    let (mut memory, patience) = (Memory::default(), std::time::Duration::from_mins(1));
    let mut waiting = |second: u64| {
        let now = start() + std::time::Duration::from_secs(second);
        memory.waiting("standby of redis", patience, now).as_secs()
    };
    assert_eq!([0, 60, 125, 300, 360].map(&mut waiting), [0, 60, 125, 0, 60]);
}

//! Which hint is the newest, and what becomes of old ones.

use super::*;
use crate::fake::{config, start};
use vipward_core::{Hint, Observation, Verdict};

fn heard(start_id: &str, sequence: u64, at: i64, verdict: Verdict) -> HeardHint {
    let said = |subject: &str, service: &str| Observation {
        subject: subject.parse().expect("a name"),
        service: service.parse().expect("a name"),
        verdict,
        held_ms: 4_000,
        cause: None,
        lag_ms: (service == "redis").then_some(2_500),
        primary: Some(true),
        leaving: true,
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
            observations: vec![
                said("b", "redis"),
                said("a", "redis"),
                said("z", "redis"),
                said("b", "nosuch"),
            ],
        },
    }
}

/// The verdict of `b` about itself, `later` seconds after the start.
fn remembered(hints: impl IntoIterator<Item = HeardHint>, later: i64) -> Option<Verdict> {
    let mut memory = Memory::default();
    for hint in hints {
        memory.hear(hint);
    }
    let testimony = memory.testimony(&config(), start() + SignedDuration::from_secs(later));
    let b = "b".parse().expect("a name");
    testimony.word(&b, &b, &"redis".parse().expect("a name")).map(|word| word.value.verdict)
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
}

#[test]
fn old_hints_are_forgotten() {
    assert_eq!(remembered([heard("s", 1, 0, Verdict::Unhealthy)], 14), Some(Verdict::Unhealthy));
    assert_eq!(remembered([heard("s", 1, 0, Verdict::Unhealthy)], 15), None);
}

#[test]
fn what_the_file_does_not_name_is_not_testimony() {
    let mut memory = Memory::default();
    memory.hear(heard("s", 1, 0, Verdict::Unhealthy));
    let testimony = memory.testimony(&config(), start());
    let subjects: Vec<_> = testimony.iter().map(|(topic, _)| topic.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b"]);
    let (_, word) = testimony.iter().last().expect("of b");
    assert_eq!(word.value.since, start() - SignedDuration::from_secs(4));
}

#[test]
fn of_lag_role_and_leaving_a_node_speaks_for_itself_only() {
    let mut memory = Memory::default();
    memory.hear(heard("s", 1, 0, Verdict::Healthy));
    let testimony = memory.testimony(&config(), start());
    let said = |subject: &str| {
        let node = |name: &str| name.parse().expect("a name");
        let redis = "redis".parse().expect("a name");
        let word = testimony.word(&node("b"), &node(subject), &redis).expect("it was said");
        (
            testimony.lag(&node(subject), &redis).map(|lag| lag.value),
            testimony.primary(&node(subject), &redis).map(|is| is.value),
            word.value.leaving,
        )
    };
    assert_eq!(said("b"), (Some(Duration::from_millis(2_500)), Some(true), true));
    assert_eq!(said("a"), (None, None, false));
}

//! Leaving holders are vacated, and primaries followed.

use super::*;
use vipward_core::config::Role;
use vipward_core::decide::MoveKind;
use vipward_core::observed::Observed;

fn moved_as(record: &Record) -> Option<MoveKind> {
    match (&record.decision.choice, &record.outcome) {
        (Choice::Move { kind, .. }, Some(MoveOutcome::Moved(_))) => Some(*kind),
        _ => None,
    }
}

/// `a` says by the metrics that it leaves, as its alarm tells.
fn leaving() -> World {
    World::new().with(|state| {
        state.says("a", "a", "redis", Healthy);
        state.observations.iter_mut().for_each(|(_, word)| word.value.leaving = true);
        state.alarms.insert("vipward/test/redis/a/self".parse().expect("an alarm's name"));
    })
}

#[tokio::test(start_paused = true)]
async fn a_leaving_holder_is_vacated_and_the_budget_does_not_count_it() {
    let world = leaving().with(|state| state.says("b", "b", "redis", Healthy));
    let records = one_pass(&world).await;
    assert_eq!(moved_as(&records[0]), Some(MoveKind::Vacate));
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
    assert_eq!(moves_counted(&world), 0);
    assert!(alerts(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_leaving_holder_that_nobody_can_relieve_keeps_the_vip_and_alerts() {
    let world = leaving();
    assert_eq!(hold_reason(&one_pass(&world).await[0]), Some(HoldReason::CannotVacate));
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
    assert_eq!(alerts(&world), ["cannot-vacate"]);
}

/// The file whose redis follows the primary.
fn following() -> Config {
    let mut config = config();
    config.services[0].role = Role::Primary;
    config
}

/// Both nodes are well, and say that of their role.
fn roles(a: bool, b: bool) -> World {
    World::new().with(|state| {
        for (node, value) in [("a", a), ("b", b)] {
            state.says(node, node, "redis", Healthy);
            let is = Observed { value, at: start() - SignedDuration::from_secs(1) };
            let (node, service) = (node.parse().expect("a name"), "redis".parse().expect("a name"));
            state.primaries.push((node, service, is));
        }
    })
}

#[tokio::test(start_paused = true)]
async fn the_vip_follows_the_primary_and_the_budget_does_not_count_it() {
    let world = roles(false, true);
    let records = pass(&following(), &world, &Mutex::default()).await;
    assert_eq!(moved_as(&records[0]), Some(MoveKind::Follow));
    assert_eq!(moves_counted(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn two_primaries_alert_when_they_last() {
    let world = roles(true, true);
    let memory = Mutex::default();
    let held = |records: Vec<Record>| hold_reason(&records[0]);
    let twice = Some(HoldReason::TwoPrimaries);
    assert_eq!(held(pass(&following(), &world, &memory).await), twice);
    assert!(alerts(&world).is_empty(), "the former one may not have spoken yet");
    world.pause(std::time::Duration::from_secs(30)).await;
    assert_eq!(held(pass(&following(), &world, &memory).await), twice);
    assert_eq!(alerts(&world), ["two-primaries"]);
}

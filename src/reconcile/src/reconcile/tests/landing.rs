//! Calls that may land yet: all of them, whatever became of later ones.

use super::*;
use crate::fake::unanswered;
use crate::orders::OrderOutcome;
use std::time::Duration;
use vipward_core::NodeName;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn no_answer() -> Fault {
    Fault::Fails(unanswered("AssignPrivateIpAddresses"))
}

/// The first call to b has no answer, the second is accepted and seen.
fn called_twice() -> World {
    World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(no_answer());
    })
}

#[tokio::test(start_paused = true)]
async fn a_second_call_that_landed_does_not_make_the_first_forgotten() {
    let world = called_twice();
    let memory = Mutex::default();
    // An invocation that is ended before the first call can land no more.
    let invocation = Invocation {
        config: &config(),
        ports: &world,
        memory: &memory,
        wake: WakeKind::Alarm,
        woken: world.now(),
        brings_news: false,
        deadline: world.now() + SignedDuration::from_secs(2),
    };
    let records = reconcile(&invocation).await.expect("EC2 can be read");
    assert_eq!(outcomes(&records)[0], Outcome::Moved);
    world.state().says("a", "a", "redis", Healthy);
    let outcome = switched_over(&world, &memory, "a").await;
    assert!(matches!(outcome, OrderOutcome::Refused(_)), "the VIP could go back to b: {outcome:?}");
    world.pause(ms(10_000)).await;
    let outcome = switched_over(&world, &memory, "a").await;
    assert!(matches!(outcome, OrderOutcome::Done { .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_call_that_lands_on_a_node_that_has_died_since_is_looked_after() {
    let world = called_twice().with(|state| {
        state.later = vec![
            (ms(2_000), |state| {
                state.says("a", "a", "redis", Healthy);
                state.says("b", "b", "redis", Unhealthy);
                state.alarms.clear();
                state.alarms.insert("vipward/test/redis/b/self".parse().expect("a name"));
            }),
            (ms(6_000), |state| bring(state, "eni-0000000b")),
        ];
    });
    let config = config_with_policy("move_budget = { moves = 9, per = \"1h\" }");
    let records = pass(&config, &world, &Mutex::default()).await;
    world.pause(ms(10_000)).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
    let moved = |record: &&Record| record.outcome() == Outcome::Moved;
    let moved = records.iter().filter(moved).count();
    assert_eq!(moved, 4, "there, back, there by the late call, and back: {records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_accepted_and_overtaken_may_still_land() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.push_back(Fault::DoesNothing);
        state.later = vec![(ms(50), |state| bring(state, "eni-0000000c"))];
        state.inventory_answers = 3;
    });
    let memory = Mutex::default();
    let records = pass(&config, &world, &memory).await;
    assert_eq!(outcomes(&records)[0], Outcome::Overtaken);
    let flying = locked(&memory).in_flight(world.now());
    let flying: Vec<_> = flying.values().flatten().map(NodeName::as_str).collect();
    assert_eq!(flying, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn each_of_two_calls_without_an_answer_is_looked_after() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.extend([no_answer(), Fault::LosesReply]);
        state.later = vec![
            (ms(50), |state| state.says("b", "b", "redis", Unhealthy)),
            (ms(5_000), |state| bring(state, "eni-0000000b")),
        ];
    });
    pass(&config, &world, &Mutex::default()).await;
    world.pause(ms(10_000)).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000c"], "b is ill");
}

#[tokio::test(start_paused = true)]
async fn while_a_call_may_land_no_other_service_waits() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(no_answer());
        state.later = vec![
            (ms(50), |state| {
                state.says("a", "a", "redis", Healthy);
                state.says("a", "a", "mysql", Healthy);
                state.says("b", "b", "mysql", Healthy);
            }),
            (ms(5_000), |state| state.says("a", "a", "mysql", Unhealthy)),
        ];
    });
    let records = one_pass(&world).await;
    let Some(MoveOutcome::Moved(times)) = records[1].outcome else { panic!("{records:?}") };
    let passed = times.assigned.duration_since(start());
    assert!(passed <= SignedDuration::from_millis(5_500), "{passed:?}, by the metrics alone");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_call_that_was_not_seen_is_looked_after_when_another_node_is_asked() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.push_back(Fault::DoesNothing);
        state.later = vec![
            (ms(50), |state| state.says("b", "b", "redis", Unhealthy)),
            (ms(5_000), |state| bring(state, "eni-0000000b")),
        ];
    });
    pass(&config, &world, &Mutex::default()).await;
    world.pause(ms(10_000)).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000c"], "b is ill");
}

#[tokio::test(start_paused = true)]
async fn no_pass_begins_after_the_time_is_up() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        let throttled = Fault::Fails(throttled("AssignPrivateIpAddresses"));
        state.assign_faults.extend(std::iter::repeat_n(throttled, 99));
    });
    let deadline = world.now() + SignedDuration::from_secs(2);
    let invocation = Invocation {
        config: &config(),
        ports: &world,
        memory: &Mutex::default(),
        wake: WakeKind::Alarm,
        woken: world.now(),
        brings_news: false,
        deadline,
    };
    reconcile(&invocation).await.expect("EC2 can be read");
    assert!(world.now() < deadline && world.now() > start() + SignedDuration::from_secs(1));
}

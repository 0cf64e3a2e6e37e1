//! What is read beside the interfaces: waited for, and not used when it has grown old.

use super::*;
use crate::handler::Function;
use crate::role::Role;
use serde_json::{Value, json};
use std::time::Duration;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The holder's instance is stopped, and everybody still says that all is well.
fn stopped() -> World {
    World::new().with(|state| {
        state.stopped.insert("i-10.0.0.10".to_owned());
        for node in ["a", "b"] {
            state.says(node, node, "redis", Healthy);
            state.says(node, node, "mysql", Healthy);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn the_states_of_instances_are_waited_for() {
    for wake in [WakeKind::Instance, WakeKind::Schedule, WakeKind::Alarm, WakeKind::Hint] {
        for slow in [90, 300, 1_000] {
            let world = stopped().with(|state| {
                (state.slow, state.slow_metrics) = (ms(50), ms(50));
                state.slow_instances = ms(slow);
            });
            let records = woken(wake, &config(), &world, &Mutex::default()).await;
            assert_eq!(outcomes(&records)[0], Outcome::Moved, "{wake:?} after {slow} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn states_that_grew_old_while_the_metrics_came_move_nothing() {
    for (runs_again_after, moved) in [(500, Outcome::Held), (60_000, Outcome::Moved)] {
        let world = stopped().with(|state| {
            state.slow_metrics = ms(2_000);
            state.later = vec![(ms(runs_again_after), |state| state.stopped.clear())];
        });
        let records = woken(WakeKind::Alarm, &config(), &world, &Mutex::default()).await;
        assert_eq!(outcomes(&records)[0], moved, "runs again after {runs_again_after} ms");
    }
}

fn suspect(world: &World) -> Value {
    let heard = hint(world, "b", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]);
    json!({
        "source": "vipward.agent.test.b",
        "detail-type": "Vipward Observation",
        "time": heard.at.to_string(),
        "detail": heard.hint,
    })
}

#[tokio::test(start_paused = true)]
async fn a_hint_after_a_pass_that_could_not_read_all_is_not_swallowed() {
    for unread in ["DescribeInstances", "DescribeAlarms"] {
        let function = Function::new(config(), stopped(), Role::Failover);
        let world = function.ports();
        let deadline = world.deadline();
        world.state().failing.extend([unread, "DescribeInstances"]);
        function.handle(&suspect(world), deadline, &mut |_| {}).await.expect("handled");
        world.pause(ms(500)).await;
        world.state().failing.clear();
        function.handle(&suspect(world), deadline, &mut |_| {}).await.expect("handled");
        assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "{unread} failed at first");
    }
}

#[tokio::test(start_paused = true)]
async fn no_vip_waits_for_the_incomplete_series_of_another() {
    for wake in [WakeKind::Schedule, WakeKind::Alarm] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            state.ill_on_a("mysql");
            state.unreadable.insert("redis".parse().expect("a name"));
        });
        let records = woken(wake, &config(), &world, &Mutex::default()).await;
        assert_eq!(outcomes(&records), [Outcome::Held, Outcome::Moved], "{wake:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_grew_old_while_the_metrics_came_is_read_again() {
    for (slow, reads) in [(900, 2), (1_000, 2), (1_001, 3), (2_000, 3)] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            state.slow_metrics = ms(slow);
        });
        woken(WakeKind::Alarm, &config(), &world, &Mutex::default()).await;
        assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
        assert_eq!(world.state().reads, reads, "with the proof's, metrics after {slow} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn where_all_metrics_were_read_at_once_no_alarm_is_waited_for() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.hanging.insert("DescribeAlarms");
    });
    let records = woken(WakeKind::Alarm, &config(), &world, &Mutex::default()).await;
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
    assert_eq!(times.assigned, start() + SignedDuration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn what_hints_of_an_earlier_invocation_say_makes_no_haste() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.slow_metrics = ms(300);
    });
    let mut memory = Memory::default();
    memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    woken(WakeKind::Alarm, &config(), &world, &Mutex::new(memory)).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
    assert_eq!(world.state().reads, 2, "one read, and one for the proof");
}

#[tokio::test(start_paused = true)]
async fn words_that_grew_old_while_the_states_came_are_read_again() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.slow_instances = ms(1_400);
    });
    woken(WakeKind::Alarm, &config(), &world, &Mutex::default()).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
    assert_eq!(world.state().reads, 3, "with the proof's");
}

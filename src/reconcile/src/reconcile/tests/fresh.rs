//! What a pass waits for, what it may rest on, and when it need not be.

use super::*;
use crate::fake::unanswered;
use crate::handler::Function;
use crate::role::Role;
use serde_json::{Value, json};
use std::time::Duration;
use vipward_core::{NodeName, Verdict};

/// The memory of a function that has heard that `a` is ill, and that `b` has long been well.
fn told_that_a_is_ill(world: &World) -> Mutex<Memory> {
    let mut memory = Memory::default();
    memory.hear(hint(world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    Mutex::new(memory)
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_delays_nothing_that_inventory_and_hints_decide() {
    for call in ["DescribeInstances", "DescribeAlarms", "GetMetricData"] {
        let world = World::new().with(|state| {
            state.hanging.insert(call);
        });
        let memory = told_that_a_is_ill(&world);
        let records = woken(WakeKind::Hint, &config(), &world, &memory).await;
        let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
        assert_eq!(times.assigned, start() + SignedDuration::from_millis(100), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_reads_that_hang_are_waited_for_at_the_same_time() {
    for wake in [WakeKind::Alarm, WakeKind::Schedule] {
        let world = World::new().with(|state| {
            state.hanging.extend(["DescribeInstances", "DescribeAlarms", "GetMetricData"]);
        });
        woken(wake, &config(), &world, &Mutex::default()).await;
        assert_eq!(world.now(), start() + SignedDuration::from_millis(2_500), "{wake:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_that_come_with_ec2s_answer_are_heard_before_hints_decide() {
    let world = World::new().with(|state| state.says("a", "a", "redis", Healthy));
    let memory = told_that_a_is_ill(&world);
    world.pause(Duration::from_secs(2)).await;
    let records = woken(WakeKind::Hint, &config(), &world, &memory).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::HolderSuspect), "a is well again");
}

#[tokio::test(start_paused = true)]
async fn hints_of_an_earlier_invocation_move_nothing_by_themselves() {
    for (wake, moves) in
        [(WakeKind::Hint, true), (WakeKind::Alarm, false), (WakeKind::Schedule, false)]
    {
        let world = World::new().with(|state| {
            state.failing.insert("GetMetricData");
        });
        let memory = told_that_a_is_ill(&world);
        let records = woken(wake, &config(), &world, &memory).await;
        assert_eq!(records[0].outcome() == Outcome::Moved, moves, "{wake:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_long_throttle_of_reads_left_behind_is_read_anew() {
    let world = World::new().with(|state| {
        let throttled = throttled("DescribeNetworkInterfaces");
        state.inventory_faults.extend(std::iter::repeat_n(throttled, 6));
        state.later = vec![(Duration::from_secs(1), |state| state.ill_on_a("redis"))];
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved, "nobody was ill at first");
}

#[tokio::test(start_paused = true)]
async fn no_vip_waits_for_the_metrics_of_another() {
    let world = World::new().with(|state| {
        state.says("b", "b", "mysql", Healthy);
        state.alarms.insert("vipward/test/mysql/a/self".parse().expect("an alarm's name"));
        state.hanging.insert("GetMetricData");
        state.later = vec![(Duration::from_millis(50), |state| state.hanging.clear())];
    });
    let memory = told_that_a_is_ill(&world);
    let records = woken(WakeKind::Hint, &config(), &world, &memory).await;
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
    assert_eq!(times.assigned, start() + SignedDuration::from_millis(100));
    assert_eq!(hold_reason(&records[1]), Some(HoldReason::AwaitingEvidence));
    let mysql = "mysql".parse().expect("a name");
    let last = world.state().metric_reads.last().cloned().unwrap_or_default();
    assert!(last.contains(&mysql), "it is looked at once redis has moved: {last:?}");
}

fn event(observer: &str, said: &[(&str, Verdict, u64)], world: &World) -> Value {
    let heard = hint(world, observer, said);
    json!({
        "source": format!("vipward.agent.test.{observer}"),
        "detail-type": "Vipward Observation",
        "time": heard.at.to_string(),
        "detail": heard.hint,
    })
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_changes_nothing_moments_after_a_pass_reads_nothing() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let deadline = function.ports().deadline();
    let mut reads = Vec::new();
    let all_well = [("a", Healthy, 600_000), ("b", Healthy, 600_000)];
    let suspect = [("a", Unhealthy, 100), ("b", Healthy, 600_000)];
    for (pause, said) in
        [(0, &all_well), (500, &all_well), (500, &suspect), (500, &suspect), (3_000, &suspect)]
    {
        function.ports().pause(Duration::from_millis(pause)).await;
        let event = event("b", said, function.ports());
        function.handle(&event, deadline, &mut |_| {}).await.expect("handled");
        reads.push(function.ports().state().reads);
    }
    assert_eq!(
        reads,
        [1, 1, 2, 2, 3],
        "a cold one looks, and so does one that hears something new"
    );
}

#[tokio::test(start_paused = true)]
async fn a_suspect_holder_is_told_of_when_it_lasts() {
    let world = World::new().with(|state| {
        state.says("a", "a", "redis", Healthy);
        state.says("b", "a", "redis", Unhealthy);
    });
    let memory = Mutex::default();
    for (pause, told) in [(0, 0), (2, 0), (1, 1), (1, 1)] {
        world.pause(Duration::from_secs(pause)).await;
        let records = woken(WakeKind::Alarm, &config(), &world, &memory).await;
        assert_eq!(hold_reason(&records[0]), Some(HoldReason::HolderSuspect));
        assert_eq!(alerts(&world).len(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_says_nothing_of_itself_waits_a_moment_for_a_better_one() {
    for (metrics, waited) in [("failing", 100), ("hanging", 500)] {
        let world = World::new().with(|state| {
            let how = if metrics == "failing" { &mut state.failing } else { &mut state.hanging };
            how.insert("GetMetricData");
        });
        let mut memory = Memory::default();
        memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
        let records = woken(WakeKind::Hint, &config(), &world, &Mutex::new(memory)).await;
        let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
        let expected = start() + SignedDuration::from_millis(waited);
        assert!(times.assigned <= expected, "{metrics}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_leaves_waits_a_moment_for_a_better_one() {
    for (leaving, assigned) in [(false, 100), (true, 500)] {
        let world = World::new().with(|state| {
            state.hanging.insert("GetMetricData");
        });
        let mut memory = Memory::default();
        memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
        let mut of_b = hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]);
        of_b.hint.observations[0].leaving = leaving;
        memory.hear(of_b);
        let records = woken(WakeKind::Hint, &config(), &world, &Mutex::new(memory)).await;
        let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
        assert_eq!(times.assigned, start() + SignedDuration::from_millis(assigned), "{leaving}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_ec2_cannot_be_read_nothing_else_is_waited_for() {
    let world = World::new().with(|state| {
        state.inventory_faults.push_back(denied("DescribeNetworkInterfaces"));
        state.hanging.extend(["DescribeInstances", "DescribeAlarms", "GetMetricData"]);
    });
    let memory = Mutex::default();
    let invocation = Invocation {
        config: &config(),
        ports: &world,
        memory: &memory,
        wake: WakeKind::Alarm,
        woken: world.now(),
        brings_news: false,
        deadline: world.deadline(),
    };
    reconcile(&invocation).await.expect_err("it cannot be read");
    assert!(world.now() <= start() + SignedDuration::from_millis(100), "{}", world.now());
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_news_for_a_second_after_it_woke_the_function() {
    let world = World::new();
    let memory = told_that_a_is_ill(&world);
    let mut invocation = Invocation {
        config: &config(),
        ports: &world,
        memory: &memory,
        wake: WakeKind::Hint,
        woken: world.now(),
        brings_news: true,
        deadline: world.deadline(),
    };
    for (pause, are_news) in [(0, true), (1_000, true), (1, false)] {
        world.pause(Duration::from_millis(pause)).await;
        assert_eq!(invocation.hints().are_news, are_news, "{pause} ms later");
    }
    (invocation.woken, invocation.brings_news) = (world.now(), false);
    assert!(!invocation.hints().are_news);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_shown_to_have_landed_is_not_on_its_way_any_more() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let before = world.state().inventory.clone();
    world.state().stale = Some((before, start() + SignedDuration::from_secs(1)));
    let memory = Mutex::default();
    let records = pass(&config(), &world, &memory).await;
    assert_eq!(outcomes(&records)[0], Outcome::Moved);
    assert!(locked(&memory).in_flight(world.now()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_effect_does_not_show_stays_on_its_way_for_the_next_invocation() {
    for fault in [Fault::DoesNothing, Fault::Fails(unanswered("AssignPrivateIpAddresses"))] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            state.assign_faults.push_back(fault.clone());
            state.inventory_answers = 2;
        });
        let memory = Mutex::default();
        pass(&config(), &world, &memory).await;
        let flying = locked(&memory).in_flight(world.now());
        let flying: Vec<_> = flying.values().flatten().map(NodeName::as_str).collect();
        assert_eq!(flying, ["b"], "{fault:?}");
    }
}

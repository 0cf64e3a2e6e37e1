//! What hints and metrics are worth after something else has happened.

use super::*;
use crate::handler::Function;
use crate::role::Role;
use serde_json::{Value, json};
use std::time::Duration;
use vipward_core::Verdict;
use vipward_core::evidence::Snapshot;
use vipward_core::telemetry::AlarmName;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn assign_throttled() -> Fault {
    Fault::Fails(throttled("AssignPrivateIpAddresses"))
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_goes_on_to_a_node_that_only_the_metrics_know() {
    for slow in [50, 300] {
        let (config, world) = refused::trio(0);
        let world = world.with(|state| {
            state.ill_on_a("redis");
            state.says("c", "c", "redis", Healthy);
            state.slow_metrics = ms(slow);
        });
        let mut memory = Memory::default();
        memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
        memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
        let records = woken(WakeKind::Hint, &config, &world, &Mutex::new(memory)).await;
        let (failed, moved) = (Outcome::Failed, Outcome::Moved);
        assert_eq!(outcomes(&records)[..2], [failed, moved], "metrics take {slow} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_holder_is_told_of_when_that_lasts_not_what_came_before() {
    let world = World::new().with(|state| {
        state.alarms.insert("vipward/test/redis/a/self".parse().expect("an alarm's name"));
    });
    let memory = Mutex::default();
    pass(&config(), &world, &memory).await;
    world.pause(Duration::from_secs(5)).await;
    world.state().says("a", "a", "redis", Healthy);
    world.state().says("b", "a", "redis", Unhealthy);
    let records = pass(&config(), &world, &memory).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::HolderSuspect));
    assert!(alerts(&world).is_empty(), "it is suspect for the first time");
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_is_delivered_twice_makes_no_news_of_old_hints() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    let deadline = world.deadline();
    world.state().failing.insert("GetMetricData");
    // EC2 throttles for the while of the first invocations.
    let throttled_reads = std::iter::repeat_n(denied("DescribeNetworkInterfaces"), 2);
    world.state().inventory_faults.extend(throttled_reads);
    let first = event("b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)], world);
    let _ = function.handle(&first, deadline, &mut |_| {}).await;
    world.pause(ms(100)).await;
    let second = event("a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)], world);
    let _ = function.handle(&second, deadline, &mut |_| {}).await;
    world.pause(ms(10_000)).await;
    let _ = function.handle(&first, deadline, &mut |_| {}).await;
    assert_eq!(world.state().assigns, [], "a doubled event is no news");
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
async fn a_hint_after_a_pass_whose_metrics_failed_is_not_swallowed() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    let deadline = world.deadline();
    world.state().says("a", "a", "redis", Unhealthy);
    world.state().says("b", "b", "redis", Healthy);
    world.state().failing.insert("GetMetricData");
    let suspect = [("a", Unhealthy, 100), ("b", Healthy, 600_000)];
    let said = event("b", &suspect, world);
    function.handle(&said, deadline, &mut |_| {}).await.expect("handled");
    world.pause(ms(500)).await;
    world.state().failing.clear();
    let said = event("b", &suspect, world);
    function.handle(&said, deadline, &mut |_| {}).await.expect("handled");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "the metrics say that a is ill");
}

#[tokio::test(start_paused = true)]
async fn a_hint_after_which_the_metrics_decide_is_not_swallowed() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    let deadline = world.deadline();
    world.state().says("a", "a", "redis", Healthy);
    world.state().says("b", "b", "redis", Healthy);
    let suspect = [("a", Unhealthy, 100), ("b", Healthy, 600_000)];
    let said = event("b", &suspect, world);
    function.handle(&said, deadline, &mut |_| {}).await.expect("handled");
    world.pause(ms(1_500)).await;
    world.state().says("a", "a", "redis", Unhealthy);
    let said = event("b", &[("a", Unhealthy, 1_600), ("b", Healthy, 600_000)], world);
    function.handle(&said, deadline, &mut |_| {}).await.expect("handled");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "the metrics say that a is ill");
}

#[tokio::test(start_paused = true)]
async fn metrics_of_one_service_confirm_nothing_about_another() {
    let world = World::new().with(|state| {
        state.says("a", "a", "redis", Healthy);
        state.says("b", "b", "redis", Healthy);
        state.assign_faults.extend(std::iter::repeat_with(assign_throttled).take(4));
        // From then on the metrics of redis cannot be read, which would say that it is well again.
        state.later = vec![
            (ms(50), |state| {
                state.unreadable.insert("redis".parse().expect("a name"));
            }),
            (ms(1_500), |state| state.ill_on_a("mysql")),
        ];
        state.slow_metrics = ms(150);
    });
    let mut memory = Memory::default();
    memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    let memory = Mutex::new(memory);
    let seen = world.state().inventory.clone();
    let quiet = AlarmName::all(&config()).collect();
    let evidence = Evidence { inventory: seen, quiet_alarms: Some(quiet), ..Evidence::default() };
    locked(&memory).saw(&config(), world.now(), &evidence, None);
    let records = woken(WakeKind::Hint, &config(), &world, &memory).await;
    assert_ne!(
        records[0].outcome(),
        Outcome::Moved,
        "by hints of 2 s ago: {:?}",
        world.state().metric_reads
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_leaves_an_interface_out_makes_its_instance_no_stranger() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    let deadline = world.deadline();
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let mut lacking = world.state().inventory.clone();
    lacking.enis.remove(&id("eni-0000000a"));
    world.state().stale = Some((lacking, world.now() + SignedDuration::from_secs(1)));
    function.handle(&schedule, deadline, &mut |_| {}).await.expect("handled");
    world.pause(ms(2_000)).await;
    world.state().stopped.insert("i-10.0.0.10".to_owned());
    world.state().says("b", "b", "redis", Healthy);
    let stopped = json!({
        "source": "aws.ec2",
        "detail-type": "EC2 Instance State-change Notification",
        "detail": {"instance-id": "i-10.0.0.10", "state": "stopping"},
    });
    let said = function.handle(&stopped, deadline, &mut |_| {}).await.expect("handled");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"], "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_is_only_observed_keeps_no_other_service_from_being_looked_at() {
    let config = config_with_policy("mode = \"observe\"");
    let world = World::new().with(|state| {
        state.ill_on_a("mysql");
        state.slow_metrics = ms(300);
    });
    let mut memory = Memory::default();
    memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    let records = woken(WakeKind::Hint, &config, &world, &Mutex::new(memory)).await;
    assert_eq!(outcomes(&records), [Outcome::Observed, Outcome::Observed]);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_what_was_not_live_tells_why_it_was_held() {
    let world = World::new().with(|state| {
        state.failing.insert("GetMetricData");
    });
    let mut memory = Memory::default();
    memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    let records = woken(WakeKind::Alarm, &config(), &world, &Mutex::new(memory)).await;
    let record = &records[0];
    let again =
        decide(Snapshot { config: &config(), evidence: &record.evidence, now: record.decided });
    assert_eq!(again[0].choice, record.decision.choice, "decided once more from the record");
}

#[tokio::test(start_paused = true)]
async fn what_the_metrics_have_taken_back_no_older_hint_brings_up_again() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    let deadline = world.deadline();
    world.state().assign_faults.push_back(assign_throttled());
    let ill = [("a", Unhealthy, 100), ("b", Healthy, 600_000)];
    function.handle(&event("a", &ill, world), deadline, &mut |_| {}).await.expect("handled");
    world.state().assign_faults.clear();
    // Its all-clear reaches another environment; this one reads it.
    world.pause(ms(2_000)).await;
    world.state().says("a", "a", "redis", Healthy);
    world.state().says("b", "b", "redis", Healthy);
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    function.handle(&schedule, deadline, &mut |_| {}).await.expect("handled");
    let sent = world.state().assigns.len();
    world.pause(ms(5_000)).await;
    world.state().hanging.insert("GetMetricData");
    let well = [("b", Healthy, 600_000)];
    function.handle(&event("b", &well, world), deadline, &mut |_| {}).await.expect("handled");
    assert_eq!(world.state().assigns.len(), sent, "a was well since");
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_was_thrown_back_once_is_news_though_its_agent_knows_aws_time_to_a_second() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let world = function.ports();
    world.pause(ms(9_980)).await;
    let deadline = world.deadline();
    world.state().failing.insert("GetMetricData");
    let well = event("b", &[("b", Healthy, 600_000)], world);
    function.handle(&well, deadline, &mut |_| {}).await.expect("handled");
    let mut ill = event("a", &[("a", Unhealthy, 100)], world);
    // A second that the agent does not know, and what EventBridge leaves out.
    let said = world.now() - SignedDuration::from_millis(1_970);
    ill["time"] = json!(said.to_string());
    world.pause(ms(600 + 1_000)).await;
    function.handle(&ill, deadline, &mut |_| {}).await.expect("handled");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
}

//! Whole passes against a world whose faults are ordered.

use super::*;
use crate::execute::MoveOutcome;
use crate::fake::{
    Fault, State, World, config, config_with_policy, denied, hint, id, start, throttled,
};
use crate::memory::Memory;
use crate::notices::{announce, notices};
use crate::orders::{OrderOutcome, run_order};
use crate::record::Outcome;
use crate::wake::{Command, WakeKind};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Mutex;
use vipward_core::Config;
use vipward_core::Verdict::{Healthy, Unhealthy};
use vipward_core::VipAddr;
use vipward_core::decide::{Choice, HoldReason};
use vipward_core::ledger::Ledger;

mod attempts;
mod fresh;
mod groups;
mod landing;
mod late;
mod news;
mod planned;
mod reads;
mod refused;
mod situations;
mod telling;

const REDIS: &str = "10.0.0.201";

/// An invocation by the schedule, with what people are told.
async fn pass(config: &Config, world: &World, memory: &Mutex<Memory>) -> Vec<Record> {
    woken(WakeKind::Schedule, config, world, memory).await
}

async fn woken(
    wake: WakeKind,
    config: &Config,
    world: &World,
    memory: &Mutex<Memory>,
) -> Vec<Record> {
    let (woken, deadline) = (world.now(), world.deadline());
    let invocation = Invocation {
        config,
        ports: world,
        memory,
        wake,
        woken,
        brings_news: wake == WakeKind::Hint,
        deadline,
    };
    let records = reconcile(&invocation).await.expect("EC2 can be read");
    let notices = notices(config, memory, &records, world.now());
    let lost = announce(world, memory, &notices, deadline).await;
    let fails = world.state().failing.contains("PutEvents");
    assert_eq!(lost.len(), if fails { notices.len() } else { 0 });
    records
}

async fn one_pass(world: &World) -> Vec<Record> {
    pass(&config(), world, &Mutex::default()).await
}

fn outcomes(records: &[Record]) -> Vec<Outcome> {
    records.iter().map(Record::outcome).collect()
}

fn hold_reason(record: &Record) -> Option<HoldReason> {
    match record.decision.choice {
        Choice::Hold { reason } => Some(reason),
        Choice::Move { .. } => None,
    }
}

/// Moves of redis that the ledger counts.
fn moves_counted(world: &World) -> usize {
    let redis = "redis".parse().expect("a name");
    let ledger: Ledger = world.state().inventory.ledger(&config(), &redis);
    ledger.moves_within(std::time::Duration::from_hours(1), world.now())
}

/// The alerts told so far.
fn alerts(world: &World) -> Vec<String> {
    let state = world.state();
    let alerts = state.notices.iter().flat_map(|notice| &notice.alerts);
    alerts.map(|alert| alert.kind.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_quiet_minute_reads_holders_and_alarms_and_no_metrics() {
    let world = World::new();
    let records = one_pass(&world).await;
    assert_eq!(outcomes(&records), [Outcome::Held, Outcome::Held]);
    assert!(records.iter().all(|record| hold_reason(record) == Some(HoldReason::HolderUp)));
    let state = world.state();
    assert_eq!((state.reads, state.metric_reads.len(), state.assigns.len()), (1, 0, 0));
    assert!(state.notices.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_ill_service_moves_alone_and_is_proven_recorded_and_told() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let records = one_pass(&world).await;
    assert_eq!(outcomes(&records), [Outcome::Moved, Outcome::Held]);
    let state = world.state();
    assert_eq!(state.holder(REDIS), ["eni-0000000b"]);
    assert_eq!(state.holder("10.0.0.202"), ["eni-0000000a"]);
    assert_eq!(state.metric_reads, [BTreeSet::from(["redis".parse().expect("a name")])]);
    let tag = &state.inventory.enis[&id("eni-0000000b")].tags["vipward:test:redis"];
    assert_eq!(*tag, format!("moved={0} moves={0}", start().as_second()));
    let told: Vec<_> = state.notices.iter().map(|notice| notice.detail_type).collect();
    assert_eq!(told, ["Vipward Move"]);
}

#[tokio::test(start_paused = true)]
async fn vips_bound_for_one_interface_share_a_call() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.ill_on_a("mysql");
    });
    assert_eq!(outcomes(&one_pass(&world).await), [Outcome::Moved, Outcome::Moved]);
    assert_eq!(world.state().assigns.len(), 1);
    assert_eq!(world.state().assigns[0].1.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out() {
    let throttle = || Fault::Fails(throttled("AssignPrivateIpAddresses"));
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.extend([throttle(), throttle()]);
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
    assert_eq!(world.state().assigns.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn endless_throttling_fails_by_the_deadline_and_alerts() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        let error = throttled("AssignPrivateIpAddresses");
        state.assign_faults.extend(std::iter::repeat_n(Fault::Fails(error), 999));
    });
    let records = one_pass(&world).await;
    assert_eq!(outcomes(&records)[0], Outcome::Failed);
    assert!(world.now() <= world.deadline(), "it ends in time");
    assert_eq!(world.state().notices[0].detail["alert"], "failed");
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"], "the VIP is never nowhere");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::Fails(denied("AssignPrivateIpAddresses")));
    });
    let records = one_pass(&world).await;
    assert_eq!(outcomes(&records)[0], Outcome::Failed);
    assert_eq!(world.state().assigns.len(), 1);
    let said = records[0].detail(&config())["error"].to_string();
    assert!(said.contains("UnauthorizedOperation"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_after_the_effect_is_recognised() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::LosesReply);
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
    assert_eq!(world.state().assigns.len(), 1, "it is not done twice");
    assert_eq!(moves_counted(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn stale_reads_delay_the_proof_and_nothing_else() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(3)));
    });
    let records = one_pass(&world).await;
    assert_eq!(outcomes(&records)[0], Outcome::Moved);
    assert_eq!(world.state().assigns.len(), 1);
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("it moved") };
    assert!(times.proven >= start() + SignedDuration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn an_assignment_without_effect_is_repeated() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::DoesNothing);
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
    assert_eq!(world.state().assigns.len(), 2);
    assert_eq!(moves_counted(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_that_never_shows_is_unproven_and_alerts() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.extend(std::iter::repeat_n(Fault::DoesNothing, 99));
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Unproven);
    assert_eq!(world.state().notices[0].detail["alert"], "unproven");
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_moved_the_vip_first_is_left_alone() {
    for rival in ["eni-0000000b", "eni-0000000f"] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            let foreign = state.inventory.enis[&id("eni-0000000b")].clone();
            state.inventory.enis.insert(id("eni-0000000f"), foreign);
            let throttled = throttled("AssignPrivateIpAddresses");
            state.assign_faults.push_back(Fault::Fails(throttled));
            state.rival = Some((REDIS.parse().expect("an address"), id(rival)));
        });
        assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Overtaken, "{rival}");
        assert_eq!(world.state().assigns.len(), 1);
        assert_eq!(world.state().holder(REDIS), [rival]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_for_now_is_repeated() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.inventory_faults.push_back(throttled("DescribeNetworkInterfaces"));
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
}

#[tokio::test(start_paused = true)]
async fn without_ec2_nothing_is_done() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.inventory_faults.push_back(denied("DescribeNetworkInterfaces"));
    });
    let (config, memory) = (&config(), &Mutex::default());
    let (wake, woken, deadline) = (WakeKind::Alarm, world.now(), world.deadline());
    let invocation =
        Invocation { config, ports: &world, memory, wake, woken, brings_news: false, deadline };
    let result = reconcile(&invocation).await;
    assert_eq!(result, Err(denied("DescribeNetworkInterfaces")));
    assert!(world.state().assigns.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_cloudwatch_nothing_moves_on_silence() {
    let world = World::new().with(|state| {
        state.failing.insert("DescribeAlarms");
        state.failing.insert("GetMetricData");
    });
    let records = one_pass(&world).await;
    assert!(records.iter().all(|r| hold_reason(r) == Some(HoldReason::AwaitingEvidence)));
}

#[tokio::test(start_paused = true)]
async fn a_move_that_cannot_be_recorded_stands_and_alerts() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.failing.insert("CreateTags");
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
    assert_eq!(alerts(&world), ["move-not-recorded"]);
}

#[tokio::test(start_paused = true)]
async fn observing_decides_and_records_and_does_not_move() {
    let config = config_with_policy("mode = \"observe\"");
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records)[0], Outcome::Observed);
    assert!(world.state().assigns.is_empty());
    assert_eq!(alerts(&world), ["observed"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_pass_after_a_move_does_nothing() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let memory = Mutex::default();
    pass(&config(), &world, &memory).await;
    world.state().says("a", "b", "redis", Healthy);
    let records = pass(&config(), &world, &memory).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::HolderUp));
    assert_eq!(world.state().assigns.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_vip_that_does_not_fit_does_not_keep_the_others() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.ill_on_a("mysql");
        state.room = Some(2);
    });
    assert_eq!(outcomes(&one_pass(&world).await), [Outcome::Moved, Outcome::Failed]);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
    assert_eq!(alerts(&world), ["failed"]);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_move_whose_proof_cannot_be_read_is_unproven() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.inventory_answers = 1;
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Unproven);
    assert_eq!(moves_counted(&world), 1, "the ledger has it");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_instance_is_left_and_one_that_cannot_be_read_is_not() {
    let stopped = |state: &mut crate::fake::State| {
        state.stopped.insert("i-10.0.0.10".to_owned());
        state.says("b", "b", "redis", Healthy);
        state.says("b", "b", "mysql", Healthy);
    };
    let world = World::new().with(stopped);
    assert_eq!(outcomes(&one_pass(&world).await), [Outcome::Moved, Outcome::Moved]);
    let unread = World::new().with(stopped).with(|state| {
        state.failing.insert("DescribeInstances");
    });
    assert_eq!(outcomes(&one_pass(&unread).await), [Outcome::Held, Outcome::Held]);
}

#[tokio::test(start_paused = true)]
async fn metrics_that_hold_nothing_fresh_from_anybody_are_no_silence() {
    // CloudWatch is late with everyone; only a hint of `b` is fresh, and it cannot reach `a`.
    let heard = |world: &World| {
        let mut memory = Memory::default();
        memory.hear(hint(world, "b", &[("a", Unhealthy, 60_000), ("b", Healthy, 60_000)]));
        Mutex::new(memory)
    };
    let late = World::new();
    let records = pass(&config(), &late, &heard(&late)).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::AwaitingEvidence));
    let flowing = World::new().with(|state| state.says("b", "b", "redis", Healthy));
    let records = pass(&config(), &flowing, &heard(&flowing)).await;
    assert_eq!(outcomes(&records)[0], Outcome::Moved);
}

#[tokio::test(start_paused = true)]
async fn a_cloudwatch_that_hangs_holds_nothing_up_past_the_deadline() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.hanging.insert("GetMetricData");
    });
    let deadline = world.deadline();
    let records = one_pass(&world).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::AwaitingEvidence));
    assert!(world.now() <= deadline);
}

/// A call of a while ago takes effect.
fn bring(state: &mut State, to: &str) {
    let vip: VipAddr = REDIS.parse().expect("an address");
    for eni in state.inventory.enis.values_mut() {
        eni.addresses.retain(|address| *address != vip.0);
    }
    state.inventory.enis.get_mut(&id(to)).expect("there").addresses.push(vip.0);
}

async fn switched_over(world: &World, memory: &Mutex<Memory>, to: &str) -> OrderOutcome {
    let order = json!({"command": "switchover", "service": "redis", "to": to});
    let command: Command = serde_json::from_value(order).expect("it is a command");
    let invocation = Invocation {
        config: &config(),
        ports: world,
        memory,
        wake: WakeKind::Command,
        woken: world.now(),
        brings_news: false,
        deadline: world.deadline(),
    };
    run_order(&invocation, &command).await.expect("AWS answers")
}

//! Attempt after attempt: what EC2 throttles, refuses, or does not answer, and what comes of it.

use super::*;
use crate::fake::unanswered;
use crate::orders::OrderOutcome;
use std::time::Duration;
use vipward_core::VipAddr;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn assign_throttled() -> Fault {
    Fault::Fails(throttled("AssignPrivateIpAddresses"))
}

fn both_well() -> World {
    World::new().with(|state| {
        for node in ["a", "b"] {
            state.says(node, node, "redis", Healthy);
            state.says(node, node, "mysql", Healthy);
        }
    })
}

fn done(outcome: &OrderOutcome) -> Vec<Outcome> {
    let OrderOutcome::Done { records, .. } = outcome else { panic!("{outcome:?}") };
    outcomes(records)
}

#[tokio::test(start_paused = true)]
async fn a_switchover_outlasts_throttling() {
    for times in 1..5 {
        let world = both_well().with(|state| {
            state.assign_faults.extend(std::iter::repeat_with(assign_throttled).take(times));
        });
        assert_eq!(
            done(&switched_over(&world, &Mutex::default(), "b").await),
            [Outcome::Moved],
            "{times} times"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_switchover_waits_for_answers_that_lag() {
    for lag in [1, 2, 3] {
        let world = both_well();
        let before = world.state().inventory.clone();
        world.state().stale = Some((before, start() + SignedDuration::from_secs(lag)));
        assert_eq!(
            done(&switched_over(&world, &Mutex::default(), "b").await),
            [Outcome::Moved],
            "{lag} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_switchover_that_shows_on_both_nodes_for_a_while_is_waited_for() {
    for lost in [false, true] {
        let world = both_well().with(|state| {
            state.settling = ms(3_000);
            state.assign_faults.extend(lost.then_some(Fault::LosesReply));
        });
        assert_eq!(
            done(&switched_over(&world, &Mutex::default(), "b").await),
            [Outcome::Moved],
            "reply lost: {lost}"
        );
        let redis = "redis".parse().expect("a name");
        let ledger = world.state().inventory.ledger(&config(), &redis);
        assert!(ledger.last_move().is_some(), "the ledger has it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_then_a_refusal_is_recognised_where_there_are_two_nodes_only() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(3)));
        let full = denied("AssignPrivateIpAddresses");
        state.assign_faults.extend([Fault::LosesReply, Fault::Fails(full)]);
    });
    let records = one_pass(&world).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
    assert_eq!(moves_counted(&world), 1, "the ledger has it");
    assert_eq!(outcomes(&records)[0], Outcome::Moved, "{:?}", hold_reason(&records[0]));
    assert!(alerts(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_a_call_without_an_answer_landed_is_looked_at() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::Fails(unanswered("AssignPrivateIpAddresses")));
        state.later = vec![
            (ms(50), |state| {
                state.says("a", "a", "redis", Healthy);
                state.says("b", "b", "redis", Unhealthy);
                state.alarms.insert("vipward/test/redis/b/self".parse().expect("a name"));
            }),
            (ms(3_000), |state| bring(state, "eni-0000000b")),
        ];
    });
    let records = one_pass(&world).await;
    world.pause(Duration::from_secs(10)).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"], "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_move_that_ec2_accepted_after_a_refusal_is_recorded() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.push_back(Fault::Fails(denied("AssignPrivateIpAddresses")));
        state.assign_faults.extend(std::iter::repeat_n(Fault::DoesNothing, 99));
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    let redis = outcomes(&records)[..records.len() - 1].to_vec();
    assert_eq!(redis, [Outcome::Failed, Outcome::Unproven]);
}

#[tokio::test(start_paused = true)]
async fn a_move_is_dated_by_the_first_call_that_ec2_accepted_and_counts_them_all() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.extend([assign_throttled(), Fault::DoesNothing]);
    });
    let records = one_pass(&world).await;
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
    assert!(times.assigned < start() + SignedDuration::from_secs(1), "{times:?}");
    assert!(times.proven > start() + SignedDuration::from_secs(6), "{times:?}");
    assert_eq!((records[0].calls, moves_counted(&world)), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_assigned_before_it_was_decided() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::DoesNothing);
    });
    let records = one_pass(&world).await;
    let line = records[0].line(&config());
    assert!(line["AssignTime"].as_i64() >= Some(0), "{}", line["AssignTime"]);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_call_without_effect_keeps_nobody_waiting_once_the_holder_is_well() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::DoesNothing);
        state.later = vec![(ms(500), |state| state.says("a", "a", "redis", Healthy))];
    });
    let records = one_pass(&world).await;
    let passed = world.now().duration_since(start());
    assert!(passed <= SignedDuration::from_secs(13), "{passed:?}");
    assert_eq!(outcomes(&records)[0], Outcome::Unproven);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_call_is_looked_after_though_the_holder_that_ec2_still_shows_is_well() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(3)));
        state.later = vec![(ms(500), |state| state.says("a", "a", "redis", Healthy))];
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
}

#[tokio::test(start_paused = true)]
async fn no_vip_waits_for_the_proof_of_another() {
    let mysql: VipAddr = "10.0.0.202".parse().expect("an address");
    let world = World::new().with(|state| {
        for eni in state.inventory.enis.values_mut() {
            eni.addresses.retain(|address| *address != mysql.0);
        }
        let b = state.inventory.enis.get_mut(&id("eni-0000000b")).expect("there");
        b.addresses.push(mysql.0);
        state.ill_on_a("redis");
        state.says("b", "b", "mysql", Unhealthy);
        state.says("a", "a", "mysql", Healthy);
        state.alarms.insert("vipward/test/mysql/b/self".parse().expect("an alarm's name"));
        state.assign_faults.extend([Fault::DoesNothing, assign_throttled()]);
    });
    let records = one_pass(&world).await;
    let Some(MoveOutcome::Moved(times)) = records[1].outcome else { panic!("{records:?}") };
    let passed = times.assigned.duration_since(start());
    assert!(passed <= SignedDuration::from_millis(500), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_own_call_brought_there_late_is_not_somebody_elses_doing() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.assign_faults.push_back(Fault::Fails(unanswered("AssignPrivateIpAddresses")));
        state.assign_faults.extend(std::iter::repeat_with(assign_throttled).take(5));
        state.later = vec![
            (ms(50), |state| state.says("b", "b", "redis", Unhealthy)),
            (ms(1_000), |state| bring(state, "eni-0000000b")),
        ];
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000c"]);
    let ledger = world.state().inventory.ledger(&config, &"redis".parse().expect("a name"));
    let counted = ledger.moves_within(Duration::from_hours(1), world.now());
    assert_eq!(counted, 2, "a to b, b to c: {:?}", outcomes(&records));
}

#[tokio::test(start_paused = true)]
async fn no_vip_waits_for_the_second_look_at_another() {
    let text = format!(
        "{}\n[[service]]\nname = \"cache\"\nvip = \"10.0.0.203\"\ncheck = {{ kind = \"tcp\", port = 1 }}\n",
        crate::fake::CLUSTER
    );
    let mut config = Config::parse("test", &text).expect("it is right");
    for service in &mut config.services[..2] {
        service.group = Some("db".parse().expect("a name"));
    }
    let world = World::new().with(|state| {
        let (redis, cache): (VipAddr, VipAddr) =
            (REDIS.parse().expect("one"), "10.0.0.203".parse().expect("one"));
        let a = state.inventory.enis.get_mut(&id("eni-0000000a")).expect("there");
        a.addresses.retain(|address| *address != redis.0);
        a.addresses.push(cache.0);
        for service in ["redis", "mysql", "cache"] {
            state.ill_on_a(service);
        }
        state.slow = ms(900);
    });
    let records = woken(WakeKind::Alarm, &config, &world, &Mutex::default()).await;
    let Some(MoveOutcome::Moved(times)) = records[2].outcome else { panic!("{records:?}") };
    assert_eq!(times.assigned, start() + SignedDuration::from_millis(900));
}

#[tokio::test(start_paused = true)]
async fn a_throttling_ec2_is_asked_after_pauses_also_while_the_metrics_hang() {
    let world = World::new().with(|state| {
        state.alarms.insert("vipward/test/mysql/a/self".parse().expect("an alarm's name"));
        state.hanging.insert("GetMetricData");
        state.assign_faults.extend(std::iter::repeat_with(assign_throttled).take(99));
    });
    let mut memory = Memory::default();
    memory.hear(hint(&world, "b", &[("b", Healthy, 600_000), ("a", Unhealthy, 100)]));
    memory.hear(hint(&world, "a", &[("a", Unhealthy, 100), ("b", Healthy, 600_000)]));
    woken(WakeKind::Hint, &config(), &world, &Mutex::new(memory)).await;
    let calls = world.state().assigns.len();
    assert!(calls <= 4, "{calls} calls in a second");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_together_is_recorded_as_tried() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.ill_on_a("mysql");
        state.assign_faults.push_back(Fault::Fails(denied("AssignPrivateIpAddresses")));
        state.inventory_answers = 1;
    });
    let records = one_pass(&world).await;
    assert_eq!(world.state().assigns.len(), 1);
    assert_eq!(records[0].calls, 1, "{}", records[0].detail(&config())["error"]);
}

#[tokio::test(start_paused = true)]
async fn no_call_rests_on_evidence_that_grew_old_while_the_ledger_was_written() {
    let mysql: VipAddr = "10.0.0.202".parse().expect("an address");
    let world = World::new().with(|state| {
        for eni in state.inventory.enis.values_mut() {
            eni.addresses.retain(|address| *address != mysql.0);
        }
        let b = state.inventory.enis.get_mut(&id("eni-0000000b")).expect("there");
        b.addresses.push(mysql.0);
        state.ill_on_a("redis");
        state.says("b", "b", "mysql", Unhealthy);
        state.says("a", "a", "mysql", Healthy);
        state.alarms.insert("vipward/test/mysql/b/self".parse().expect("an alarm's name"));
        state.assign_faults.extend([Fault::LosesReply, assign_throttled()]);
        state.failing.insert("CreateTags");
        state.later = vec![(ms(1_000), |state| {
            state.says("b", "b", "mysql", Healthy);
            state.says("a", "a", "mysql", Unhealthy);
        })];
    });
    let records = one_pass(&world).await;
    let Some(MoveOutcome::Moved(times)) = records[1].outcome else { panic!("{records:?}") };
    assert_eq!(times.assigned, start() + SignedDuration::from_millis(100), "it waits for no tag");
}

#[tokio::test(start_paused = true)]
async fn who_has_what_ec2_says_is_taken_is_looked_at_until_it_shows() {
    let world = World::new().with(|state| {
        let redis: VipAddr = REDIS.parse().expect("an address");
        let a = state.inventory.enis.get_mut(&id("eni-0000000a")).expect("there");
        a.addresses.retain(|address| *address != redis.0);
        // Nobody has it, EC2 shows for a while; it is on b, where it is ill.
        state.stale = Some((state.inventory.clone(), start() + SignedDuration::from_secs(2)));
        let b = state.inventory.enis.get_mut(&id("eni-0000000b")).expect("there");
        b.addresses.push(redis.0);
        state.says("a", "a", "redis", Healthy);
        state.says("b", "b", "redis", Unhealthy);
        state.alarms.insert("vipward/test/redis/b/self".parse().expect("an alarm's name"));
    });
    let records = one_pass(&world).await;
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"], "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_its_time_is_waited_for_and_so_are_its_proof_and_its_record() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        (state.slow, state.slow_changes) = (ms(900), ms(1_500));
    });
    let records = one_pass(&world).await;
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
    assert!(times.recorded, "{times:?}");
    assert_eq!((records[0].calls, world.state().reads), (1, 2), "one read, and one for the proof");
}

//! What changes between the decision and the step, and what is asked for first.

use super::*;
use crate::gather::{Haste, Scope, gather};
use vipward_core::VipAddr;
use vipward_core::plan::Reassign;

#[tokio::test(start_paused = true)]
async fn a_candidate_that_is_detached_between_two_attempts_gets_nothing() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.assign_faults.push_back(Fault::Fails(throttled("AssignPrivateIpAddresses")));
        state.detached = Some(id("eni-0000000b"));
    });
    let records = one_pass(&world).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::NoCandidate));
    assert_eq!((records[0].calls, world.state().assigns.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_turns_ill_by_the_step_is_left_by_the_next_pass() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let memory = Mutex::default();
    assert_eq!(outcomes(&pass(&config(), &world, &memory).await)[0], Outcome::Moved);
    world.state().says("b", "b", "redis", Unhealthy);
    world.state().alarms.insert("vipward/test/redis/b/self".parse().expect("an alarm's name"));
    let nobody_is_well = pass(&config(), &world, &memory).await;
    assert_eq!(hold_reason(&nobody_is_well[0]), Some(HoldReason::NoCandidate));
    world.state().says("a", "a", "redis", Healthy);
    assert_eq!(outcomes(&pass(&config(), &world, &memory).await)[0], Outcome::Moved);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
}

#[tokio::test(start_paused = true)]
async fn a_move_that_shows_on_both_nodes_for_a_while_is_waited_for() {
    for lost in [false, true] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            state.settling = std::time::Duration::from_secs(3);
            state.assign_faults.extend(lost.then_some(Fault::LosesReply));
        });
        let records = one_pass(&world).await;
        assert_eq!(outcomes(&records)[0], Outcome::Moved, "reply lost: {lost}");
        let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("it moved") };
        assert!(times.proven >= start() + SignedDuration::from_secs(3));
        assert_eq!(world.state().holder(REDIS), ["eni-0000000b"]);
        assert_eq!(moves_counted(&world), 1);
    }
}

/// `b` is well, and EC2's answers lack the VIP of redis for so long.
fn unheld(stale: std::time::Duration) -> World {
    World::new().with(|state| {
        state.says("b", "b", "redis", Healthy);
        let vip: VipAddr = REDIS.parse().expect("an address");
        let mut lacking = state.inventory.clone();
        lacking.enis.values_mut().for_each(|eni| eni.addresses.retain(|has| *has != vip.0));
        state.stale = Some((lacking, start() + stale));
    })
}

#[tokio::test(start_paused = true)]
async fn a_placement_robs_nobody() {
    for stale in [1, 3, 8, 60].map(std::time::Duration::from_secs) {
        let world = unheld(stale);
        assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Overtaken, "{stale:?}");
        assert_eq!(world.state().holder(REDIS), ["eni-0000000a"]);
        assert!(world.state().reassigns.iter().all(|allowed| *allowed == Reassign::Forbidden));
        assert!(alerts(&world).is_empty());
    }
    let unplaced = unheld(std::time::Duration::ZERO).with(|state| {
        let (lacking, _) = state.stale.take().expect("it was just made");
        state.inventory = lacking;
    });
    assert_eq!(outcomes(&one_pass(&unplaced).await)[0], Outcome::Moved);
}

#[tokio::test(start_paused = true)]
async fn a_first_placement_waits_a_moment_for_the_preferred_node() {
    let booted = |preferred_after: Option<u64>| {
        World::new().with(|state| {
            let vip: VipAddr = REDIS.parse().expect("an address");
            for eni in state.inventory.enis.values_mut() {
                eni.addresses.retain(|has| *has != vip.0);
            }
            state.says("b", "b", "redis", Healthy);
            let newest = state.observations.last_mut().expect("it was just said");
            newest.1.value.since = newest.1.at;
            let speaks: fn(&mut State) = |state| state.says("a", "a", "redis", Healthy);
            let later = preferred_after.map(std::time::Duration::from_secs);
            state.later = later.map(|after| (after, speaks)).into_iter().collect();
        })
    };
    for (preferred_after, holder) in
        [(Some(2), "eni-0000000a"), (Some(7), "eni-0000000b"), (None, "eni-0000000b")]
    {
        let world = booted(preferred_after);
        assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Moved);
        assert_eq!(world.state().holder(REDIS), [holder], "{preferred_after:?}");
        let (_, tags) = world
            .state()
            .inventory
            .enis
            .iter()
            .find_map(|(id, eni)| Some((id.clone(), eni.tags.get("vipward:test:redis")?.clone())))
            .expect("the move is written down");
        assert!(tags.ends_with("moves="), "it counts for nothing: {tags}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_a_group_is_placed_by_force_only_where_two_answers_lack_it() {
    let mut config = config();
    for service in &mut config.services {
        service.group = Some("db".parse().expect("a name"));
    }
    for (stale, holder) in [(5, "eni-0000000f"), (500, "eni-0000000b")] {
        let world = unheld(std::time::Duration::from_millis(stale)).with(|state| {
            // Somebody else's interface took it a moment ago.
            let mut foreign = state.inventory.enis[&id("eni-0000000b")].clone();
            foreign.addresses = vec![REDIS.parse().expect("an address")];
            let (lacking, _) = state.stale.as_ref().expect("it was just made");
            state.inventory = lacking.clone();
            state.inventory.enis.insert(id("eni-0000000f"), foreign);
            state.slow = std::time::Duration::from_millis(4);
            state.ill_on_a("mysql");
        });
        pass(&config, &world, &Mutex::default()).await;
        assert_eq!(world.state().holder(REDIS), [holder], "{stale} ms");
        assert_eq!(world.state().holder("10.0.0.202"), ["eni-0000000b"]);
        assert_eq!(world.state().assigns.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_well_again_by_the_next_attempt_keeps_its_vip() {
    for (back, moved) in [(50, false), (250, false), (30_000, true)] {
        let world = World::new().with(|state| {
            state.ill_on_a("redis");
            let throttled = || Fault::Fails(throttled("AssignPrivateIpAddresses"));
            state.assign_faults.extend(std::iter::repeat_with(throttled).take(4));
            let back = std::time::Duration::from_millis(back);
            state.later = vec![(back, |state| {
                state.says("a", "a", "redis", Healthy);
                state.says("b", "b", "redis", Unhealthy);
            })];
        });
        let records = one_pass(&world).await;
        assert_eq!(records[0].outcome() == Outcome::Moved, moved, "{back} ms");
        let holder = if moved { "eni-0000000b" } else { "eni-0000000a" };
        assert_eq!(world.state().holder(REDIS), [holder]);
        assert!(records[0].calls > 0, "the record tells that it was tried");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_anew_is_not_tried_again() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        let throttled = || Fault::Fails(throttled("AssignPrivateIpAddresses"));
        state.assign_faults.extend(std::iter::repeat_with(throttled).take(3));
        state.later = vec![(std::time::Duration::from_millis(50), |state| {
            state.failing.insert("GetMetricData");
        })];
    });
    let records = one_pass(&world).await;
    assert_eq!(hold_reason(&records[0]), Some(HoldReason::AwaitingEvidence));
    assert_eq!(world.state().assigns.len(), 1);
    assert!(world.now() < start() + SignedDuration::from_secs(1), "the next hint is heard soon");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_slow_is_used_once_and_at_once() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.slow = std::time::Duration::from_millis(1_900);
    });
    let records = woken(WakeKind::Alarm, &config(), &world, &Mutex::default()).await;
    let Some(MoveOutcome::Moved(times)) = records[0].outcome else { panic!("{records:?}") };
    assert_eq!(times.assigned, start() + SignedDuration::from_millis(1_900));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_is_in_flight_and_nobody_else_gets_the_vip_meanwhile() {
    let (config, world) = refused::trio(5);
    let world = world.with(|state| {
        state.ill_on_a("redis");
        state.says("c", "c", "redis", Healthy);
        state.hanging.insert("AssignPrivateIpAddresses");
        // When the caller has given up b turns ill for c's liking only: c is preferred from then
        // on.
        state.later = vec![(std::time::Duration::from_secs(2), |state| {
            state.hanging.clear();
            state.says("c", "b", "redis", Unhealthy);
        })];
    });
    let records = pass(&config, &world, &Mutex::default()).await;
    assert_eq!(outcomes(&records)[0], Outcome::Moved);
    assert_eq!(world.state().holder(REDIS), ["eni-0000000c"]);
    let passed = world.now().duration_since(start());
    assert!(passed >= SignedDuration::from_secs(10), "it may land for that long: {passed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_metrics_are_read_back_so_far_that_a_silent_node_is_known_to_have_spoken() {
    let spoken = |seconds_ago| async move {
        let world = World::new().with(|state| {
            state.says("a", "a", "redis", Unhealthy);
            state.observations[0].1.at = start() - SignedDuration::from_secs(seconds_ago);
        });
        let (config, memory, wake) = (&config(), &Mutex::default(), WakeKind::Alarm);
        let (woken, deadline) = (world.now(), world.deadline());
        let invocation =
            Invocation { config, ports: &world, memory, wake, woken, brings_news: false, deadline };
        let looked = gather(&invocation, invocation.hints(), &Scope::All, Haste::Thorough).await;
        looked.expect("EC2 can be read").evidence.observations.iter().count()
    };
    assert_eq!((spoken(60).await, spoken(61).await), (1, 0), "four times `stale_after`");
}

#[tokio::test(start_paused = true)]
async fn of_two_interfaces_the_less_important_is_asked_for_half_as_often() {
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
        let throttled = || Fault::Fails(throttled("AssignPrivateIpAddresses"));
        state.assign_faults.extend(std::iter::repeat_with(throttled).take(8));
    });
    assert_eq!(outcomes(&one_pass(&world).await), [Outcome::Moved, Outcome::Moved]);
    let state = world.state();
    let asked: String =
        state.assigns.iter().filter_map(|(eni, _)| eni.as_str().chars().last()).collect();
    assert_eq!(asked, "babbabbaba", "the last of each is accepted");
}

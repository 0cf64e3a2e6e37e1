//! What changes between the decision and the step, and what is asked for first.

use super::*;
use vipward_core::VipAddr;

#[tokio::test]
async fn a_candidate_that_is_detached_between_decision_and_step_gets_nothing() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.detached = Some(id("eni-0000000b"));
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Overtaken);
    assert!(world.state().assigns.is_empty());
    let next = one_pass(&world).await;
    assert_eq!(hold_reason(&next[0]), Some(HoldReason::NoCandidate), "the next pass tells");
}

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
async fn a_vip_that_only_the_first_of_two_answers_lacks_is_not_placed() {
    let vip = REDIS.parse().expect("an address");
    let world = World::new().with(|state| {
        state.says("b", "b", "redis", Healthy);
        for eni in state.inventory.enis.values_mut() {
            eni.addresses.retain(|address| VipAddr(*address) != vip);
        }
        state.rival = Some((vip, id("eni-0000000a")));
    });
    assert_eq!(outcomes(&one_pass(&world).await)[0], Outcome::Overtaken);
    assert!(world.state().assigns.is_empty());
    let unplaced = World::new().with(|state| {
        state.says("b", "b", "redis", Healthy);
        for eni in state.inventory.enis.values_mut() {
            eni.addresses.retain(|address| VipAddr(*address) != vip);
        }
    });
    assert_eq!(outcomes(&one_pass(&unplaced).await)[0], Outcome::Moved, "both answers lack it");
}

#[tokio::test]
async fn a_function_that_stalls_before_the_step_moves_nothing() {
    let stalled = |seconds| {
        World::new().with(|state| {
            state.ill_on_a("redis");
            state.stall = std::time::Duration::from_secs(seconds);
        })
    };
    let late = stalled(15);
    assert_eq!(outcomes(&one_pass(&late).await)[0], Outcome::Failed);
    assert!(late.state().assigns.is_empty(), "what it knew is too old");
    assert_eq!(alerts(&late), ["failed"]);
    assert_eq!(outcomes(&one_pass(&stalled(14)).await)[0], Outcome::Moved);
}

#[tokio::test]
async fn the_metrics_are_read_back_so_far_that_a_silent_node_is_known_to_have_spoken() {
    let spoken = |seconds_ago| async move {
        let world = World::new().with(|state| {
            state.says("a", "a", "redis", Unhealthy);
            state.words[0].1.at = start() - SignedDuration::from_secs(seconds_ago);
        });
        let deadline = world.deadline();
        let none = vipward_core::evidence::Testimony::default();
        let evidence = gather(&config(), &world, none, Look::Everywhere, deadline).await;
        evidence.expect("EC2 can be read").testimony.iter().count()
    };
    assert_eq!((spoken(60).await, spoken(61).await), (1, 0), "four times `stale_after`");
}

#[tokio::test]
async fn of_two_interfaces_the_less_important_is_asked_for_half_as_often() {
    let throttled_twice_each = || {
        let throttled = || Fault::Fails(throttled("AssignPrivateIpAddresses"));
        [throttled(), Fault::LosesReply, throttled(), Fault::LosesReply]
    };
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
        state.assign_faults.extend(throttled_twice_each());
    });
    assert_eq!(outcomes(&one_pass(&world).await), [Outcome::Moved, Outcome::Moved]);
    let state = world.state();
    let asked: Vec<_> = state.assigns.iter().map(|(eni, _)| eni.as_str()).collect();
    assert_eq!(asked, ["eni-0000000b", "eni-0000000b", "eni-0000000a", "eni-0000000a"]);
    let (first, second) = (100 + 200, 2 * (100 + 200));
    assert_eq!(state.elapsed, std::time::Duration::from_millis(first + second));
}

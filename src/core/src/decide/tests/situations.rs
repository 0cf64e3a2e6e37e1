//! Situations that no other test here stands for, each told whole. docs/guarantees.md lists them
//! all.

use super::*;

/// What is decided for each service, in the order of the file.
fn choices(scene: &Scene) -> Vec<Choice> {
    let decisions = decide(scene.snapshot());
    decisions.into_iter().map(|decision| decision.choice).collect()
}

/// All of them say of themselves that they are well.
fn well(scene: Scene, nodes: &[&str]) -> Scene {
    nodes.iter().fold(scene, |scene, node| scene.says(node, node, Healthy, 1, LONG))
}

#[test]
fn while_a_call_may_still_land_only_its_target_is_asked_again() {
    let trio = || {
        let scene = Scene::new(3, 0, "").held_by("a").says("a", "a", Unhealthy, 1, 5);
        scene.says("b", "b", Healthy, 1, LONG).says("c", "c", Healthy, 1, LONG)
    };
    assert_eq!(choice(&trio()), moves("b", MoveKind::Failover));
    assert_eq!(choice(&trio().in_flight("b")), moves("b", MoveKind::Failover));
    assert_eq!(choice(&trio().in_flight("c")), hold(HoldReason::MoveInFlight), "b is better now");
    let ill = trio().in_flight("c").says("c", "c", Unhealthy, 0, 1);
    assert_eq!(choice(&ill), moves("b", MoveKind::Failover), "what lands there serves nobody");
    let well = trio().in_flight("c").says("a", "a", Healthy, 0, LONG);
    assert_eq!(choice(&well), hold(HoldReason::HolderUp), "nothing is to be moved");
}

#[test]
fn no_move_rests_on_what_is_only_remembered() {
    assert_eq!(choice(&ill_holder().unheard()), hold(HoldReason::AwaitingEvidence));
    let quiet = Scene::new(2, 0, "").held_by("a").unheard();
    assert_eq!(choice(&quiet), hold(HoldReason::HolderUp), "nothing is to be moved");
}

#[test]
fn a_group_waits_for_a_call_that_may_bring_one_of_it_elsewhere() {
    let scene = Scene::group(2, 3, "");
    let scene = [0, 1].into_iter().fold(scene, |scene, index| {
        let scene = scene.about(index).held_by("a").says("a", "a", Unhealthy, 1, 5);
        scene.says("b", "b", Healthy, 1, LONG).says("c", "c", Healthy, 1, LONG)
    });
    let all = |scene: &Scene| {
        let decisions = decide(scene.snapshot());
        decisions.into_iter().map(|decision| decision.choice).collect::<Vec<_>>()
    };
    let scene = scene.about(1).in_flight("c");
    assert_eq!(all(&scene), [hold(HoldReason::MoveInFlight), hold(HoldReason::MoveInFlight)]);
}

#[test]
fn two_halves_that_lost_each_other_keep_what_they_hold() {
    let parted = |scene: Scene| {
        well(scene.held_by("a"), &["a", "b"])
            .says("a", "b", Unhealthy, 1, LONG)
            .says("b", "a", Unhealthy, 1, LONG)
    };
    let suspect = hold(HoldReason::HolderSuspect);
    assert_eq!(choice(&parted(Scene::new(2, 0, ""))), suspect, "however long it lasts");
    let seen_by_both = || parted(Scene::new(2, 1, "")).says("w0", "a", Healthy, 1, LONG);
    assert_eq!(choice(&seen_by_both().says("w0", "b", Healthy, 1, LONG)), suspect);
    let with_b = parted(Scene::new(2, 1, "")).says("w0", "a", Unhealthy, 1, 2);
    assert_eq!(choice(&with_b), moves("b", MoveKind::Failover), "the witness is on the other side");
}

#[test]
fn a_hung_node_is_left_soon_by_two_words_and_after_a_while_by_one() {
    // Its kernel answers and nothing else does: its agent falls silent, and probes time out.
    let hung = |witnesses| {
        well(Scene::new(2, witnesses, "").held_by("a"), &["b"]).says("a", "a", Healthy, 15, LONG)
    };
    let two = |held| {
        choice(&hung(1).says("b", "a", Unhealthy, 1, held).says("w0", "a", Unhealthy, 1, held))
    };
    assert_eq!(two(1), hold(HoldReason::AwaitingEvidence));
    assert_eq!(two(2), moves("b", MoveKind::Failover));
    let one = |held| choice(&hung(0).says("b", "a", Unhealthy, 1, held));
    assert_eq!(one(13), hold(HoldReason::AwaitingEvidence));
    assert_eq!(one(14), moves("b", MoveKind::Failover));
}

#[test]
fn services_of_one_node_have_their_own_fates() {
    let mut scene = Scene::group(3, 2, "");
    for service in &mut scene.config.services {
        service.group = None;
    }
    let on_a = |scene: Scene, index, verdict| {
        let scene = scene.about(index).held_by("a").says("a", "a", verdict, 1, LONG);
        well(scene, &["b"])
    };
    let scene = on_a(on_a(on_a(scene, 0, Healthy), 1, Unhealthy), 2, Unknown);
    let [stays, goes, waits] = choices(&scene).try_into().expect("three services");
    assert_eq!(stays, hold(HoldReason::HolderUp));
    assert_eq!(goes, moves("b", MoveKind::Failover));
    assert_eq!(waits, hold(HoldReason::AwaitingEvidence));
    let spent = scene.about(1).moved("a", &[90, 60, 30]);
    assert_eq!(choices(&spent)[1], hold(HoldReason::BudgetSpent));
    let other = spent.about(0).says("a", "a", Unhealthy, 0, 1);
    assert_eq!(choices(&other)[0], moves("b", MoveKind::Failover), "each VIP has its own budget");
}

#[test]
fn of_four_nodes_the_best_that_can_takes_over() {
    let four = || well(Scene::new(4, 0, "").held_by("a"), &["b", "c", "d"]);
    let ill = || four().says("a", "a", Unhealthy, 1, 0);
    assert_eq!(choice(&ill()), moves("b", MoveKind::Failover));
    let b_drained = || ill().drained("b", 60);
    assert_eq!(choice(&b_drained()), moves("c", MoveKind::Failover));
    let c_ill = || b_drained().says("c", "c", Unhealthy, 0, 0);
    assert_eq!(choice(&c_ill()), moves("d", MoveKind::Failover));
    assert_eq!(choice(&c_ill().stopped("d")), hold(HoldReason::NoCandidate));
}

#[test]
fn a_cloudwatch_that_cannot_be_read_makes_no_agent_silent() {
    let reached = || Scene::new(2, 1, "").held_by("a").alarm("a").says("b", "a", Healthy, 1, LONG);
    assert_eq!(choice(&reached()), hold(HoldReason::AgentSilent));
    assert_eq!(choice(&reached().unread()), hold(HoldReason::AwaitingEvidence));
    let cannot_judge = reached().unread().says("a", "a", Unknown, 1, 0);
    assert_eq!(choice(&cannot_judge), hold(HoldReason::AgentSilent), "it says so itself");
}

#[test]
fn a_holder_that_fails_within_the_cooldown_is_left_at_once() {
    let moved_just_now = ill_holder().moved("a", &[1]);
    assert_eq!(choice(&moved_just_now), moves("b", MoveKind::Failover));
}

#[test]
fn where_a_probe_cannot_judge_nothing_moves_away_and_nothing_there() {
    let wrong_password = || well(Scene::new(2, 0, "").held_by("a"), &["b"]);
    let wrong_password = || wrong_password().says("a", "a", Unknown, 1, LONG);
    assert_eq!(choice(&wrong_password()), hold(HoldReason::AwaitingEvidence));
    let reached = wrong_password().says("b", "a", Healthy, 1, LONG);
    assert_eq!(choice(&reached), hold(HoldReason::AgentSilent));
    let unreached = wrong_password().says("b", "a", Unhealthy, 1, LONG);
    assert_eq!(choice(&unreached), hold(HoldReason::AwaitingEvidence), "by one node's word");
    let on_the_candidate = ill_holder().says("b", "b", Unknown, 1, LONG);
    assert_eq!(choice(&on_the_candidate), hold(HoldReason::NoCandidate));
}

#[test]
fn a_holder_that_is_drained_and_ill_is_left_as_an_ill_one() {
    let drained = || ill_holder().drained("a", 60);
    assert_eq!(choice(&drained()), moves("b", MoveKind::Failover));
    let spent = drained().moved("a", &[90, 60, 30]);
    assert_eq!(choice(&spent), hold(HoldReason::BudgetSpent), "it is no planned move");
}

proptest! {
    /// What is not safe does not move; what is safe and called for does.
    #[test]
    fn a_holder_that_is_down_is_left_while_any_node_is_up_and_one_that_is_up_is_not(
        words in proptest::collection::vec((0_usize..4, 0_usize..3, any_verdict(), 0_i64..20, 0_i64..60), 0..14),
        absent in proptest::option::weighted(0.1, 1_usize..3),
        leaving in proptest::option::weighted(0.3, 1_usize..3),
    ) {
        let members = ["a", "b", "c", "w0"];
        let scene = Scene::new(3, 1, "").held_by("a").alarm("a");
        let scene = words.iter().fold(scene, |scene, (by, of, verdict, age, held)| {
            scene.says(members[*by], members[*of], *verdict, *age, *held)
        });
        let scene = absent.into_iter().fold(scene, |scene, of| scene.absent(members[of]));
        let scene = leaving.into_iter().fold(scene, |scene, of| scene.leaves(members[of], 0));
        let decision = decide(scene.snapshot()).remove(0);
        let judged = |name: &str| decision.judgements[&node(name)];
        let another_is_up = ["b", "c"].iter().any(|name| judged(name).is_up());
        let goes = matches!(decision.choice, Choice::Move { kind: MoveKind::Failover, .. });
        prop_assert_eq!(goes, judged("a").is_down() && another_is_up, "{:?}", decision);
        prop_assert!(goes || matches!(decision.choice, Choice::Hold { .. }), "{:?}", decision);
    }
}

#[test]
fn where_all_was_read_the_reason_is_that_of_the_judgements() {
    let reasons = |scene: &Scene| {
        let (seen, all) = (decide(scene.snapshot()), decide_on_all(scene.snapshot()));
        let choice = |decisions: Vec<Decision>| decisions[0].choice.clone();
        (choice(seen), choice(all))
    };
    let held = || Scene::new(2, 0, "").held_by("a");
    let quiet = hold(HoldReason::HolderUp);
    let well = held().says("a", "a", Healthy, 1, LONG);
    assert_eq!(reasons(&well), (quiet.clone(), quiet.clone()));
    let reached = held().says("b", "a", Healthy, 1, LONG);
    assert_eq!(reasons(&reached), (quiet.clone(), hold(HoldReason::AgentSilent)));
    assert_eq!(reasons(&held()), (quiet, hold(HoldReason::AwaitingEvidence)), "all are silent");
}

//! Decisions, case by case; then what holds for every evidence.

use super::*;
use crate::config::Hook;
use crate::hint::Verdict::{self, Healthy, Unhealthy, Unknown};
use crate::scene::{Scene, node};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

mod candidates;
mod contested;
mod group;
mod planned;
mod situations;
mod standby;
mod unready;

const LONG: i64 = 600;

fn choice(scene: &Scene) -> Choice {
    decide(scene.snapshot()).remove(0).choice
}

fn moves(to: &str, kind: MoveKind) -> Choice {
    Choice::Move { to: node(to), kind }
}

/// `a` holds the VIP and is ill, `b` is well.
fn ill_holder() -> Scene {
    Scene::new(2, 0, "")
        .held_by("a")
        .says("a", "a", Unhealthy, 1, 0)
        .says("b", "b", Healthy, 5, LONG)
}

#[test]
fn an_ill_holder_is_left_for_the_well_node() {
    assert_eq!(choice(&ill_holder()), moves("b", MoveKind::Failover));
}

#[test]
fn a_quiet_holder_needs_no_judgement() {
    let scene = Scene::new(2, 0, "").held_by("a").unread();
    let decision = decide(scene.snapshot()).remove(0);
    assert_eq!(decision.choice, hold(HoldReason::HolderUp));
    assert!(decision.judgements.is_empty());
}

#[test]
fn everyone_silent_moves_nothing() {
    let scene = Scene::new(2, 1, "").held_by("a").alarm("a").alarm("b");
    assert_eq!(choice(&scene), hold(HoldReason::AwaitingEvidence));
}

#[test]
fn alarms_and_metrics_that_cannot_be_read_move_nothing() {
    let mut scene = Scene::new(2, 0, "").held_by("a").unread();
    scene.evidence.quiet_alarms = None;
    assert_eq!(choice(&scene), hold(HoldReason::AwaitingEvidence));
}

#[test]
fn hints_alone_are_enough_when_cloudwatch_cannot_be_read() {
    let mut scene = ill_holder().unread();
    scene.evidence.quiet_alarms = None;
    assert_eq!(choice(&scene), moves("b", MoveKind::Failover));
}

#[test]
fn with_both_ill_the_vip_stays_and_the_reason_is_named() {
    let scene = ill_holder().says("b", "b", Unhealthy, 1, 0);
    assert_eq!(choice(&scene), hold(HoldReason::NoCandidate));
}

#[test]
fn a_node_of_which_nothing_is_known_is_no_candidate() {
    let scene = Scene::new(2, 0, "").held_by("a").says("a", "a", Unhealthy, 1, 0);
    assert_eq!(choice(&scene), hold(HoldReason::NoCandidate));
}

#[test]
fn an_incomplete_answer_of_ec2_moves_nothing() {
    let scene = Scene::new(2, 0, "")
        .held_by("a")
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Healthy, 1, LONG)
        .says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene.absent("a")), hold(HoldReason::AwaitingEvidence));
    let gone = Scene::new(2, 0, "").held_by("a").says("b", "b", Healthy, 1, LONG).absent("a");
    assert_eq!(choice(&gone), moves("b", MoveKind::Placement), "deleted, and its node is silent");
}

#[test]
fn an_alarm_that_is_not_there_calls_for_a_look() {
    let mut scene = ill_holder();
    scene.evidence.quiet_alarms = Some(BTreeSet::new());
    assert_eq!(choice(&scene), moves("b", MoveKind::Failover));
}

#[test]
fn a_suspect_holder_is_not_left_on_one_nodes_word() {
    let scene = Scene::new(2, 0, "")
        .held_by("a")
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, LONG)
        .says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene), hold(HoldReason::HolderSuspect));
}

#[test]
fn a_holder_whose_agent_died_keeps_the_vip_while_it_is_reached() {
    let scene = Scene::new(2, 0, "")
        .held_by("a")
        .alarm("a")
        .says("b", "a", Healthy, 1, LONG)
        .says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene), hold(HoldReason::AgentSilent));
}

#[test]
fn a_foreign_holder_is_never_robbed() {
    let scene = Scene::new(2, 0, "").says("a", "a", Healthy, 1, LONG);
    let alone = scene.held_by_a_foreign_interface();
    assert_eq!(choice(&alone), hold(HoldReason::ForeignHolder));
    let beside_an_ill_node = ill_holder().held_by_a_foreign_interface();
    assert_eq!(choice(&beside_an_ill_node), hold(HoldReason::ForeignHolder));
}

#[test]
fn a_vip_that_ec2_shows_on_two_nodes_waits_until_it_is_told_which() {
    let shown_twice = || Scene::new(3, 0, "").held_by("a").held_by("c");
    let waits = hold(HoldReason::AwaitingEvidence);
    let a_is_ill = shown_twice().says("a", "a", Unhealthy, 1, 0).says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&a_is_ill.says("c", "c", Healthy, 1, LONG)), waits);
    assert_eq!(choice(&shown_twice().leaves("a", 1).says("b", "b", Healthy, 1, LONG)), waits);
}

#[test]
fn a_vip_that_nobody_holds_goes_to_the_best_node_that_is_up() {
    let scene =
        Scene::new(3, 0, "").says("b", "b", Healthy, 1, LONG).says("c", "c", Healthy, 1, LONG);
    assert_eq!(choice(&scene), moves("b", MoveKind::Placement));
    assert_eq!(choice(&Scene::new(2, 0, "")), hold(HoldReason::AwaitingEvidence));
}

#[test]
fn a_clean_candidate_is_better_than_a_suspect_one_whatever_its_priority() {
    let scene = Scene::new(3, 0, "")
        .says("a", "a", Healthy, 1, LONG)
        .says("c", "a", Unhealthy, 1, LONG)
        .says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene), moves("b", MoveKind::Placement));
    let only_suspect =
        Scene::new(2, 0, "").says("a", "a", Healthy, 1, LONG).says("b", "a", Unhealthy, 1, LONG);
    assert_eq!(choice(&only_suspect), moves("a", MoveKind::Placement));
}

#[test]
fn a_candidate_that_lags_too_far_is_refused_and_one_that_has_caught_up_preferred() {
    let replicas = || {
        Scene::new(3, 0, "")
            .with_max_lag(10)
            .held_by("a")
            .says("a", "a", Unhealthy, 1, 0)
            .says("b", "b", Healthy, 1, LONG)
            .says("c", "c", Healthy, 1, LONG)
    };
    assert_eq!(choice(&replicas()), hold(HoldReason::CandidatesLag), "nobody knows how far");
    assert_eq!(choice(&replicas().lags("b", 11, 1)), hold(HoldReason::CandidatesLag));
    assert_eq!(choice(&replicas().lags("b", 10, 1)), moves("b", MoveKind::Failover));
    assert_eq!(choice(&replicas().lags("b", 0, 15)), hold(HoldReason::CandidatesLag), "stale");
    let both = replicas().lags("b", 5, 1).lags("c", 0, 1);
    assert_eq!(choice(&both), moves("c", MoveKind::Failover), "whatever the priority");
    let by_a_second = replicas().lags("b", 1, 1).lags("c", 0, 1);
    assert_eq!(choice(&by_a_second), moves("c", MoveKind::Failover), "a second is behind");
    let alike = replicas().lags("b", 0, 1).lags("c", 0, 1);
    assert_eq!(choice(&alike), moves("b", MoveKind::Failover));
}

#[test]
fn beyond_the_budget_moves_wait() {
    assert_eq!(choice(&ill_holder().moved("a", &[300, 200])), moves("b", MoveKind::Failover));
    assert_eq!(choice(&ill_holder().moved("a", &[300, 200, 30])), hold(HoldReason::BudgetSpent));
    assert_eq!(choice(&ill_holder().moved("b", &[300, 200, 60])), moves("b", MoveKind::Failover));
}

#[test]
fn where_staying_serves_nobody_no_budget_is_waited_for() {
    let stopped = ill_holder().moved("a", &[300, 200, 30]).stopped("a");
    assert_eq!(choice(&stopped), moves("b", MoveKind::Failover));
    let unheld = Scene::new(2, 0, "").says("b", "b", Healthy, 1, LONG).moved("a", &[300, 200, 30]);
    assert_eq!(choice(&unheld), moves("b", MoveKind::Placement));
}

#[test]
fn a_placement_waits_a_moment_for_a_preferred_node_to_say_that_it_is_well() {
    let waits = hold(HoldReason::AwaitingPreferred);
    let b_is_well_for = |held| Scene::new(2, 0, "").says("b", "b", Healthy, 1, held);
    assert_eq!(choice(&b_is_well_for(3)), waits, "both may be booting");
    assert_eq!(choice(&b_is_well_for(4)), moves("b", MoveKind::Placement), "it had its time");
    let both = b_is_well_for(0).says("a", "a", Healthy, 0, 0);
    assert_eq!(choice(&both), moves("a", MoveKind::Placement));
    let of_the_preferred = [
        b_is_well_for(0).says("a", "a", Unhealthy, 1, 0),
        b_is_well_for(0).drained("a", 60),
        b_is_well_for(0).stopped("a"),
    ];
    for scene in of_the_preferred {
        assert_eq!(choice(&scene), moves("b", MoveKind::Placement), "nothing is to be expected");
    }
}

#[test]
fn failback_is_asked_for_in_the_file_and_takes_its_time() {
    let case = |policy, moved| {
        let scene = Scene::new(2, 0, policy)
            .held_by("b")
            .says("a", "a", Healthy, 1, LONG)
            .says("b", "b", Healthy, 1, LONG)
            .moved("b", &[moved]);
        choice(&scene)
    };
    assert_eq!(case("", 9_999), hold(HoldReason::HolderUp));
    assert_eq!(case("failback = \"after 10m\"", 599), hold(HoldReason::HolderUp));
    assert_eq!(case("failback = \"after 10m\"", 600), moves("a", MoveKind::Failback));
    let short_stay = "failback = \"after 1m\"\ncooldown = \"2m\"";
    assert_eq!(case(short_stay, 100), hold(HoldReason::Cooldown));
    assert_eq!(case(short_stay, 120), moves("a", MoveKind::Failback));
}

#[test]
fn failback_waits_until_the_preferred_node_has_been_well_for_a_while() {
    let well_for = |held| {
        let scene = Scene::new(2, 0, "failback = \"after 1m\"")
            .held_by("b")
            .says("a", "a", Healthy, 1, held)
            .says("b", "b", Healthy, 1, LONG);
        choice(&scene)
    };
    assert_eq!(well_for(43), hold(HoldReason::HolderUp));
    assert_eq!(well_for(44), moves("a", MoveKind::Failback));
}

#[test]
fn failback_does_not_go_to_a_suspect_node() {
    let scene = Scene::new(2, 0, "failback = \"after 1m\"")
        .held_by("b")
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, LONG)
        .says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene), hold(HoldReason::HolderUp));
}

#[test]
fn every_reason_is_in_the_closed_list() {
    for (index, reason) in HoldReason::ALL.into_iter().enumerate() {
        // Who adds a reason must add it here, and then to the list.
        let place = match reason {
            HoldReason::HolderUp => 0,
            HoldReason::HolderSuspect => 1,
            HoldReason::HolderUnready => 2,
            HoldReason::Contested => 3,
            HoldReason::AgentSilent => 4,
            HoldReason::AwaitingEvidence => 5,
            HoldReason::AwaitingPreferred => 6,
            HoldReason::NoCandidate => 7,
            HoldReason::CandidatesLag => 8,
            HoldReason::ForeignHolder => 9,
            HoldReason::Cooldown => 10,
            HoldReason::BudgetSpent => 11,
            HoldReason::CannotVacate => 12,
            HoldReason::NoPrimary => 13,
            HoldReason::TwoPrimaries => 14,
            HoldReason::MoveInFlight => 15,
            HoldReason::AuditRefused => 16,
        };
        assert_eq!(place, index);
    }
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![3 => Just(Healthy), 2 => Just(Unhealthy), 1 => Just(Unknown)]
}

proptest! {
    #[test]
    fn a_move_has_positive_evidence_twice(
        held in proptest::option::of(0_usize..3),
        absent in proptest::option::of(0_usize..3),
        words in proptest::collection::vec((0_usize..4, 0_usize..3, any_verdict(), 0_i64..30, 0_i64..60), 0..14),
        leaving in proptest::collection::vec((0_usize..3, 0_i64..30), 0..3),
        unready in proptest::collection::vec((0_usize..3, 0_i64..30, 0_i64..30), 0..3),
        roles in proptest::collection::vec((0_usize..3, any::<bool>(), 0_i64..30), 0..6),
        follows in any::<bool>(),
        failback in any::<bool>(),
        read in any::<bool>(),
    ) {
        let members = ["a", "b", "c", "w0"];
        let policy = if failback { "failback = \"after 1m\"" } else { "" };
        let mut scene = Scene::new(3, 1, policy).alarm("a").alarm("b").alarm("c");
        if let Some(index) = held {
            scene = scene.held_by(members[index]);
        }
        if let Some(index) = absent {
            scene = scene.absent(members[index]);
        }
        if !read {
            scene = scene.unread();
        }
        let scene = words.iter().fold(scene, |scene, (by, of, verdict, age, held)| {
            scene.says(members[*by], members[*of], *verdict, *age, *held)
        });
        let scene = leaving.iter().fold(scene, |scene, (of, age)| scene.leaves(members[*of], *age));
        let scene = unready.iter().fold(scene, |scene, (of, age, lasting)| {
            scene.unready(members[*of], *age, *lasting)
        });
        let scene = roles.iter().fold(scene, |scene, (of, is, age)| {
            scene.claims(members[*of], *is, *age)
        });
        let scene = if follows { scene.following("a") } else { scene };
        let says = |node: &NodeName| {
            let (service, snapshot) = (&scene.config.services[0], scene.snapshot());
            let unready = snapshot.unready_since(service, node);
            (snapshot.is_leaving(service, node), snapshot.is_primary(service, node), unready)
        };
        let decision = decide(scene.snapshot()).remove(0);
        let breach = crate::audit::breach(scene.snapshot(), &decision);
        prop_assert_eq!(breach, None, "the audit agrees");
        if let Choice::Move { to, kind } = &decision.choice {
            prop_assert!(decision.judgements[to].is_up());
            let (leaving, primary, unready) = says(to);
            let last_resort = matches!(kind, MoveKind::Failover | MoveKind::Placement | MoveKind::Follow);
            prop_assert!(!leaving || last_resort, "to one that leaves");
            prop_assert!(unready.is_none() || last_resort, "to one that could not serve");
            prop_assert!(!follows || primary == Some(true), "to one that is no primary");
            prop_assert_ne!(decision.holder.node(), Some(to));
            match (kind, decision.holder.node()) {
                (MoveKind::Failover, Some(holder)) => prop_assert!(decision.judgements[holder].is_down()),
                (MoveKind::Placement, None) => {}
                (MoveKind::Failback, Some(holder)) => prop_assert!(scene.config.prefers(to, holder)),
                (MoveKind::Relief, Some(holder)) => {
                    prop_assert!(decision.judgements[holder].is_up());
                    let since = says(holder).2.expect("it says so");
                    prop_assert!(age(since, scene.now) >= Duration::from_secs(10));
                }
                (MoveKind::Vacate, Some(holder)) => {
                    prop_assert!(decision.judgements[holder].is_up());
                    prop_assert!(says(holder).0);
                }
                (MoveKind::Follow, Some(holder)) => {
                    prop_assert!(decision.judgements[holder].is_up());
                    prop_assert!(follows && says(holder).1 == Some(false));
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn what_nothing_calls_for_moves_nothing_though_all_is_read(
        held in 0_usize..3,
        words in proptest::collection::vec((0_usize..4, 0_usize..3, any_verdict(), 0_i64..30, 0_i64..60), 0..14),
        leaving in proptest::collection::vec((0_usize..3, 0_i64..30), 0..3),
        failback in any::<bool>(),
        read in any::<bool>(),
    ) {
        let members = ["a", "b", "c", "w0"];
        let policy = if failback { "failback = \"after 1m\"" } else { "" };
        let scene = Scene::new(3, 1, policy).held_by(members[held]);
        let scene = if read { scene } else { scene.unread() };
        let scene = words.iter().fold(scene, |scene, (by, of, verdict, age, held)| {
            scene.says(members[*by], members[*of], *verdict, *age, *held)
        });
        let scene = leaving.iter().fold(scene, |scene, (of, age)| scene.leaves(members[*of], *age));
        let all = decide_on_all(scene.snapshot()).remove(0).choice;
        match decide(scene.snapshot()).remove(0).choice {
            moved @ Choice::Move { .. } => prop_assert_eq!(all, moved),
            Choice::Hold { .. } => prop_assert!(matches!(all, Choice::Hold { .. }), "{all:?}"),
        }
    }
}

//! What only metrics say against a node: others than the node may be writing them.

use super::*;
use crate::telemetry::SelfHealth;

const ILL: SelfHealth = SelfHealth { verdict: Verdict::Unhealthy, leaving: false, unready: false };
const LEAVING: SelfHealth = SelfHealth { verdict: Verdict::Healthy, leaving: true, unready: false };
const UNREADY: SelfHealth = SelfHealth { verdict: Verdict::Healthy, leaving: false, unready: true };

/// `a` holds, both have said for long that they are well, and the alarm of `a` is in trouble.
fn well() -> Scene {
    let scene = Scene::new(2, 1, "").held_by("a").alarm("a");
    scene.says("a", "a", Healthy, 6, LONG).says("b", "b", Healthy, 1, LONG)
}

#[test]
fn what_only_metrics_say_against_a_holder_moves_nothing() {
    for health in [ILL, LEAVING, UNREADY] {
        let scene = well().contested("a", health, 1);
        assert_eq!(choice(&scene), hold(HoldReason::Contested), "{health:?}");
        let reached = well().says("b", "a", Healthy, 1, LONG).contested("a", health, 1);
        assert_eq!(choice(&reached), hold(HoldReason::Contested), "{health:?}");
        let stale = well().contested("a", health, 15);
        assert_eq!(choice(&stale), hold(HoldReason::HolderUp), "{health:?}");
    }
    let nobody_else = Scene::new(2, 1, "").held_by("a").says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&nobody_else.contested("a", ILL, 1)), hold(HoldReason::Contested));
}

#[test]
fn that_it_is_ill_counts_as_soon_as_one_observer_agrees() {
    let agreed = || well().says("w0", "a", Unhealthy, 1, 0);
    assert_eq!(choice(&agreed().contested("a", ILL, 1)), moves("b", MoveKind::Failover));
    assert_eq!(choice(&agreed()), hold(HoldReason::HolderSuspect), "an observer by itself");
    let reached = agreed().contested("a", ILL, 1).says("b", "a", Healthy, 1, LONG);
    assert_eq!(choice(&reached), hold(HoldReason::Contested), "another reaches it");
    let no_longer = agreed().contested("a", ILL, 5).says("a", "a", Healthy, 4, 0);
    assert_eq!(choice(&no_longer), hold(HoldReason::Contested), "it said since that it is well");
    let same_moment = agreed().contested("a", ILL, 4).says("a", "a", Healthy, 4, 0);
    assert_eq!(choice(&same_moment), hold(HoldReason::Contested), "by a hint");
    assert_eq!(choice(&agreed().contested("a", LEAVING, 1)), hold(HoldReason::Contested));
}

#[test]
fn no_planned_move_goes_to_a_node_of_which_metrics_say_something_bad() {
    for health in [ILL, LEAVING, UNREADY] {
        let scene = || Scene::new(3, 0, "").held_by("a").says("b", "b", Healthy, 6, LONG);
        let drained = scene().says("a", "a", Healthy, 1, LONG).drained("a", 60);
        let contested = drained.contested("b", health, 1);
        assert_eq!(choice(&contested), hold(HoldReason::CannotVacate), "{health:?}");
        let leaving = scene().leaves("a", 1).contested("b", health, 1);
        assert_eq!(choice(&leaving), hold(HoldReason::CannotVacate), "{health:?}");
    }
}

#[test]
fn a_candidate_of_which_metrics_say_something_bad_comes_after_others() {
    let ill_holder = || {
        let scene = Scene::new(3, 0, "").held_by("a").says("a", "a", Unhealthy, 1, 0);
        scene.says("b", "b", Healthy, 6, LONG)
    };
    let ill = || ill_holder().contested("b", ILL, 1);
    assert_eq!(choice(&ill()), hold(HoldReason::NoCandidate), "nobody knows how it is");
    let reached = ill().says("c", "b", Healthy, 1, LONG);
    assert_eq!(choice(&reached), hold(HoldReason::NoCandidate), "what reaches it may be older");
    for health in [LEAVING, UNREADY] {
        let contested = || ill_holder().contested("b", health, 1);
        assert_eq!(
            choice(&contested()),
            moves("b", MoveKind::Failover),
            "{health:?}: the only one"
        );
        let other = contested().says("c", "c", Healthy, 1, LONG);
        assert_eq!(choice(&other), moves("c", MoveKind::Failover), "{health:?}");
    }
}

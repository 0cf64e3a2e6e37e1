//! Nodes that could not serve at the VIP.

use super::*;

/// `a` holds the VIP, is well, and could not be served there; `b` could.
fn unready_holder(policy: &str) -> Scene {
    let scene = Scene::new(3, 0, policy).held_by("a").unready("a", 1, LONG);
    scene.says("b", "b", Healthy, 1, LONG)
}

#[test]
fn an_unready_holder_is_left_for_a_ready_node_once_it_had_time_to_become_ready() {
    assert_eq!(choice(&unready_holder("")), moves("b", MoveKind::Relief));
    let arrived = |ago| choice(&unready_holder("").moved("a", &[ago]));
    assert_eq!(arrived(9), hold(HoldReason::HolderUnready));
    assert_eq!(arrived(10), moves("b", MoveKind::Relief));
    let mut hooked = unready_holder("").moved("a", &[24]);
    hooked.config.services[0].hooks.on_acquire =
        Some(Hook { command: Vec::new(), user: None, timeout: Duration::from_secs(15) });
    assert_eq!(choice(&hooked), hold(HoldReason::HolderUnready), "its hook may still run");
    hooked.config.services[0].hooks.on_acquire.as_mut().expect("set").timeout =
        Duration::from_secs(14);
    assert_eq!(choice(&hooked), moves("b", MoveKind::Relief));
}

#[test]
fn an_unready_holder_is_left_for_no_node_that_is_no_better_and_only_within_the_budget() {
    let nobody_better = [
        unready_holder("").unready("b", 0, LONG),
        unready_holder("").leaves("b", 0),
        unready_holder("").drained("b", 60),
        Scene::new(2, 0, "").held_by("a").unready("a", 1, LONG).says("a", "b", Healthy, 1, LONG),
    ];
    for scene in nobody_better {
        assert_eq!(choice(&scene), hold(HoldReason::HolderUnready));
    }
    let spent = unready_holder("").moved("a", &[300, 200, 30]);
    assert_eq!(choice(&spent), hold(HoldReason::BudgetSpent));
    let short = |lasting| {
        let scene = Scene::new(2, 0, "").held_by("a").says("b", "b", Healthy, 1, LONG);
        choice(&scene.unready("a", 1, lasting))
    };
    assert_eq!(short(8), hold(HoldReason::HolderUnready), "its alias unit may only just start");
    assert_eq!(short(9), moves("b", MoveKind::Relief));
    let stale =
        Scene::new(2, 0, "").held_by("a").unready("a", 15, LONG).says("b", "b", Healthy, 1, LONG);
    let reached = stale.says("b", "a", Healthy, 1, LONG);
    assert_eq!(choice(&reached), hold(HoldReason::HolderUp), "it was said too long ago");
}

#[test]
fn an_unready_node_takes_the_vip_of_a_holder_that_is_down_after_all_that_are_ready() {
    let down = || Scene::new(3, 0, "").held_by("a").says("a", "a", Unhealthy, 1, 5);
    let last = down().unready("b", 1, LONG);
    assert_eq!(choice(&last), moves("b", MoveKind::Failover));
    let ready = down().unready("b", 1, LONG).says("c", "c", Healthy, 1, LONG);
    assert_eq!(choice(&ready), moves("c", MoveKind::Failover), "b comes first but for that");
    let by_peers = down().unready("b", 1, LONG).says("b", "c", Healthy, 1, LONG);
    assert_eq!(choice(&by_peers), moves("c", MoveKind::Failover), "it may be ready");
}

#[test]
fn no_planned_move_goes_to_an_unready_node() {
    let leaving = Scene::new(2, 0, "").held_by("a").leaves("a", 1).unready("b", 1, LONG);
    assert_eq!(choice(&leaving), hold(HoldReason::CannotVacate));
    let failback = Scene::new(2, 0, "failback = \"after 1m\"").held_by("b");
    let failback = failback.says("b", "b", Healthy, 1, LONG).unready("a", 1, LONG);
    assert_eq!(choice(&failback), hold(HoldReason::HolderUp));
}

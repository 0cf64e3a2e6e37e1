//! Leaving, and following a primary.

use super::*;

/// `a` holds the VIP and leaves.
fn leaving_holder(nodes: usize) -> Scene {
    Scene::new(nodes, 0, "").held_by("a").leaves("a", 1)
}

#[test]
fn a_leaving_holder_is_vacated_as_soon_as_another_can_take_over() {
    assert_eq!(choice(&leaving_holder(2)), hold(HoldReason::CannotVacate));
    let ill = leaving_holder(2).says("b", "b", Unhealthy, 1, LONG);
    assert_eq!(choice(&ill), hold(HoldReason::CannotVacate));
    let both = leaving_holder(2).leaves("b", 1);
    assert_eq!(choice(&both), hold(HoldReason::CannotVacate));
    let well = leaving_holder(2).says("b", "b", Healthy, 1, 0);
    assert_eq!(choice(&well), moves("b", MoveKind::Vacate));
    let budget_spent = leaving_holder(2).says("b", "b", Healthy, 1, 0).moved("a", &[9, 6, 3]);
    assert_eq!(choice(&budget_spent), moves("b", MoveKind::Vacate), "it is planned");
}

#[test]
fn a_leaving_holder_goes_to_a_suspect_node_only_where_no_other_is_well() {
    let suspect =
        || leaving_holder(3).says("b", "b", Healthy, 1, LONG).says("a", "b", Unhealthy, 1, LONG);
    assert_eq!(choice(&suspect()), moves("b", MoveKind::Vacate));
    let clean = suspect().says("c", "c", Healthy, 1, LONG);
    assert_eq!(choice(&clean), moves("c", MoveKind::Vacate));
}

#[test]
fn a_leaving_holder_hands_over_to_a_silent_node_while_somebody_vouches_for_it() {
    let silent = || leaving_holder(2).says("a", "b", Healthy, 1, LONG);
    assert_eq!(choice(&silent()), moves("b", MoveKind::Vacate));
    let better = Scene::new(3, 0, "").held_by("a").leaves("a", 1).says("a", "b", Healthy, 1, LONG);
    let better = better.says("c", "c", Healthy, 1, LONG).says("a", "c", Unhealthy, 1, LONG);
    assert_eq!(choice(&better), moves("c", MoveKind::Vacate), "it is only suspect");
    let drained = Scene::new(2, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG);
    let drained = drained.says("a", "b", Healthy, 1, LONG).drained("a", 600);
    assert_eq!(choice(&drained), hold(HoldReason::CannotVacate), "it can wait");
    let gone = silent().stopped("a");
    assert_ne!(choice(&gone), moves("b", MoveKind::Failover), "it is too late");
}

#[test]
fn what_was_said_of_leaving_counts_until_it_is_stale_or_taken_back() {
    let scene = || Scene::new(2, 0, "").held_by("a").says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&scene().leaves("a", 14)), moves("b", MoveKind::Vacate));
    assert_eq!(choice(&scene().leaves("a", 15)), hold(HoldReason::HolderUp));
    let stays = scene().leaves("a", 4).says("a", "a", Healthy, 1, LONG);
    assert_eq!(choice(&stays), hold(HoldReason::HolderUp));
}

#[test]
fn a_leaving_node_takes_the_vip_of_a_holder_that_is_down_where_nobody_else_can() {
    let last_resort = || ill_holder().leaves("b", 1);
    assert_eq!(choice(&last_resort()), moves("b", MoveKind::Failover));
    assert_eq!(choice(&last_resort().drained("b", 60)), hold(HoldReason::NoCandidate));
    let placed = Scene::new(2, 0, "").says("a", "a", Unhealthy, 0, 1).leaves("b", 1);
    assert_eq!(choice(&placed), moves("b", MoveKind::Placement));
    let trio = || Scene::new(3, 1, "").held_by("a").says("a", "a", Unhealthy, 1, 0).leaves("b", 1);
    let stays = trio().says("c", "c", Healthy, 1, LONG);
    assert_eq!(choice(&stays), moves("c", MoveKind::Failover));
    let silent = trio().says("w0", "c", Healthy, 1, LONG);
    assert_eq!(choice(&silent), moves("c", MoveKind::Failover), "it is reached, and stays");
}

#[test]
fn a_holder_that_is_up_is_not_left_for_a_leaving_node() {
    let drained = Scene::new(2, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG);
    let drained = drained.drained("a", 60).leaves("b", 1);
    assert_eq!(choice(&drained), hold(HoldReason::CannotVacate));
    let failback = Scene::new(2, 0, "failback = \"after 1m\"")
        .held_by("b")
        .says("b", "b", Healthy, 1, LONG)
        .leaves("a", 1);
    assert_eq!(choice(&failback), hold(HoldReason::HolderUp));
}

/// Three nodes that are well, of which `a` holds the VIP, which follows the primary.
fn cluster() -> Scene {
    ["a", "b", "c"]
        .into_iter()
        .fold(Scene::new(3, 0, ""), |scene, name| scene.says(name, name, Healthy, 1, LONG))
        .held_by("a")
        .following("a")
}

fn elected_and_leaving() -> Scene {
    cluster().claims("a", false, 1).claims("c", true, 1).leaves("c", 1)
}

#[test]
fn the_vip_follows_the_primary() {
    let settled = cluster().claims("a", true, 1).claims("b", false, 1);
    assert_eq!(choice(&settled), hold(HoldReason::HolderUp));
    let elected = cluster().claims("a", false, 1).claims("c", true, 1);
    assert_eq!(choice(&elected), moves("c", MoveKind::Follow));
    let spent = elected.moved("a", &[9, 6, 3]);
    assert_eq!(choice(&spent), moves("c", MoveKind::Follow), "it is planned");
    assert_eq!(choice(&elected_and_leaving()), moves("c", MoveKind::Follow), "it alone serves");
    let nobody = cluster().claims("a", false, 1).claims("b", false, 1);
    assert_eq!(choice(&nobody), hold(HoldReason::NoPrimary));
    let stale = cluster().claims("a", false, 1).claims("b", true, 15);
    assert_eq!(choice(&stale), hold(HoldReason::NoPrimary));
    let unknown = cluster().claims("c", true, 1);
    assert_eq!(choice(&unknown), hold(HoldReason::HolderUp), "of the holder nothing is known");
}

#[test]
fn a_replica_that_has_to_go_is_left_for_the_primary_whatever_becomes_of_that() {
    let leaves = || cluster().claims("a", false, 1).leaves("a", 0);
    let drained = || cluster().claims("a", false, 1).drained("a", 600);
    for scene in [leaves, drained] {
        let stays = scene().claims("c", true, 1);
        assert_eq!(choice(&stays), moves("c", MoveKind::Follow));
        assert_eq!(choice(&stays.leaves("c", 0)), moves("c", MoveKind::Follow), "it alone serves");
        let reached = scene().claims("c", true, 3).says("c", "c", Unknown, 1, 2);
        let reached = reached.says("b", "c", Healthy, 1, LONG);
        assert_eq!(choice(&reached), moves("c", MoveKind::Follow), "its agent cannot judge");
        assert_eq!(choice(&scene()), hold(HoldReason::CannotVacate), "there is no primary");
    }
}

#[test]
fn of_two_primaries_none_is_followed() {
    let holder_too = cluster().claims("a", true, 1).claims("b", true, 1);
    assert_eq!(choice(&holder_too), hold(HoldReason::TwoPrimaries));
    let others = || cluster().claims("b", true, 1).claims("c", true, 1);
    assert_eq!(choice(&others().claims("a", false, 1)), hold(HoldReason::TwoPrimaries));
    let holder_ill = others().says("a", "a", Unhealthy, 0, 0);
    assert_eq!(choice(&holder_ill), hold(HoldReason::TwoPrimaries));
    let one_is_ill = holder_ill.says("b", "b", Unhealthy, 0, 0);
    assert_eq!(choice(&one_is_ill), moves("c", MoveKind::Failover), "an ill one claims nothing");
}

#[test]
fn where_the_primary_is_followed_no_other_is_a_candidate() {
    let ill = || cluster().says("a", "a", Unhealthy, 0, 0).claims("b", false, 1);
    assert_eq!(choice(&ill()), hold(HoldReason::NoPrimary));
    assert_eq!(choice(&ill().claims("c", true, 1)), moves("c", MoveKind::Failover));
    let leaving = cluster().claims("a", true, 1).claims("b", false, 1).leaves("a", 0);
    assert_eq!(choice(&leaving), hold(HoldReason::CannotVacate));
}

#[test]
fn a_primary_elsewhere_is_noticed_by_the_alarms_alone() {
    let looks = |scene: &Scene| {
        let service = &scene.config.services[0];
        needs_metrics(scene.snapshot(), service)
    };
    let quiet = || Scene::new(3, 0, "").held_by("a");
    assert!(!looks(&quiet().following("a")));
    assert!(looks(&quiet().following("b")), "another is primary");
    let mut both = quiet().following("a");
    both.evidence.quiet_alarms = Some(crate::telemetry::AlarmName::all(&both.config).collect());
    assert!(looks(&both), "both are");
    assert!(looks(&quiet().following("a").claims("b", true, 1)), "by a hint");
    assert!(looks(&quiet().following("a").claims("a", false, 1)), "by a hint");
    assert!(!looks(&quiet().claims("a", false, 1)), "where it does not matter");
}

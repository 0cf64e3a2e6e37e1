//! Who may take a VIP, and who best: each condition, and each step of the order.

use super::*;

/// `a` holds the VIP and is ill; `b` and `c` are well, of like priority.
fn trio() -> Scene {
    let mut scene = ill_holder_of(3).says("c", "c", Healthy, 1, LONG);
    for node in &mut scene.config.nodes {
        node.priority = 7;
    }
    scene
}

fn ill_holder_of(nodes: usize) -> Scene {
    Scene::new(nodes, 1, "")
        .held_by("a")
        .says("a", "a", Unhealthy, 1, 0)
        .says("b", "b", Healthy, 5, LONG)
}

#[test]
fn the_best_is_told_by_priority_and_then_by_name() {
    assert_eq!(choice(&trio()), moves("b", MoveKind::Failover));
    let mut preferred = trio();
    preferred.config.nodes[2].priority = 8;
    assert_eq!(choice(&preferred), moves("c", MoveKind::Failover));
}

#[test]
fn a_node_for_which_only_its_observers_speak_is_taken_when_no_better_one_is_left() {
    let silent = |scene: Scene| scene.says("w0", "c", Healthy, 1, LONG);
    assert_eq!(choice(&silent(ill_holder_of(3))), moves("b", MoveKind::Failover));
    let suspect = silent(ill_holder_of(3).says("w0", "b", Unhealthy, 1, LONG));
    assert_eq!(choice(&suspect), moves("b", MoveKind::Failover), "even suspect it is better");
    let ill = silent(ill_holder_of(3).says("b", "b", Unhealthy, 0, 1));
    assert_eq!(choice(&ill), moves("c", MoveKind::Failover));
}

#[test]
fn a_candidate_neither_leaves_nor_is_drained_and_its_instance_runs() {
    for unfit in [trio().leaves("b", 0), trio().drained("b", 60), trio().stopped("b")] {
        assert_eq!(choice(&unfit), moves("c", MoveKind::Failover));
    }
}

#[test]
fn a_candidates_interface_lies_in_the_subnet_of_the_vip() {
    let moved_to = |address: &str| {
        let mut scene = trio();
        let eni = scene.config.nodes[1].eni.clone();
        let eni = scene.evidence.inventory.enis.get_mut(&eni).expect("there");
        eni.addresses = vec![address.parse().expect("an address")];
        choice(&scene)
    };
    assert_eq!(moved_to("10.0.0.77"), moves("b", MoveKind::Failover));
    assert_eq!(moved_to("10.0.1.77"), moves("c", MoveKind::Failover), "EC2 would refuse it");
}

#[test]
fn a_node_whose_interface_ec2_refuses_the_vip_is_passed_over() {
    let refused = |nodes: &[&str]| {
        let mut scene = trio();
        let service = scene.config.services[0].name.clone();
        let refusals = nodes.iter().map(|name| (service.clone(), node(name)));
        scene.evidence.refusals = refusals.collect();
        choice(&scene)
    };
    assert_eq!(refused(&["b"]), moves("c", MoveKind::Failover));
    assert_eq!(refused(&["b", "c"]), hold(HoldReason::NoCandidate));
}

#[test]
fn a_drained_holder_is_vacated_and_a_silent_node_is_no_place_for_it() {
    let drained =
        || Scene::new(2, 1, "").held_by("a").says("a", "a", Healthy, 1, LONG).drained("a", 60);
    assert_eq!(choice(&drained()), hold(HoldReason::CannotVacate));
    let well = drained().says("b", "b", Healthy, 1, LONG);
    assert_eq!(choice(&well), moves("b", MoveKind::Vacate));
    let silent = drained().says("w0", "b", Healthy, 1, LONG);
    assert_eq!(choice(&silent), hold(HoldReason::CannotVacate));
}

#[test]
fn a_word_from_ahead_of_time_is_as_good_as_one_of_now() {
    let ahead = Scene::new(2, 0, "")
        .held_by("a")
        .says("a", "a", Unhealthy, -300, 0)
        .says("b", "b", Healthy, -300, LONG);
    assert_eq!(choice(&ahead), moves("b", MoveKind::Failover));
}

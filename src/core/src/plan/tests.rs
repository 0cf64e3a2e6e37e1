//! Plans: one step an ENI, and what becomes of it when the world changes.

use super::*;
use crate::decide::HoldReason;
use crate::scene::{Scene, VIP, node};
use std::collections::BTreeMap;

fn decided(to: &str, service: &str, vip: &str) -> Decision {
    Decision {
        service: service.parse().expect("a name"),
        vip: vip.parse().expect("an address"),
        holder: Holder::Nobody,
        judgements: BTreeMap::new(),
        choice: Choice::Move { to: node(to), kind: MoveKind::Placement },
    }
}

#[test]
fn all_vips_bound_for_one_eni_share_a_step_and_the_most_important_comes_first() {
    let scene = Scene::new(2, 0, "");
    let mut held = decided("a", "held", "10.0.0.203");
    held.choice = Choice::Hold { reason: HoldReason::HolderUp };
    let decisions = [
        decided("b", "one", "10.0.0.200"),
        decided("a", "two", "10.0.0.201"),
        decided("b", "three", "10.0.0.202"),
        held,
    ];
    let steps = plan(&scene.config, &decisions);
    let shape: Vec<_> = steps
        .iter()
        .map(|step| {
            (step.to.as_str(), step.moves.iter().map(|m| m.service.as_str()).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(shape, [("b", vec!["one", "three"]), ("a", vec!["two"])]);
}

#[test]
fn observing_plans_nothing() {
    let scene = Scene::new(2, 0, "mode = \"observe\"");
    assert_eq!(plan(&scene.config, &[decided("a", "svc", "10.0.0.200")]), []);
}

#[test]
fn a_move_whose_vip_got_another_holder_is_dropped() {
    let before = Scene::new(2, 0, "");
    let step = plan(&before.config, &[decided("b", "svc", &VIP.to_string())]).remove(0);
    let (kept, overtaken) = step.clone().reconsidered(&before.config, &before.evidence.inventory);
    assert_eq!((kept.moves.len(), overtaken.len()), (1, 0));
    let after = before.held_by("a");
    let (kept, overtaken) = step.reconsidered(&after.config, &after.evidence.inventory);
    assert_eq!((kept.moves.len(), overtaken.len()), (0, 1));
}

#[test]
fn a_step_to_an_interface_that_was_detached_meanwhile_is_dropped() {
    let mut after = Scene::new(2, 0, "");
    let step = plan(&after.config, &[decided("b", "svc", &VIP.to_string())]).remove(0);
    let eni = after.evidence.inventory.enis.get_mut(&step.eni).expect("there");
    eni.instance = None;
    let (kept, overtaken) = step.reconsidered(&after.config, &after.evidence.inventory);
    assert_eq!((kept.moves.len(), overtaken.len()), (0, 1));
}

#[test]
fn a_step_is_proven_when_ec2_names_its_node() {
    let before = Scene::new(2, 0, "");
    let step = plan(&before.config, &[decided("b", "svc", &VIP.to_string())]).remove(0);
    assert!(!step.is_proven_by(&before.config, &before.evidence.inventory));
    let elsewhere = Scene::new(2, 0, "").held_by("a");
    assert!(!step.is_proven_by(&elsewhere.config, &elsewhere.evidence.inventory));
    let there = Scene::new(2, 0, "").held_by("b");
    assert!(step.is_proven_by(&there.config, &there.evidence.inventory));
}

#[test]
fn a_step_that_has_not_settled_is_neither_proven_nor_dropped() {
    let before = Scene::new(3, 0, "").held_by("a");
    let holder = Holder::Node(node("a"));
    let decision = Decision { holder, ..decided("b", "svc", &VIP.to_string()) };
    let step = plan(&before.config, &[decision]).remove(0);
    let kept = |scene: &Scene| {
        let inventory = &scene.evidence.inventory;
        assert!(!step.is_proven_by(&scene.config, inventory));
        step.clone().reconsidered(&scene.config, inventory).0.moves.len()
    };
    let settles = before.held_by("b");
    assert_eq!(kept(&settles), 1);
    assert_eq!(kept(&settles.held_by("c")), 0, "somebody moved it elsewhere");
    let foreign = Scene::new(3, 0, "").held_by("b").held_by_a_foreign_interface();
    assert_eq!(kept(&foreign), 0);
}

#[test]
fn what_is_taken_apart_leaves_groups_whole() {
    let mut scene = Scene::group(3, 2, "");
    scene.config.services[1].group = None;
    let bound = |name: &str| decided("b", name, "10.0.0.200");
    let step = plan(&scene.config, &["svc", "svc-1", "svc-2"].map(bound)).remove(0);
    let parts = step.apart(&scene.config);
    let names = |step: &Step| step.moves.iter().map(|m| m.service.to_string()).collect::<Vec<_>>();
    assert_eq!(parts.iter().map(names).collect::<Vec<_>>(), [vec!["svc", "svc-2"], vec!["svc-1"]]);
    assert_eq!(parts[0].apart(&scene.config).len(), 1);
}

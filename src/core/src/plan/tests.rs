//! Plans: one step an ENI, and what becomes of it when the world changes.

use super::*;
use crate::decide::{HoldReason, Standby};
use crate::scene::{Scene, VIP, node};
use std::collections::BTreeMap;

fn decided(to: &str, service: &str, vip: &str) -> Decision {
    Decision {
        service: service.parse().expect("a name"),
        vip: vip.parse().expect("an address"),
        holder: Holder::Nobody,
        judgements: BTreeMap::new(),
        choice: Choice::Move { to: node(to), kind: MoveKind::Placement },
        standby: Standby::Unknown,
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
fn what_nobody_holds_is_placed_without_robbing_and_apart_from_what_is_moved() {
    let scene = Scene::new(2, 0, "");
    let held = Holder::Node(node("a"));
    let moved = Decision { holder: held, ..decided("b", "moved", "10.0.0.201") };
    let steps = plan(&scene.config, &[decided("b", "placed", "10.0.0.200"), moved]);
    let shape: Vec<_> =
        steps.iter().map(|step| (step.reassign, step.moves[0].service.as_str())).collect();
    assert_eq!(shape, [(Reassign::Forbidden, "placed"), (Reassign::Allowed, "moved")]);
    assert!(steps.iter().all(|step| step.placed_by_force().next().is_none()));
}

#[test]
fn a_group_of_which_one_is_held_goes_in_one_call_that_places_the_other_by_force() {
    let scene = Scene::group(2, 2, "");
    let vip = |index: usize| scene.config.services[index].vip.to_string();
    let unheld = decided("b", "svc", &vip(0));
    let held = Decision { holder: Holder::Node(node("a")), ..decided("b", "svc-1", &vip(1)) };
    let [step] = plan(&scene.config, &[unheld.clone(), held.clone()]).try_into().expect("one");
    assert_eq!((step.reassign, step.moves.len()), (Reassign::Allowed, 2));
    assert_eq!(step.placed_by_force().collect::<Vec<_>>(), [scene.config.services[0].vip]);
    let stays = Decision { choice: Choice::Hold { reason: HoldReason::HolderUp }, ..held };
    let step = plan(&scene.config, &[unheld, stays]).remove(0);
    assert_eq!(step.reassign, Reassign::Forbidden, "nothing is moved with it");
}

#[test]
fn what_is_left_of_a_step_robs_nobody_where_nobody_holds_it() {
    let scene = Scene::group(2, 2, "");
    let vip = |index: usize| scene.config.services[index].vip.to_string();
    let unheld = decided("b", "svc", &vip(0));
    let held = Decision { holder: Holder::Node(node("a")), ..decided("b", "svc-1", &vip(1)) };
    let [step] = plan(&scene.config, &[unheld, held]).try_into().expect("one");
    let left = |without: &str| {
        let step = step.clone().without(|planned| planned.service.as_str() == without);
        let services = step.moves.iter().map(|planned| planned.service.to_string()).collect();
        (step.reassign, services)
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(left("none"), (Reassign::Allowed, names(&["svc", "svc-1"])));
    assert_eq!(left("svc"), (Reassign::Allowed, names(&["svc-1"])));
    assert_eq!(left("svc-1"), (Reassign::Forbidden, names(&["svc"])));
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
fn a_step_that_has_not_settled_is_not_proven() {
    let before = Scene::new(3, 0, "").held_by("a");
    let holder = Holder::Node(node("a"));
    let decision = Decision { holder, ..decided("b", "svc", &VIP.to_string()) };
    let step = plan(&before.config, &[decision]).remove(0);
    let settles = before.held_by("b");
    assert!(!step.is_proven_by(&settles.config, &settles.evidence.inventory));
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

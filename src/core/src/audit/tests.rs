//! Each rule by a decision that breaks it, and that what the core decides breaks none.

use super::*;
use crate::decide::{Standby, decide};
use crate::hint::Verdict::{Healthy, Unhealthy};
use crate::scene::{Scene, node};

const LONG: i64 = 600;

fn to(scene: &Scene, target: &str, kind: MoveKind) -> Option<Breach> {
    let service = &scene.config.services[0];
    let decision = Decision {
        service: service.name.clone(),
        vip: service.vip,
        holder: scene.evidence.inventory.holder(&scene.config, service.vip),
        judgements: std::collections::BTreeMap::new(),
        choice: Choice::Move { to: node(target), kind },
        standby: Standby::Unknown,
    };
    breach(scene.snapshot(), &decision)
}

fn pair() -> Scene {
    Scene::new(2, 0, "").held_by("a").says("b", "b", Healthy, 1, LONG)
}

#[test]
fn a_move_from_an_ill_holder_to_a_well_node_breaks_nothing() {
    let scene = pair().says("a", "a", Unhealthy, 1, 5);
    assert_eq!(to(&scene, "b", MoveKind::Failover), None);
    let decisions = decide(scene.snapshot());
    let (vetted, refused) = vet(scene.snapshot(), decisions.clone());
    assert_eq!((vetted, refused), (decisions, vec![]));
}

#[test]
fn a_holder_of_which_nobody_says_anything_bad_is_not_left() {
    for scene in [pair(), pair().says("a", "a", Healthy, 1, LONG), pair().unread()] {
        assert_eq!(to(&scene, "b", MoveKind::Failover), Some(Breach::HolderNotDown));
    }
    let long_ago = pair().says("a", "a", Unhealthy, 60, 5);
    assert_eq!(to(&long_ago, "b", MoveKind::Failover), Some(Breach::HolderNotDown), "stale");
    assert_eq!(to(&pair(), "b", MoveKind::Placement), Some(Breach::HolderNotDown), "it is held");
    assert_eq!(to(&pair().stopped("a"), "b", MoveKind::Failover), None);
    assert_eq!(to(&pair(), "b", MoveKind::Switchover), None, "planned");
    let unsettled = pair().held_by("b").says("a", "a", Unhealthy, 1, 5);
    for kind in [MoveKind::Failover, MoveKind::Placement, MoveKind::Switchover] {
        assert_eq!(to(&unsettled, "b", kind), Some(Breach::HolderNotDown), "or is it b?");
    }
    let unheld = Scene::new(2, 0, "").says("b", "b", Healthy, 1, LONG);
    for (kind, breach) in [
        (MoveKind::Placement, None),
        (MoveKind::Switchover, None),
        (MoveKind::Failover, Some(Breach::HolderNotDown)),
    ] {
        assert_eq!(to(&unheld, "b", kind), breach, "nobody is there to leave");
    }
}

#[test]
fn a_node_that_nobody_has_lately_seen_well_gets_nothing() {
    let ill = || Scene::new(2, 1, "").held_by("a").says("a", "a", Unhealthy, 1, 5);
    let seen = Some(Breach::TargetNotSeenWell);
    assert_eq!(to(&ill(), "b", MoveKind::Failover), seen, "silent");
    let stale = ill().says("b", "b", Healthy, 60, LONG);
    assert_eq!(to(&stale, "b", MoveKind::Failover), seen, "stale");
    let sick = ill().says("b", "b", Unhealthy, 1, 5).says("w0", "b", Healthy, 1, LONG);
    assert_eq!(to(&sick, "b", MoveKind::Failover), seen, "ill by its own word");
    let gone = ill().says("b", "b", Healthy, 1, LONG).stopped("b");
    assert_eq!(to(&gone, "b", MoveKind::Failover), seen, "stopped");
    let reached = ill().says("w0", "b", Healthy, 1, LONG);
    assert_eq!(to(&reached, "b", MoveKind::Failover), None, "somebody reaches it");
}

#[test]
fn a_foreign_holder_is_not_robbed() {
    let alone = Scene::new(2, 0, "").says("b", "b", Healthy, 1, LONG);
    let beside_an_ill_node = pair().says("a", "a", Unhealthy, 1, 5);
    for scene in [alone, beside_an_ill_node].map(Scene::held_by_a_foreign_interface) {
        for kind in [MoveKind::Failover, MoveKind::Placement, MoveKind::Switchover] {
            assert_eq!(to(&scene, "b", kind), Some(Breach::ForeignHolder));
        }
    }
}

#[test]
fn what_the_file_does_not_name_is_not_touched() {
    assert_eq!(to(&pair(), "z", MoveKind::Switchover), Some(Breach::NotInTheFile));
    let scene = pair();
    let decision = Decision {
        vip: "10.0.0.99".parse().expect("an address"),
        ..decide(scene.snapshot()).remove(0)
    };
    let choice = Choice::Move { to: node("b"), kind: MoveKind::Switchover };
    let decision = Decision { choice, ..decision };
    let found = breach(scene.snapshot(), &decision);
    assert_eq!(found, Some(Breach::NotInTheFile), "another address than the service's");
}

#[test]
fn a_vip_rests_before_it_goes_back_and_waits_beyond_its_budget() {
    let scene = pair().moved("a", &[20]);
    assert_eq!(to(&scene, "b", MoveKind::Failback), Some(Breach::WithinCooldown));
    assert_eq!(to(&pair().moved("a", &[90]), "b", MoveKind::Failback), None);
    let spent = pair().says("a", "a", Unhealthy, 1, 5).moved("a", &[90, 60, 30]);
    assert_eq!(to(&spent, "b", MoveKind::Failover), Some(Breach::BeyondBudget));
    assert_eq!(to(&spent, "b", MoveKind::Vacate), None, "planned moves count for nothing");
    assert_eq!(to(&spent.stopped("a"), "b", MoveKind::Failover), None, "staying serves nobody");
}

#[test]
fn what_breaks_a_rule_becomes_a_hold_that_alerts() {
    let scene = pair();
    let mut decisions = decide(scene.snapshot());
    decisions[0].choice = Choice::Move { to: node("b"), kind: MoveKind::Failover };
    let (vetted, refused) = vet(scene.snapshot(), decisions);
    let reason = HoldReason::AuditRefused;
    assert_eq!(vetted[0].choice, Choice::Hold { reason });
    assert!(reason.alerts());
    assert_eq!(
        refused.into_iter().map(|(_, breach)| breach).collect::<Vec<_>>(),
        [Breach::HolderNotDown]
    );
}

#[test]
fn a_group_is_not_torn() {
    let well = |scene: Scene, index| {
        let scene = scene.about(index).held_by("a").says("a", "a", Healthy, 1, LONG);
        scene.says("b", "b", Healthy, 1, LONG)
    };
    let scene = well(well(Scene::group(2, 2, ""), 0), 1);
    let asked = |choices: [Choice; 2]| {
        let decisions = decide(scene.snapshot()).into_iter().zip(choices);
        let decisions = decisions.map(|(decision, choice)| Decision { choice, ..decision });
        let (_, refused) = vet(scene.snapshot(), decisions.collect());
        refused.into_iter().map(|(_, breach)| breach).collect::<Vec<_>>()
    };
    let stay = || Choice::Hold { reason: HoldReason::HolderUp };
    let go = |kind| Choice::Move { to: node("b"), kind };
    assert_eq!(asked([go(MoveKind::Switchover), go(MoveKind::Together)]), []);
    assert_eq!(asked([go(MoveKind::Switchover), stay()]), [Breach::SplitsGroup]);
    let one_must_not = asked([go(MoveKind::Failover), go(MoveKind::Together)]);
    assert_eq!(one_must_not, [Breach::HolderNotDown, Breach::SplitsGroup], "nor then the other");
    assert_eq!(to(&pair(), "b", MoveKind::Together), Some(Breach::HolderNotDown), "of no group");
}

#[test]
fn each_breach_is_told_in_words_of_its_own() {
    let all = [
        Breach::NotInTheFile,
        Breach::ForeignHolder,
        Breach::HolderNotDown,
        Breach::TargetNotSeenWell,
        Breach::WithinCooldown,
        Breach::BeyondBudget,
        Breach::SplitsGroup,
    ];
    let told: std::collections::BTreeSet<_> = all.iter().map(Breach::to_string).collect();
    assert_eq!(told.len(), all.len());
    assert!(told.iter().all(|words| words.contains(' ')), "{told:?}");
}

#[test]
fn a_call_that_may_still_land_is_crossed_only_where_its_target_is_ill() {
    let trio = || {
        let scene = Scene::new(3, 0, "").held_by("a").says("a", "a", Unhealthy, 1, 5);
        scene.says("b", "b", Healthy, 1, LONG).says("c", "c", Healthy, 1, LONG).in_flight("b")
    };
    assert_eq!(to(&trio(), "b", MoveKind::Failover), None, "the same target");
    assert_eq!(to(&trio(), "c", MoveKind::Failover), Some(Breach::CallInFlight));
    assert_eq!(to(&trio().says("b", "b", Unhealthy, 0, 1), "c", MoveKind::Failover), None);
    assert_eq!(to(&trio().stopped("b"), "c", MoveKind::Failover), None);
}

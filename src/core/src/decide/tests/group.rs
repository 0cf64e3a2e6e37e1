//! Groups: two services unless told otherwise, of which `svc` is the first.

use super::*;

fn choices(scene: &Scene) -> Vec<Choice> {
    let decisions = decide(scene.snapshot());
    let (vetted, refused) = crate::audit::vet(scene.snapshot(), decisions.clone());
    assert_eq!((vetted, refused), (decisions.clone(), vec![]), "the audit agrees");
    decisions.into_iter().map(|decision| decision.choice).collect()
}

/// Both services are well on all three nodes, `a` being preferred, and are held by those.
fn well(policy: &str, holders: [&str; 2]) -> Scene {
    let scene = Scene::group(2, 3, policy);
    let scene = (0..2).zip(holders).fold(scene, |scene, (index, holder)| {
        let scene = scene.about(index).held_by(holder);
        ["a", "b", "c"].iter().fold(scene, |scene, node| scene.says(node, node, Healthy, 1, LONG))
    });
    scene.about(0)
}

fn ill(scene: Scene, index: usize, node: &str) -> Scene {
    scene.about(index).says(node, node, Unhealthy, 0, 1)
}

fn together(to: &str) -> Choice {
    moves(to, MoveKind::Together)
}

const UP: HoldReason = HoldReason::HolderUp;

#[test]
fn one_that_fails_takes_its_group_along() {
    let failed = moves("b", MoveKind::Failover);
    assert_eq!(choices(&ill(well("", ["a", "a"]), 0, "a")), [failed.clone(), together("b")]);
    assert_eq!(choices(&ill(well("", ["a", "a"]), 1, "a")), [together("b"), failed.clone()]);
    let both = ill(ill(well("", ["a", "a"]), 0, "a"), 1, "a");
    assert_eq!(choices(&both), [failed.clone(), failed]);
    assert_eq!(choices(&well("", ["a", "a"])), [hold(UP), hold(UP)]);
}

#[test]
fn a_groups_candidate_is_one_for_every_member() {
    let b_has_only_one = || ill(ill(well("", ["a", "a"]), 0, "a"), 1, "b");
    assert_eq!(choices(&b_has_only_one()), [moves("c", MoveKind::Failover), together("c")]);
    let none = ill(b_has_only_one(), 1, "c");
    assert_eq!(choices(&none), [hold(HoldReason::NoCandidate), hold(UP)], "and none is split off");
    let drained = b_has_only_one().drained("c", 60);
    assert_eq!(choices(&drained), [hold(HoldReason::NoCandidate), hold(UP)]);
    let far_behind = b_has_only_one().about(1).with_max_lag(5).lags("c", 6, 1);
    assert_eq!(choices(&far_behind), [hold(HoldReason::CandidatesLag), hold(UP)]);
    let suspect = ill(well("", ["a", "a"]), 0, "a").about(1).says("a", "b", Unhealthy, 1, LONG);
    assert_eq!(choices(&suspect)[0], moves("c", MoveKind::Failover), "suspect for one of them");
}

#[test]
fn a_group_waits_for_the_member_whose_budget_is_spent() {
    let spent = |scene: Scene, index| scene.about(index).moved("a", &[300, 200, 30]);
    let wait = hold(HoldReason::BudgetSpent);
    assert_eq!(choices(&spent(ill(well("", ["a", "a"]), 0, "a"), 0)), [wait.clone(), hold(UP)]);
    let both = ill(ill(well("", ["a", "a"]), 0, "a"), 1, "a");
    assert_eq!(choices(&spent(both, 1)), [wait.clone(), wait.clone()]);
    let other = spent(ill(well("", ["a", "a"]), 0, "a"), 1);
    assert_eq!(choices(&other), [moves("b", MoveKind::Failover), together("b")], "it only follows");
}

#[test]
fn a_group_of_which_nobody_holds_one_waits_for_no_budget() {
    let mut scene = ill(well("", ["a", "a"]), 0, "a").about(0).moved("a", &[300, 200, 30]);
    let vip = scene.config.services[1].vip.0;
    for eni in scene.evidence.inventory.enis.values_mut() {
        eni.addresses.retain(|address| *address != vip);
    }
    assert_eq!(choices(&scene), [together("b"), moves("b", MoveKind::Placement)]);
}

#[test]
fn a_group_of_which_one_is_on_a_node_that_is_gone_waits_for_no_budget() {
    let split = ill(well("", ["c", "a"]), 1, "a").about(1).moved("a", &[300, 200, 30]);
    let wait = hold(HoldReason::BudgetSpent);
    assert_eq!(choices(&split), [hold(UP), wait]);
    let gone = split.stopped("c");
    assert_eq!(choices(&gone), [moves("b", MoveKind::Failover), together("b")]);
}

#[test]
fn a_group_leaves_as_a_whole() {
    let one = well("", ["a", "a"]).about(1).leaves("a", 0);
    assert_eq!(choices(&one), [together("b"), moves("b", MoveKind::Vacate)]);
    let vacated = moves("b", MoveKind::Vacate);
    assert_eq!(choices(&well("", ["a", "a"]).drained("a", 60)), [vacated.clone(), vacated]);
    let nowhere = ill(ill(one, 0, "b"), 0, "c");
    assert_eq!(choices(&nowhere), [hold(UP), hold(HoldReason::CannotVacate)]);
}

#[test]
fn a_node_on_which_one_of_a_group_leaves_is_the_last_resort_of_all() {
    let failed = || ill(well("", ["a", "a"]), 0, "a").about(1).leaves("b", 0);
    assert_eq!(choices(&failed()), [moves("c", MoveKind::Failover), together("c")]);
    let last = ill(failed(), 1, "c");
    assert_eq!(choices(&last), [moves("b", MoveKind::Failover), together("b")]);
}

#[test]
fn a_group_goes_back_as_a_whole() {
    let policy = "failback = \"after 10m\"";
    let case = |first, second| {
        let scene = well(policy, ["b", "b"]).about(0).moved("b", &[first]);
        choices(&scene.about(1).moved("b", &[second]))
    };
    let back = moves("a", MoveKind::Failback);
    assert_eq!(case(600, 600), [back.clone(), back]);
    assert_eq!(case(600, 599), [hold(UP), hold(UP)], "the last to come stays its time");
    let leaving = well(policy, ["b", "b"]).about(1).leaves("b", 0);
    assert_eq!(choices(&leaving), [together("a"), moves("a", MoveKind::Vacate)]);
    let one_ill = ill(well(policy, ["b", "b"]), 1, "a");
    assert_eq!(choices(&one_ill), [hold(UP), hold(UP)]);
}

#[test]
fn a_group_follows_its_primary_as_a_whole() {
    let replicas = |primary: [&str; 2]| {
        (0..2).zip(primary).fold(well("", ["a", "a"]), |scene, (index, primary)| {
            let scene = scene.about(index).following("a");
            ["a", "b", "c"]
                .iter()
                .fold(scene, |scene, node| scene.claims(node, *node == primary, 1))
        })
    };
    let follow = moves("b", MoveKind::Follow);
    assert_eq!(choices(&replicas(["b", "b"])), [follow.clone(), follow]);
    let apart = hold(HoldReason::NoCandidate);
    assert_eq!(choices(&replicas(["b", "a"])), [apart, hold(UP)], "no node has both primaries");
    let two = ill(replicas(["b", "b"]), 0, "a").about(1).claims("c", true, 0);
    assert_eq!(choices(&two), [hold(HoldReason::TwoPrimaries), hold(HoldReason::TwoPrimaries)]);
}

#[test]
fn a_group_that_is_split_is_brought_together() {
    assert_eq!(choices(&well("", ["a", "b"])), [hold(UP), together("a")], "the most important");
    assert_eq!(choices(&well("", ["b", "a"])), [hold(UP), together("b")], "whatever the priority");
    let ill_there = ill(well("", ["b", "a"]), 1, "b");
    assert_eq!(choices(&ill_there), [together("a"), hold(UP)], "where both are well");
    let neither = ill(ill_there, 0, "a");
    assert_eq!(choices(&neither), [together("c"), together("c")]);
    let no_home = ill(neither, 0, "c");
    let stuck = hold(HoldReason::NoCandidate);
    assert_eq!(choices(&no_home), [stuck.clone(), stuck], "each is well where it is");
    let most = well_trio(["a", "b", "b"]);
    assert_eq!(choices(&most), [together("b"), hold(UP), hold(UP)], "the node with most of it");
    let budget = well("", ["a", "b"]).about(1).moved("b", &[9, 6, 3]);
    assert_eq!(choices(&budget), [hold(UP), together("a")], "it counts for nothing");
}

fn well_trio(holders: [&str; 3]) -> Scene {
    (0..3).zip(holders).fold(Scene::group(3, 2, ""), |scene, (index, holder)| {
        let scene = scene.about(index).held_by(holder);
        ["a", "b"].iter().fold(scene, |scene, node| scene.says(node, node, Healthy, 1, LONG))
    })
}

#[test]
fn a_split_group_is_brought_together_where_another_member_fails_over_to() {
    let split = || well("", ["c", "b"]);
    let failed = |to| moves(to, MoveKind::Failover);
    assert_eq!(choices(&ill(split(), 0, "c")), [failed("b"), hold(UP)], "not to the preferred");
    let neither = ill(ill(split(), 0, "c"), 0, "b");
    assert_eq!(choices(&neither), [failed("a"), together("a")]);
    let unheard = split().about(1).says("b", "b", Unknown, 0, 1);
    let awaiting = hold(HoldReason::AwaitingEvidence);
    assert_eq!(choices(&unheard), [hold(UP), awaiting], "unknown is no reason to gather");
}

#[test]
fn a_group_is_placed_on_one_node_and_near_what_is_held_already() {
    let placed = |to| moves(to, MoveKind::Placement);
    let nobody = ["a", "b"].iter().fold(Scene::group(2, 2, ""), |scene, node| {
        let scene = scene.about(0).says(node, node, Healthy, 1, LONG);
        scene.about(1).says(node, node, Healthy, 1, LONG)
    });
    assert_eq!(choices(&nobody), [placed("a"), placed("a")]);
    let half = nobody.about(1).held_by("b");
    assert_eq!(choices(&half), [placed("b"), hold(UP)]);
    let drained = half.drained("b", 60);
    assert_eq!(choices(&drained), [placed("a"), moves("a", MoveKind::Vacate)]);
}

#[test]
fn what_a_foreign_interface_has_is_left_there_and_holds_nobody_up() {
    let scene = ill(Scene::group(2, 2, "").about(1).held_by("a"), 1, "a");
    let scene = scene.says("b", "b", Healthy, 1, LONG).about(0).held_by_a_foreign_interface();
    let left = hold(HoldReason::ForeignHolder);
    assert_eq!(choices(&scene), [left, moves("b", MoveKind::Failover)]);
}

#[test]
fn a_group_waits_for_the_member_that_ec2_shows_on_two_nodes() {
    let one_is_ill = ill(well("", ["a", "a"]), 0, "a");
    assert_eq!(choices(&one_is_ill), [moves("b", MoveKind::Failover), together("b")]);
    let waits = || hold(HoldReason::AwaitingEvidence);
    assert_eq!(choices(&one_is_ill.about(1).held_by("c")), [waits(), waits()]);
}

#[test]
fn a_switchover_takes_the_group() {
    let asked = |scene: &Scene, service: usize, to: Option<&str>| {
        let service = &scene.config.services[service];
        let to = to.map(node);
        switchover(scene.snapshot(), service, to.as_ref()).map(|made| {
            made.into_iter().map(|d| (d.service.to_string(), d.choice)).collect::<Vec<_>>()
        })
    };
    let named = |choices: [Choice; 2]| {
        ["svc", "svc-1"].map(str::to_owned).into_iter().zip(choices).collect::<Vec<_>>()
    };
    let switched = |to| moves(to, MoveKind::Switchover);
    let whole = well("", ["a", "a"]);
    assert_eq!(asked(&whole, 1, Some("c")), Ok(named([together("c"), switched("c")])));
    assert_eq!(asked(&whole, 0, None), Ok(named([switched("b"), together("b")])));
    let companion = Some("svc-1".parse().expect("a name"));
    let lack = Lack::Down(crate::judge::DownBasis::OwnObservation);
    let refused = Err(NoSwitchover::NotACandidate(Obstacle { node: node("c"), companion, lack }));
    assert_eq!(asked(&ill(well("", ["a", "a"]), 1, "c"), 0, Some("c")), refused);
    let split = asked(&well("", ["a", "b"]), 0, Some("a"));
    assert_eq!(split, Ok(vec![("svc-1".to_owned(), together("a"))]), "the other is there already");
    assert_eq!(asked(&whole, 0, Some("a")), Err(NoSwitchover::AlreadyThere(node("a"))));
}

#[test]
fn services_of_other_groups_go_their_own_ways() {
    let mut scene = ill(well("", ["a", "a"]), 0, "a");
    scene.config.services[1].group = None;
    assert_eq!(choices(&scene), [moves("b", MoveKind::Failover), hold(UP)]);
}

proptest! {
    #[test]
    fn a_group_is_never_spread_more_widely_than_before(
        held in proptest::collection::vec(proptest::option::weighted(0.9, 0_usize..3), 3),
        words in proptest::collection::vec((0_usize..3, 0_usize..4, 0_usize..3, any_verdict(), 0_i64..20, 0_i64..60), 4..40),
        leaving in proptest::collection::vec((0_usize..3, 0_usize..3), 0..3),
        spent in proptest::collection::vec((0_usize..3, 0_i64..120), 0..3),
        failback in any::<bool>(),
    ) {
        let members = ["a", "b", "c", "w0"];
        let policy = if failback { "failback = \"after 1m\"" } else { "" };
        let scene = Scene::group(3, 3, policy);
        let scene = held.iter().enumerate().fold(scene, |scene, (index, held)| match held {
            Some(node) => scene.about(index).held_by(members[*node]),
            None => scene,
        });
        let scene = words.iter().fold(scene, |scene, (of, by, on, verdict, age, held)| {
            scene.about(*of).says(members[*by], members[*on], *verdict, *age, *held)
        });
        let scene = leaving.iter().fold(scene, |scene, (of, on)| {
            scene.about(*of).leaves(members[*on], 1)
        });
        let scene = spent.iter().fold(scene, |scene, (of, age)| {
            scene.about(*of).moved("a", &[age + 60, age + 30, *age])
        });
        let decisions = decide(scene.snapshot());
        let before: BTreeSet<_> = decisions.iter().filter_map(|d| d.holder.node()).collect();
        let after: BTreeSet<_> = decisions.iter().filter_map(|decision| match &decision.choice {
            Choice::Move { to, .. } => Some(to),
            Choice::Hold { .. } => decision.holder.node(),
        }).collect();
        prop_assert!(after.len() <= before.len().max(1), "{before:?} -> {after:?}");
        let goals: BTreeSet<_> = decisions.iter().filter_map(|decision| match &decision.choice {
            Choice::Move { to, .. } => Some(to),
            Choice::Hold { .. } => None,
        }).collect();
        prop_assert!(goals.len() <= 1, "one way for all");
        for decision in &decisions {
            let breach = crate::audit::breach(scene.snapshot(), decision);
            prop_assert_eq!(breach, None, "the audit agrees");
        }
    }
}

//! The table of docs/design-notes.md, row by row; then what holds for every evidence.

use super::*;
use crate::hint::Verdict::{Healthy, Unhealthy, Unknown};
use crate::scene::{Scene, node};
use proptest::prelude::*;

const LONG: i64 = 600;

fn of(scene: &Scene, name: &str) -> Judgement {
    judge(scene.snapshot(), &scene.config.services[0])[&node(name)]
}

fn pair() -> Scene {
    Scene::new(2, 0, "")
}

fn pair_and_witness() -> Scene {
    Scene::new(2, 1, "")
}

#[test]
fn a_node_is_believed_about_its_own_illness() {
    let scene = pair_and_witness()
        .says("a", "a", Unhealthy, 1, 0)
        .says("b", "a", Healthy, 1, LONG)
        .says("w0", "a", Healthy, 1, LONG);
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::OwnObservation));
}

/// Two nodes and three witnesses: four observers.
fn with_three_witnesses(saying: &[&str]) -> Scene {
    saying.iter().fold(Scene::new(2, 3, ""), |scene, name| scene.says(name, "a", Unhealthy, 1, 2))
}

#[test]
fn half_of_all_observers_are_no_majority() {
    let well = |saying: &[&str]| with_three_witnesses(saying).says("a", "a", Healthy, 1, LONG);
    assert_eq!(of(&well(&["b", "w0"]), "a"), Judgement::Up(UpBasis::Suspect));
    let most = of(&well(&["b", "w0", "w1"]), "a");
    assert_eq!(most, Judgement::Down(DownBasis::Unreachable));
}

#[test]
fn three_of_five_observers_are_a_majority() {
    let three_of_five = || {
        let saying = ["b", "w0", "w1"].iter();
        let scene = saying.fold(Scene::new(2, 4, ""), |s, name| s.says(name, "a", Unhealthy, 1, 2));
        ["w2", "w3"].iter().fold(scene, |scene, name| scene.says(name, "a", Healthy, 1, LONG))
    };
    let well = three_of_five().says("a", "a", Healthy, 1, LONG);
    assert_eq!(of(&well, "a"), Judgement::Down(DownBasis::Unreachable));
    let silent = Judgement::Down(DownBasis::SilentAndUnreachable);
    assert_eq!(of(&three_of_five(), "a"), silent);
}

#[test]
fn of_a_silent_node_the_majority_of_the_fresh_is_enough() {
    let down = Judgement::Down(DownBasis::SilentAndUnreachable);
    assert_eq!(of(&with_three_witnesses(&["b", "w0"]), "a"), down);
    let split = with_three_witnesses(&["b", "w0"]);
    let split = split.says("w1", "a", Healthy, 1, LONG).says("w2", "a", Healthy, 1, LONG);
    assert_eq!(of(&split, "a"), Judgement::Up(UpBasis::PeersOnly));
}

#[test]
fn ec2_is_believed_about_what_is_gone() {
    let scene = pair().says("a", "a", Healthy, 1, LONG).stopped("a");
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::Gone));
    let mut scene = pair().says("a", "a", Healthy, 1, LONG);
    let eni = scene.config.nodes[0].eni.clone();
    scene.evidence.inventory.enis.get_mut(&eni).expect("there").instance = None;
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::Gone), "detached");
}

#[test]
fn an_interface_that_the_answer_lacks_is_gone_only_if_its_node_is_not_well() {
    assert_eq!(of(&pair().absent("a"), "a"), Judgement::Down(DownBasis::Gone));
    let speaks = pair().says("a", "a", Healthy, 1, LONG).absent("a");
    assert_eq!(of(&speaks, "a"), Judgement::Unknown);
}

#[test]
fn a_majority_of_all_observers_overrules_a_node_that_says_it_is_well() {
    let two_of_two = pair_and_witness()
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, 2)
        .says("w0", "a", Unhealthy, 1, 2);
    assert_eq!(of(&two_of_two, "a"), Judgement::Down(DownBasis::Unreachable));
    let two_of_three = Scene::new(3, 1, "")
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, 2)
        .says("c", "a", Unhealthy, 1, 2)
        .says("w0", "a", Healthy, 1, LONG);
    assert_eq!(of(&two_of_three, "a"), Judgement::Down(DownBasis::Unreachable));
}

#[test]
fn a_second_in_which_nobody_is_reached_is_no_evidence_yet() {
    let short =
        || pair_and_witness().says("b", "a", Unhealthy, 9, 1).says("w0", "a", Unhealthy, 9, 1);
    assert_eq!(of(&short().says("a", "a", Healthy, 1, LONG), "a"), Judgement::Unknown);
    assert_eq!(of(&short().says("a", "a", Unknown, 1, LONG), "a"), Judgement::Unknown);
    assert_eq!(of(&short(), "a"), Judgement::Unknown, "its agent is silent");
    let half = short().says("a", "a", Healthy, 1, LONG).says("w0", "a", Unhealthy, 0, 3);
    assert_eq!(of(&half, "a"), Judgement::Unknown, "both have to have said it for long enough");
    let lasting = half.says("b", "a", Unhealthy, 0, 2);
    assert_eq!(of(&lasting, "a"), Judgement::Down(DownBasis::Unreachable));
}

#[test]
fn one_observer_only_makes_a_well_node_suspect() {
    let alone = pair().says("a", "a", Healthy, 1, LONG).says("b", "a", Unhealthy, 1, LONG);
    assert_eq!(of(&alone, "a"), Judgement::Up(UpBasis::Suspect));
    let one_of_two = pair_and_witness()
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, LONG)
        .says("w0", "a", Healthy, 1, LONG);
    assert_eq!(of(&one_of_two, "a"), Judgement::Up(UpBasis::Suspect));
}

#[test]
fn a_well_node_that_nobody_doubts_is_up() {
    let scene = pair().says("a", "a", Healthy, 1, LONG);
    assert_eq!(of(&scene, "a"), Judgement::Up(UpBasis::OwnObservation));
}

#[test]
fn a_silent_node_that_two_cannot_reach_is_down() {
    let scene = pair_and_witness()
        .says("a", "a", Healthy, 15, LONG)
        .says("b", "a", Unhealthy, 1, 2)
        .says("w0", "a", Unhealthy, 1, 2);
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::SilentAndUnreachable));
}

#[test]
fn a_single_observers_word_on_a_silent_node_counts_after_a_while() {
    let said_for =
        |held| pair().says("a", "a", Healthy, 20, LONG).says("b", "a", Unhealthy, 1, held);
    assert_eq!(of(&said_for(13), "a"), Judgement::Unknown);
    assert_eq!(of(&said_for(14), "a"), Judgement::Down(DownBasis::SilentAndUnreachable));
}

#[test]
fn a_silent_node_that_is_reached_has_only_lost_its_agent() {
    let one = pair().says("b", "a", Healthy, 1, LONG);
    assert_eq!(of(&one, "a"), Judgement::Up(UpBasis::PeersOnly));
    let they_disagree =
        pair_and_witness().says("b", "a", Healthy, 1, LONG).says("w0", "a", Unhealthy, 1, LONG);
    assert_eq!(of(&they_disagree, "a"), Judgement::Up(UpBasis::PeersOnly));
}

#[test]
fn of_what_nobody_speaks_nobody_knows() {
    assert_eq!(of(&pair(), "a"), Judgement::Unknown);
    let all_stale = pair().says("a", "a", Unhealthy, 15, 0).says("b", "a", Unhealthy, 15, LONG);
    assert_eq!(of(&all_stale, "a"), Judgement::Unknown);
}

#[test]
fn metrics_that_cannot_be_read_are_no_silence() {
    let one = pair().says("b", "a", Unhealthy, 1, LONG).unread();
    assert_eq!(of(&one, "a"), Judgement::Unknown);
    let all_of_two = pair_and_witness()
        .says("b", "a", Unhealthy, 1, 2)
        .says("w0", "a", Unhealthy, 1, 2)
        .unread();
    assert_eq!(of(&all_of_two, "a"), Judgement::Down(DownBasis::SilentAndUnreachable));
}

#[test]
fn a_probe_that_cannot_judge_is_neither_up_nor_down() {
    let alone = pair().says("a", "a", Unknown, 1, LONG).says("b", "a", Unhealthy, 1, LONG);
    assert_eq!(of(&alone, "a"), Judgement::Unknown);
    let reached = pair().says("a", "a", Unknown, 1, LONG).says("b", "a", Healthy, 1, LONG);
    assert_eq!(of(&reached, "a"), Judgement::Up(UpBasis::PeersOnly));
}

#[test]
fn the_word_of_a_cut_off_observer_does_not_count() {
    // `a` is cut off from everyone but AWS, and so sees everyone else as unreachable.
    let scene = pair_and_witness()
        .says("a", "a", Healthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, 5)
        .says("w0", "a", Unhealthy, 1, 5)
        .says("a", "b", Unhealthy, 1, 5)
        .says("b", "b", Healthy, 1, LONG)
        .says("w0", "b", Healthy, 1, LONG);
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::Unreachable));
    assert_eq!(of(&scene, "b"), Judgement::Up(UpBasis::OwnObservation), "not even suspect");
}

#[test]
fn an_observer_whose_own_service_is_ill_still_sees() {
    let scene = Scene::new(3, 0, "")
        .says("a", "a", Healthy, 20, LONG)
        .says("b", "b", Unhealthy, 1, LONG)
        .says("b", "a", Unhealthy, 1, 2)
        .says("c", "a", Unhealthy, 1, 2);
    assert_eq!(of(&scene, "a"), Judgement::Down(DownBasis::SilentAndUnreachable));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Healthy), Just(Unhealthy), Just(Unknown)]
}

proptest! {
    #[test]
    fn nobody_is_down_without_a_fresh_word_against_it(
        words in proptest::collection::vec((0_usize..4, 0_usize..3, any_verdict(), 0_i64..30, 0_i64..60), 0..12)
    ) {
        let members = ["a", "b", "c", "w0"];
        let scene = words.iter().fold(Scene::new(3, 1, ""), |scene, (by, of, verdict, age, held)| {
            scene.says(members[*by], members[*of], *verdict, *age, *held)
        });
        for name in ["a", "b", "c"] {
            let against = scene.evidence.observations.iter().any(|(key, word)| {
                let fresh = word.fresh(scene.now, scene.config.policy.stale_after);
                key.subject == node(name) && fresh.is_some_and(|s| s.verdict == Unhealthy)
            });
            if of(&scene, name).is_down() {
                prop_assert!(against, "{name} is down on nobody's word");
            }
        }
    }
}

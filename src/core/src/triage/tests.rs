//! What calls for a closer look, which costs money, and what does not.

use super::*;
use crate::evidence::Eni;
use crate::hint::Verdict::{Healthy, Unhealthy, Unknown};
use crate::scene::{Scene, VIP};

const LONG: i64 = 600;

fn looks(scene: &Scene) -> bool {
    needs_metrics(scene.snapshot(), &scene.config.services[0])
}

/// `a` holds the VIP, all alarms are quiet, and nobody said a thing.
fn quiet() -> Scene {
    Scene::new(2, 1, "").held_by("a")
}

#[test]
fn a_quiet_holder_calls_for_none_and_a_vip_that_none_of_ours_holds_for_one() {
    assert!(!looks(&quiet()));
    assert!(looks(&Scene::new(2, 1, "")), "nobody has it");
    let mut foreign = Scene::new(2, 1, "");
    let (subnet, tags) = ("subnet-1".to_owned(), std::collections::BTreeMap::new());
    let eni = Eni { subnet, instance: None, addresses: vec![VIP.0], tags };
    foreign.evidence.inventory.enis.insert("eni-ffffffff".parse().expect("an id"), eni);
    assert!(looks(&foreign));
}

#[test]
fn what_is_alarmed_or_said_of_the_holder_calls_for_one() {
    assert!(looks(&quiet().alarm("a")));
    assert!(!looks(&quiet().alarm("b")), "of another node");
    for verdict in [Unhealthy, Unknown] {
        assert!(looks(&quiet().says("a", "a", verdict, 1, 0)), "its own word");
        assert!(looks(&quiet().says("w0", "a", verdict, 1, 0)), "a peer's");
        assert!(!looks(&quiet().says("w0", "b", verdict, 1, 0)), "of another node");
        assert!(!looks(&quiet().says("a", "a", verdict, 15, 0)), "long ago");
    }
    assert!(!looks(&quiet().says("a", "a", Healthy, 1, LONG)));
}

#[test]
fn hints_that_fail_on_any_host_call_for_one() {
    for host in ["a", "b", "w0"] {
        let mut scene = quiet();
        let alarm = format!("vipward/test/{host}/hints").parse().expect("its name");
        assert!(scene.evidence.quiet_alarms.get_or_insert_default().remove(&alarm));
        assert!(looks(&scene), "nobody else would read what {host} sees");
    }
}

#[test]
fn a_holder_that_is_gone_or_should_be_left_calls_for_one() {
    assert!(looks(&quiet().stopped("a")));
    assert!(looks(&quiet().drained("a", 60)));
    assert!(looks(&quiet().leaves("a", 1)));
    assert!(!looks(&quiet().stopped("b").drained("b", 60).leaves("b", 1)), "another node");
}

#[test]
fn a_way_back_calls_for_one_once_it_is_due_and_never_from_the_preferred_node() {
    let after_10m = |holder: &str, moved: &[i64]| {
        let scene = Scene::new(2, 0, "failback = \"after 10m\"").held_by(holder);
        if moved.is_empty() { scene } else { scene.moved(holder, moved) }
    };
    assert!(!looks(&after_10m("b", &[599])));
    assert!(looks(&after_10m("b", &[600])));
    assert!(looks(&after_10m("b", &[])), "nobody knows when it came");
    assert!(!looks(&after_10m("a", &[])) && !looks(&after_10m("a", &[600])), "it is at home");
    assert!(!looks(&Scene::new(2, 0, "").held_by("b")), "the file does not ask for it");
}

#[test]
fn a_group_is_looked_at_as_a_whole() {
    let group = |holders: [&str; 2]| {
        (0..2).zip(holders).fold(Scene::group(2, 2, ""), |scene, (index, holder)| {
            scene.about(index).held_by(holder)
        })
    };
    assert!(!looks(&group(["a", "a"])));
    assert!(looks(&group(["a", "b"])), "it is on two nodes");
    assert!(looks(&group(["a", "a"]).alarm("a")), "of a companion");
}

//! Whether a group could move that need not.

use super::*;

fn standby(scene: &Scene) -> Standby {
    let decisions = decide(scene.snapshot());
    let first = decisions[0].standby;
    assert!(decisions.iter().all(|decision| decision.standby == first), "one word for the group");
    first
}

/// `a` holds the VIP and is well.
fn held() -> Scene {
    Scene::new(2, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG)
}

fn pair() -> Scene {
    held().says("b", "b", Healthy, 1, LONG)
}

/// What was said before is not known: only EC2's answer and the alarms.
fn quiet() -> Scene {
    Scene::new(2, 0, "").held_by("a").unread()
}

#[test]
fn a_node_that_is_well_is_a_standby() {
    assert_eq!(standby(&pair()), Standby::Ready);
    assert_eq!(standby(&quiet()), Standby::Ready, "by the alarms");
}

#[test]
fn by_the_metrics_whoever_could_not_take_the_group_well_is_no_standby() {
    for (why, scene) in [
        ("ill", held().says("b", "b", Unhealthy, 1, LONG)),
        ("unable to judge", held().says("b", "b", Unknown, 1, LONG)),
        ("silent", held()),
        ("known by its peers alone", held().says("a", "b", Healthy, 1, LONG)),
        ("leaving", held().leaves("b", 1)),
        ("unready", held().unready("b", 1, 5)),
        ("drained", pair().drained("b", 60)),
        ("stopped", pair().stopped("b")),
        ("gone", held().absent("b")),
        ("out of reach", pair().elsewhere("b")),
        ("lagging", pair().with_max_lag(10).lags("b", 11, 1)),
        ("of unknown lag", pair().with_max_lag(10)),
    ] {
        assert_eq!(standby(&scene), Standby::Missing, "{why}");
    }
    assert_eq!(standby(&pair().with_max_lag(10).lags("b", 10, 1)), Standby::Ready);
    let third = |scene: Scene| scene.says("c", "c", Healthy, 1, LONG);
    let trio = Scene::new(3, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG);
    assert_eq!(standby(&third(trio.says("b", "b", Unhealthy, 1, 0))), Standby::Ready, "c is");
}

#[test]
fn by_the_alarms_whoever_has_one_in_trouble_or_may_not_take_it_is_no_standby() {
    for (why, scene) in [
        ("its alarm", quiet().alarm("b")),
        ("drained", quiet().drained("b", 60)),
        ("stopped", quiet().stopped("b")),
        ("gone", quiet().absent("b")),
        ("out of reach", quiet().elsewhere("b")),
        ("leaving", quiet().leaves("b", 1)),
        ("unready", quiet().unready("b", 1, 5)),
    ] {
        assert_eq!(standby(&scene), Standby::Missing, "{why}");
    }
    assert_eq!(standby(&quiet().drained("b", -1)), Standby::Ready, "the drain is over");
}

#[test]
fn what_was_not_read_says_nothing() {
    let mut unread = quiet();
    unread.evidence.quiet_alarms = None;
    let unread = unread.says("a", "a", Healthy, 1, LONG);
    assert_eq!(decide(unread.snapshot())[0].choice, hold(HoldReason::HolderUp));
    assert_eq!(standby(&unread), Standby::Unknown);
    assert_eq!(standby(&quiet().with_max_lag(10)), Standby::Unknown, "alarms know of no lag");
    assert_eq!(standby(&quiet().with_max_lag(10).alarm("b")), Standby::Missing, "whatever its lag");
    assert_eq!(standby(&Scene::new(2, 0, "").held_by("a")), Standby::Unknown, "all are silent");
    assert_eq!(standby(&held().unheard()), Standby::Unknown);
}

#[test]
fn a_replica_that_would_be_elected_is_a_standby_for_a_vip_that_follows_the_primary() {
    let scene = || pair().following("a").claims("a", true, 1).claims("b", false, 1);
    assert_eq!(standby(&scene()), Standby::Ready);
    assert_eq!(standby(&scene().unread()), Standby::Ready, "by the alarms");
    assert_eq!(standby(&scene().alarm("b").says("b", "b", Unhealthy, 0, 0)), Standby::Missing);
}

#[test]
fn a_standby_has_to_be_able_to_take_the_whole_group() {
    let of = |index: usize, scene: Scene, verdict| {
        let scene = scene.about(index).held_by("a").says("a", "a", Healthy, 1, LONG);
        scene.says("b", "b", verdict, 1, LONG)
    };
    let group = |verdict| of(1, of(0, Scene::group(2, 2, ""), Healthy), verdict);
    assert_eq!(standby(&group(Healthy)), Standby::Ready);
    assert_eq!(standby(&group(Unhealthy)), Standby::Missing);
    assert_eq!(standby(&group(Healthy).unread()), Standby::Ready, "by the alarms");
    assert_eq!(standby(&group(Healthy).unread().alarm("b")), Standby::Missing);
}

#[test]
fn only_a_holder_that_is_up_and_may_stay_wants_a_standby() {
    let ill = held().says("a", "a", Unhealthy, 0, 0);
    assert_eq!(standby(&ill), Standby::Unknown, "its own reason says that none can take it");
    assert_eq!(standby(&ill.says("b", "b", Healthy, 1, LONG)), Standby::Unknown, "it moves");
    assert_eq!(standby(&held().leaves("a", 0)), Standby::Unknown, "cannot-vacate says it");
    assert_eq!(standby(&Scene::new(2, 0, "")), Standby::Unknown, "nobody holds");
    let split = Scene::group(2, 2, "").held_by("a").about(1).held_by("b");
    assert_eq!(standby(&split), Standby::Unknown, "in two places");
    let silent = Scene::new(2, 1, "").held_by("a").alarm("a").says("w0", "a", Healthy, 1, LONG);
    assert_eq!(standby(&silent), Standby::Missing, "agent-silent, and nobody else");
}

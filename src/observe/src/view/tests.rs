use std::time::Duration;

use vipward_core::telemetry::{PEER_HEALTH, REPLICA_LAG, SELF_HEALTH};

use super::*;

fn name(text: &str) -> NodeName {
    text.parse().expect("a name")
}

fn service() -> ServiceName {
    "redis".parse().expect("a name")
}

fn change(subject: &str, from: Verdict, to: Verdict, cause: Option<&str>) -> TargetChange {
    let change = VerdictChange { from, to, cause: cause.map(str::to_owned) };
    TargetChange { subject: name(subject), service: service(), change }
}

fn view(me: &str) -> View {
    let targets = ["resource-01", "resource-02"].map(|node| (name(node), service()));
    View::new(name(me), targets, Timestamp::UNIX_EPOCH)
}

fn own_health(verdict: Verdict, leaving: bool, unready: bool) -> Datum {
    Datum::self_health(service(), SelfHealth { verdict, leaving, unready })
}

#[test]
fn a_view_begins_unknown_and_publishes_nothing() {
    let view = view("resource-01");
    assert_eq!(view.data(), []);
    assert!(!view.trouble());
    assert_eq!(view.summary(), "0 healthy, 0 unhealthy, 2 unknown");
    let observations = view.observations(Timestamp::UNIX_EPOCH);
    assert_eq!(observations.len(), 2);
    assert!(observations.iter().all(|seen| seen.verdict == Verdict::Unknown));
}

#[test]
fn own_and_other_services_are_told_apart() {
    let mut view = view("resource-01");
    view.apply(
        Timestamp::UNIX_EPOCH,
        &change("resource-01", Verdict::Unknown, Verdict::Healthy, None),
    );
    view.apply(
        Timestamp::UNIX_EPOCH,
        &change("resource-02", Verdict::Unknown, Verdict::Unhealthy, Some("refused")),
    );
    let data = view.data();
    let own = own_health(Verdict::Healthy, false, false);
    let other = Datum::peer_health(service(), name("resource-02"), false);
    assert_eq!(data, [own, other]);
    assert_eq!(
        data.iter().map(|datum| datum.metric).collect::<Vec<_>>(),
        [SELF_HEALTH, PEER_HEALTH]
    );
    assert!(view.trouble());
}

#[test]
fn a_witness_sees_others_only() {
    let mut view = view("app-01");
    view.apply(
        Timestamp::UNIX_EPOCH,
        &change("resource-01", Verdict::Unknown, Verdict::Healthy, None),
    );
    assert_eq!(view.data().iter().map(|datum| datum.metric).collect::<Vec<_>>(), [PEER_HEALTH]);
}

#[test]
fn an_observation_says_for_how_long_it_holds_and_why() {
    let mut view = view("resource-01");
    let at = Timestamp::UNIX_EPOCH + Duration::from_mins(1);
    view.apply(at, &change("resource-02", Verdict::Healthy, Verdict::Unhealthy, Some("refused")));
    let observations = view.observations(at + Duration::from_millis(1500));
    assert_eq!(observations[0].held_ms, 61_500);
    assert_eq!(
        (observations[1].held_ms, observations[1].cause.as_deref()),
        (1500, Some("refused"))
    );
    view.apply(
        at,
        &change("resource-02", Verdict::Unhealthy, Verdict::Unknown, Some("wrong password")),
    );
    assert_eq!(view.data(), [], "unknown is silence");
    assert!(!view.trouble(), "unknown is an alert, not trouble");
}

#[test]
fn own_lag_is_said_by_metric_and_hint_and_only_of_oneself() {
    let mut view = view("resource-01");
    view.apply(
        Timestamp::UNIX_EPOCH,
        &change("resource-01", Verdict::Unknown, Verdict::Healthy, None),
    );
    view.apply(
        Timestamp::UNIX_EPOCH,
        &change("resource-02", Verdict::Unknown, Verdict::Healthy, None),
    );
    view.set_lags(BTreeMap::from([(service(), Duration::from_millis(2_500))]));
    let lags: Vec<_> =
        view.data().into_iter().filter(|datum| datum.metric == REPLICA_LAG).collect();
    assert_eq!(lags, [Datum::lag(service(), Duration::from_millis(2_500))]);
    let said = view.observations(Timestamp::UNIX_EPOCH);
    let said: Vec<_> = said.iter().map(|one| (one.subject.as_str(), one.lag_ms)).collect();
    assert_eq!(said, [("resource-01", Some(2_500)), ("resource-02", None)]);
}

#[test]
fn what_leaves_is_a_shade_of_health_and_said_of_oneself_only() {
    let mut view = view("resource-01");
    for node in ["resource-01", "resource-02"] {
        let seen = change(node, Verdict::Unknown, Verdict::Healthy, None);
        view.apply(Timestamp::UNIX_EPOCH, &seen);
    }
    assert!(view.set_leaving(BTreeSet::from([service()])));
    assert!(!view.set_leaving(BTreeSet::from([service()])), "no news");
    assert!(view.trouble(), "it is to be told again");
    let other = Datum::peer_health(service(), name("resource-02"), true);
    assert_eq!(view.data(), [own_health(Verdict::Healthy, true, false), other]);
    let said = view.observations(Timestamp::UNIX_EPOCH);
    assert_eq!(said.iter().map(|one| one.leaving).collect::<Vec<_>>(), [true, false]);
    let ill = change("resource-01", Verdict::Healthy, Verdict::Unhealthy, None);
    view.apply(Timestamp::UNIX_EPOCH, &ill);
    assert_eq!(view.data()[0], own_health(Verdict::Unhealthy, true, false), "ill is ill");
    assert!(view.set_leaving(BTreeSet::new()));
}

#[test]
fn what_is_unready_is_a_shade_of_health_and_no_trouble_to_repeat() {
    let mut view = view("resource-01");
    for node in ["resource-01", "resource-02"] {
        let seen = change(node, Verdict::Unknown, Verdict::Healthy, None);
        view.apply(Timestamp::UNIX_EPOCH, &seen);
    }
    let at = |second| Timestamp::from_second(second).expect("a time");
    let unready = BTreeMap::from([(service(), Duration::from_secs(10))]);
    assert!(view.set_unready(at(1), &unready));
    assert_eq!(view.unready_deadline(), Some(at(11)));
    assert!(!view.set_unready(at(2), &unready), "no news");
    assert!(!view.trouble());
    let other = Datum::peer_health(service(), name("resource-02"), true);
    assert_eq!(view.data(), [own_health(Verdict::Healthy, false, true), other]);
    let said = view.observations(at(3));
    assert_eq!(said.iter().map(|one| one.unready_ms).collect::<Vec<_>>(), [Some(2_000), None]);
    assert!(!view.set_unready(at(10), &unready));
    assert!(view.set_unready(at(11), &unready), "it lasts");
    assert_eq!((view.set_unready(at(12), &unready), view.unready_deadline()), (false, None));
    assert!(view.set_unready(at(13), &BTreeMap::new()));
}

#[test]
fn a_role_is_said_of_what_is_well_and_its_change_is_news() {
    let mut view = view("resource-01");
    let is = |primary| BTreeMap::from([(service(), primary)]);
    assert!(!view.set_primaries(is(false)), "replicas are no news at the start");
    assert!(view.set_primaries(is(true)));
    assert!(!view.set_primaries(is(true)));
    assert_eq!(view.data(), [], "nothing is known of its health");
    let well = change("resource-01", Verdict::Unknown, Verdict::Healthy, None);
    view.apply(Timestamp::UNIX_EPOCH, &well);
    assert_eq!(view.data()[1], Datum::primary(service(), true));
    let said = view.observations(Timestamp::UNIX_EPOCH);
    assert_eq!(said.iter().map(|one| one.primary).collect::<Vec<_>>(), [Some(true), None]);
    let ill = change("resource-01", Verdict::Healthy, Verdict::Unhealthy, None);
    view.apply(Timestamp::UNIX_EPOCH, &ill);
    assert_eq!(view.observations(Timestamp::UNIX_EPOCH)[0].primary, None);
    assert!(view.set_primaries(is(false)), "it has ceased to be one");
}

#[test]
fn a_vip_that_comes_is_news_once_and_metrics_tell_of_it_for_a_while() {
    let mut view = view("resource-01");
    let at = |second| Timestamp::from_second(second).expect("a time");
    let said = |view: &View, now| {
        let own = view.observations(at(now)).into_iter().find(|one| one.subject == view.me);
        let own = own.expect("it watches itself");
        let arrived = Datum::arrived(service());
        (own.arrived, own.arrived_ms, view.data().contains(&arrived))
    };
    let mut looks = |now, here| {
        let news = view.set_arrivals(at(now), [(service(), here)]);
        (news, said(&view, now))
    };
    assert_eq!(looks(1, None), (false, (None, None, false)), "not read yet");
    assert_eq!(looks(2, Some(true)), (false, (Some(true), None, false)), "perhaps long ago");
    assert_eq!(looks(3, Some(false)), (false, (Some(false), None, false)));
    assert_eq!(looks(4, None), (false, (None, None, false)), "the metadata are out");
    assert_eq!(looks(5, Some(true)), (true, (Some(true), Some(0), true)));
    assert_eq!(looks(34, Some(true)), (false, (Some(true), Some(29_000), true)));
    assert_eq!(looks(35, Some(true)), (false, (Some(true), Some(30_000), false)));
    assert_eq!(looks(36, Some(false)), (false, (Some(false), None, false)));
    let others = view.observations(at(36)).into_iter().filter(|one| one.subject != view.me);
    assert!(others.map(|one| one.arrived).all(|arrived| arrived.is_none()));
}

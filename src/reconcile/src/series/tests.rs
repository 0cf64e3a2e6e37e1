//! What points say, and what of it is believed.

use super::*;
use crate::fake::start;

/// Two publications of ten seconds.
const UNCONTESTED_AFTER: Duration = Duration::from_secs(20);

fn at(second: u64) -> Timestamp {
    start() + Duration::from_secs(second)
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

fn points(values: &[(u64, f64)]) -> Vec<Point> {
    let point =
        |(second, value): &(u64, f64)| Point { at: at(*second), least: *value, greatest: *value };
    values.iter().map(point).collect()
}

/// The same, with a second value in the second of the last.
fn contradicted(values: &[(u64, f64)], other: f64) -> Vec<Point> {
    let mut points = points(values);
    let last = points.last_mut().expect("a point");
    (last.least, last.greatest) = (last.least.min(other), last.greatest.max(other));
    points
}

fn well(since: u64, last: u64) -> Observed<Observation> {
    said(Verdict::Healthy, since, last)
}

fn ill(since: u64, last: u64) -> Observed<Observation> {
    said(Verdict::Unhealthy, since, last)
}

fn said(verdict: Verdict, since: u64, last: u64) -> Observed<Observation> {
    let value = Observation { verdict, since: at(since), leaving: false, unready: None };
    Observed { value, at: at(last) }
}

fn word(values: &[(u64, f64)]) -> SelfObservation {
    self_observation(&points(values), UNCONTESTED_AFTER)
}

#[test]
fn an_observers_word_is_the_last_point_and_how_long_it_was_the_same() {
    let newest = |values: &[(u64, f64)]| {
        let values: Vec<_> = values.iter().map(|(second, value)| (at(*second), *value)).collect();
        newest_observation(&values)
    };
    assert_eq!(newest(&[]), None);
    assert_eq!(newest(&[(0, 1.0)]), Some(well(0, 0)));
    assert_eq!(newest(&[(0, 1.0), (10, 0.0), (20, 0.0)]), Some(ill(10, 20)));
    assert_eq!(newest(&[(0, 0.0), (10, 1.0), (20, 0.1)]), Some(ill(20, 20)));
}

#[test]
fn that_a_service_is_well_is_believed_at_once_and_that_it_is_ill_when_it_lasts() {
    assert_eq!(word(&[]), SelfObservation { believed: None, contested: None });
    assert_eq!(
        word(&[(0, 1.0), (10, 1.0)]),
        SelfObservation { believed: Some(well(0, 10)), contested: None }
    );
    let fell_ill = |until: u64| {
        let values: Vec<_> =
            (0..=until / 10).map(|n| (n * 10, f64::from(u8::from(n < 3)))).collect();
        word(&values)
    };
    assert_eq!(
        fell_ill(30),
        SelfObservation { believed: Some(well(0, 20)), contested: Some(ill(30, 30)) }
    );
    assert_eq!(
        fell_ill(40),
        SelfObservation { believed: Some(well(0, 20)), contested: Some(ill(40, 40)) }
    );
    assert_eq!(fell_ill(50), SelfObservation { believed: Some(ill(30, 50)), contested: None });
    let never_well = word(&[(0, 0.0), (10, 0.0)]);
    assert_eq!(never_well, SelfObservation { believed: None, contested: Some(ill(10, 10)) });
}

#[test]
fn one_value_against_it_and_it_has_not_lasted() {
    let values = [(0, 1.0), (3, 0.0), (10, 1.0), (13, 0.0), (20, 1.0), (23, 0.0)];
    assert_eq!(
        word(&values),
        SelfObservation { believed: Some(well(20, 20)), contested: Some(ill(23, 23)) }
    );
    assert_eq!(
        word(&values[..5]),
        SelfObservation { believed: Some(well(20, 20)), contested: Some(ill(13, 13)) }
    );
    let long_ill = [(0, 0.0), (10, 0.0), (20, 0.0), (23, 1.0), (30, 0.0)];
    assert_eq!(
        word(&long_ill),
        SelfObservation { believed: Some(well(23, 23)), contested: Some(ill(30, 30)) }
    );
}

#[test]
fn a_second_with_two_values_tells_neither() {
    let ill_for_long = [(0, 1.0), (10, 0.0), (20, 0.0), (30, 0.0)];
    let word = self_observation(&contradicted(&ill_for_long, 1.0), UNCONTESTED_AFTER);
    assert_eq!(word, SelfObservation { believed: Some(well(0, 0)), contested: Some(ill(30, 30)) });
    let well_for_long = [(0, 1.0), (10, 1.0)];
    let word = self_observation(&contradicted(&well_for_long, 0.0), UNCONTESTED_AFTER);
    assert_eq!(word, SelfObservation { believed: Some(well(0, 0)), contested: Some(ill(10, 10)) });
}

#[test]
fn that_a_service_leaves_or_is_not_ready_is_believed_when_it_lasts_and_it_is_well_all_the_while() {
    let from_20 = |value: f64, until: u64| {
        let values: Vec<_> =
            (0..=until / 10).map(|n| (n * 10, if n < 2 { 1.0 } else { value })).collect();
        let SelfObservation { believed, contested } = word(&values);
        (believed.expect("it speaks"), contested.map(|said| said.value))
    };
    for (value, leaves, lacks) in [(0.5, true, false), (0.75, false, true), (0.25, true, true)] {
        let (believed, contested) = from_20(value, 30);
        assert_eq!(Some(believed), Some(well(0, 30)), "{value}");
        let contested = contested.expect("it says something else");
        assert_eq!((contested.leaving, contested.unready.is_some()), (leaves, lacks));
        let (believed, contested) = from_20(value, 40);
        let Observed { value: Observation { leaving, unready, .. }, .. } = believed;
        assert_eq!((leaving, unready), (leaves, lacks.then_some(at(20))), "{value}");
        assert_eq!(contested, None);
    }
    let stays = word(&[(0, 0.5), (10, 0.5), (20, 0.5), (30, 1.0)]);
    assert_eq!(stays.believed, Some(well(0, 30)), "it changed its mind");
}

#[test]
fn a_role_is_what_was_said_all_along_or_for_long() {
    let role = |values: &[(u64, f64)]| {
        believed_role(&points(values), UNCONTESTED_AFTER).map(|is| (is.value, is.at))
    };
    assert_eq!(role(&[]), None);
    assert_eq!(role(&[(0, 1.0)]), Some((true, at(0))));
    assert_eq!(role(&[(0, 0.0), (10, 0.0), (20, 0.0), (30, 1.0)]), None, "it may be over");
    let elected = [(0, 0.0), (10, 0.0), (20, 0.0), (30, 1.0), (40, 1.0), (50, 1.0)];
    assert_eq!(role(&elected), Some((true, at(50))));
    assert_eq!(role(&[(0, 0.0), (10, 1.0)]), None, "one of them is wrong");
    let torn = contradicted(&elected, 0.0);
    assert_eq!(believed_role(&torn, UNCONTESTED_AFTER), None);
}

#[test]
fn the_points_of_several_statistics_are_put_together_by_their_seconds() {
    let least = (Statistic::Minimum, vec![(at(1), 0.0), (at(2), 1.0)]);
    let greatest = (Statistic::Maximum, vec![(at(1), 1.0), (at(2), 1.0), (at(3), 1.0)]);
    let put = Point::of_all(&[least, greatest]);
    let expected = [(1, 0.0, 1.0), (2, 1.0, 1.0), (3, 1.0, 1.0)];
    let expected =
        expected.map(|(second, least, greatest)| Point { at: at(second), least, greatest });
    assert_eq!(put, expected);
}

#[test]
fn nothing_is_told_of_a_service_that_is_left_out() {
    let (redis, mysql): (ServiceName, ServiceName) = (name("redis"), name("mysql"));
    let a: NodeName = name("a");
    let mut published = Published::default();
    for service in [&redis, &mysql] {
        let (observer, subject) = (a.clone(), a.clone());
        let key = ObservationKey { observer, subject, service: service.clone() };
        let values = points(&[(0, 1.0), (10, 0.0)]);
        published.take(&Question::Observation(key), &values, UNCONTESTED_AFTER);
        let (values, lag) = (&values[..1], Question::Lag(a.clone(), service.clone()));
        published.take(&lag, values, UNCONTESTED_AFTER);
        published.take(&Question::Primary(a.clone(), service.clone()), values, UNCONTESTED_AFTER);
    }
    published.leave_out(&redis);
    let words: Vec<_> = published.observations.iter().map(|(key, _)| &key.service).collect();
    let contested: Vec<_> = published.contested.iter().map(|(_, service, _)| service).collect();
    let lags: Vec<_> = published.lags.iter().map(|(_, service, _)| service).collect();
    let primaries: Vec<_> = published.primaries.iter().map(|(_, service, _)| service).collect();
    assert_eq!([words, contested, lags, primaries], [[&mysql], [&mysql], [&mysql], [&mysql]]);
    assert_eq!(published.incomplete, BTreeSet::from([redis]));
}

use serde_json::json;

use super::*;
use crate::cloudwatch::alarm::StateValue;

/// Noon of some day, in Unix seconds; a whole minute.
const NOON: i64 = 1_700_000_040;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOON + second).expect("in range")
}

fn region(ingestion_ms: i64) -> CloudWatch {
    CloudWatch::new(Settings {
        place: Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() },
        metric_ingestion: SignedDuration::from_millis(ingestion_ms),
        alarm_lag: SignedDuration::ZERO,
        evaluation_range_extra: 2,
        retention: SignedDuration::from_hours(3),
    })
}

fn own_word(period: u32) -> AlarmSpec {
    AlarmSpec::from_cfn(
        "own",
        &json!({
            "Namespace": "N", "MetricName": "SelfHealth", "Statistic": "Minimum", "Period": period, "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 2, "DatapointsToAlarm": 1,
            "TreatMissingData": "breaching",
        }),
    )
    .expect("well formed")
}

fn datum(value: f64) -> Datum {
    Datum {
        metric: own_word(10).metric,
        at: None,
        values: StatisticSet::of(value, 1.0),
        high_resolution: true,
    }
}

/// Runs every deadline up to, not including, a second; gives the changes as second and state.
fn run_to(region: &mut CloudWatch, second: i64) -> Vec<(i64, StateValue)> {
    let mut changes = Vec::new();
    while let Some(now) = region.next_deadline().filter(|due| *due < at(second)) {
        let since = now.as_second() - NOON;
        changes.extend(region.advance(now).iter().map(|change| (since, change.current.value)));
    }
    changes
}

#[test]
fn a_published_zero_alarms_at_the_end_of_its_bucket() {
    let mut region = region(500);
    region.put_alarm(own_word(10), at(-35));
    for second in [-33, -23, -13, -3, 7] {
        run_to(&mut region, second);
        region.put_data("N", vec![datum(1.0)], at(second));
    }
    assert_eq!(region.alarm("own").expect("there").state.value, StateValue::Ok);
    region.put_data("N", vec![datum(0.0)], at(8));
    assert_eq!(run_to(&mut region, 15), [(10, StateValue::Alarm)]);
    let reason = &region.alarm("own").expect("there").state.reason;
    assert!(
        reason.starts_with("Threshold Crossed: 1 out of the last 2 datapoints [0.0 ("),
        "{reason}"
    );
}

#[test]
fn silence_alarms_after_three_empty_buckets() {
    let mut region = region(0);
    region.put_alarm(own_word(10), at(-35));
    for second in [-33, -23, -13, -3] {
        run_to(&mut region, second);
        region.put_data("N", vec![datum(1.0)], at(second));
    }
    assert_eq!(run_to(&mut region, 100), [(30, StateValue::Alarm)]);
    let state = &region.alarm("own").expect("there").state;
    assert_eq!(
        state.reason,
        "Threshold Crossed: 1 datapoint was received for 2 periods and 1 missing datapoint was treated as [Breaching]."
    );
}

#[test]
fn a_late_value_is_missing_at_first() {
    let mut region = region(4_000);
    region.put_alarm(own_word(10), at(1));
    region.put_data("N", vec![datum(1.0)], at(8));
    let range = NOON..NOON + 60;
    assert!(region.read(&datum(1.0).metric, range.clone(), 10, at(11)).is_empty());
    assert_eq!(region.read(&datum(1.0).metric, range, 10, at(12)).len(), 1);
}

#[test]
fn a_new_alarm_is_unchecked_and_an_update_keeps_the_state() {
    let mut region = region(0);
    region.put_alarm(own_word(10), at(1));
    let state = region.alarm("own").expect("there").state.clone();
    assert_eq!(
        (state.value, state.reason.as_str(), state.reason_data),
        (StateValue::InsufficientData, "Unchecked: Initial alarm creation", None)
    );
    assert_eq!(run_to(&mut region, 15), [(10, StateValue::Alarm)]);
    region.put_alarm(own_word(60), at(15));
    let alarm = region.alarm("own").expect("there");
    assert_eq!((alarm.state.value, alarm.spec.period), (StateValue::Alarm, 60));
    assert_eq!(region.next_deadline(), Some(at(60)));
}

#[test]
fn a_set_state_lasts_until_the_next_evaluation() {
    let mut region = region(0);
    region.put_alarm(own_word(10), at(1));
    run_to(&mut region, 15);
    let state = State {
        value: StateValue::Ok,
        reason: "drill".to_owned(),
        reason_data: None,
        since: at(16),
    };
    assert!(!region.set_alarm_state("other", state.clone()));
    assert!(region.set_alarm_state("own", state.clone()));
    assert_eq!(run_to(&mut region, 25), [(16, StateValue::Ok), (20, StateValue::Alarm)]);
    let again = State { value: StateValue::Alarm, ..state };
    assert!(region.set_alarm_state("own", again));
    assert!(run_to(&mut region, 55).is_empty());
}

#[test]
fn minutes_are_evaluated_each_minute_and_coarse_values_fall_on_it() {
    let mut region = region(0);
    region.put_alarm(own_word(60), at(5));
    let coarse = Datum { high_resolution: false, ..datum(1.0) };
    region.put_data("N", vec![coarse], at(59));
    assert_eq!(region.next_deadline(), Some(at(60)));
    assert!(region.read(&datum(1.0).metric, NOON..NOON + 1, 1, at(60)).contains_key(&NOON));
}

#[test]
fn old_values_go() {
    let mut region = region(0);
    region.put_data("N", vec![datum(1.0)], at(0));
    assert_eq!(region.metrics(at(0)).count(), 1);
    let other =
        Datum { metric: MetricId { name: "Other".to_owned(), ..datum(1.0).metric }, ..datum(1.0) };
    region.put_data("N", vec![other], at(3 * 3600 + 1));
    let left: Vec<&str> = region.metrics(at(4 * 3600)).map(|id| id.name.as_str()).collect();
    assert_eq!(left, ["Other"]);
}

use serde_json::{Value, json};

use super::*;

fn spec(periods: u32, to_alarm: u32, missing: &str) -> AlarmSpec {
    let properties = json!({
        "Namespace": "N", "MetricName": "M", "Statistic": "Average", "Period": 300, "Threshold": 50,
        "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": periods,
        "DatapointsToAlarm": to_alarm, "TreatMissingData": missing,
    });
    AlarmSpec::from_cfn("a", &properties).expect("well formed")
}

/// Datapoints from 2019-10-02T16:59:00Z on, five minutes apart.
fn datapoints(values: &[f64]) -> Vec<Datapoint> {
    let seconds = (0..).map(|index| 1_570_035_540 + index * 300);
    seconds.zip(values.iter().map(|value| StatisticSet::of(*value, 1.0))).collect()
}

#[test]
fn sentences_are_those_of_aws() {
    use StateValue::{Alarm, InsufficientData, Ok};
    let table = [
        (
            spec(1, 1, "missing"),
            Alarm,
            vec![99.5],
            "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (02/10/19 16:59:00)] was greater than the \
             threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            spec(3, 2, "missing"),
            Ok,
            vec![1.0, 60.0, 2.0],
            "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (02/10/19 17:09:00), 1.0 (02/10/19 16:59:00)] \
             were not greater than the threshold (50.0) (minimum 2 datapoints for ALARM -> OK transition).",
        ),
        (
            spec(2, 2, "breaching"),
            Alarm,
            vec![],
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as \
             [Breaching].",
        ),
        (
            spec(1, 1, "notBreaching"),
            Ok,
            vec![],
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
             [NonBreaching].",
        ),
        (
            spec(3, 2, "breaching"),
            Alarm,
            vec![1.0],
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as \
             [Breaching].",
        ),
        (
            spec(3, 2, "breaching"),
            Alarm,
            vec![60.0, 70.0],
            "Threshold Crossed: 2 out of the last 3 datapoints [70.0 (02/10/19 17:04:00), 60.0 (02/10/19 16:59:00)] \
             were greater than the threshold (50.0) and 1 missing datapoint was treated as [Breaching] (minimum 2 \
             datapoints for OK -> ALARM transition).",
        ),
        (
            spec(2, 2, "missing"),
            InsufficientData,
            vec![],
            "Insufficient Data: 2 datapoints were unknown.",
        ),
        (
            spec(2, 2, "missing"),
            InsufficientData,
            vec![60.0],
            "Insufficient Data: 1 datapoint was unknown.",
        ),
    ];
    for (spec, to, values, expected) in table {
        assert_eq!(sentence(&spec, to, &datapoints(&values)), expected);
    }
}

#[test]
fn data_carries_the_datapoints() {
    let now = "2019-10-02T17:10:00.5Z".parse().expect("a time");
    let data: Value =
        serde_json::from_str(&data(&spec(2, 1, "missing"), &datapoints(&[1.0, 99.5]), now))
            .expect("JSON");
    assert_eq!(
        data,
        json!({
            "version": "1.0", "queryDate": "2019-10-02T17:10:00.500+0000", "startDate": "2019-10-02T16:59:00.000+0000",
            "statistic": "Average", "period": 300, "recentDatapoints": [1.0, 99.5], "threshold": 50.0,
            "evaluatedDatapoints": [
                {"timestamp": "2019-10-02T17:04:00.000+0000", "sampleCount": 1.0, "value": 99.5},
                {"timestamp": "2019-10-02T16:59:00.000+0000", "sampleCount": 1.0, "value": 1.0},
            ],
        })
    );
}

#[test]
fn data_of_silence_has_no_start() {
    let now = Timestamp::UNIX_EPOCH;
    let data: Value =
        serde_json::from_str(&data(&spec(2, 1, "breaching"), &[], now)).expect("JSON");
    assert_eq!(data.get("startDate"), None);
    assert_eq!(data["recentDatapoints"], json!([]));
}

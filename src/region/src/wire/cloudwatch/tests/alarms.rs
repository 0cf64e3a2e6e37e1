//! Operations on alarms.

use super::*;

#[test]
fn alarms_are_put_described_set_and_deleted() {
    let mut cloudwatch = cloudwatch();
    let alarm = |name: &str| {
        json!({"AlarmName": name, "Namespace": "N", "MetricName": "M", "Statistic": "Minimum", "Period": 10,
            "EvaluationPeriods": 2, "Threshold": 1, "ComparisonOperator": "LessThanThreshold"})
    };
    for name in ["a/1", "a/2", "b/1"] {
        assert_eq!(call(&mut cloudwatch, "PutMetricAlarm", &alarm(name)).0, 200);
    }
    let set = json!({"AlarmName": "a/2", "StateValue": "ALARM", "StateReason": "drill", "StateReasonData": "{}"});
    assert_eq!(call(&mut cloudwatch, "SetAlarmState", &set).0, 200);
    let mut names = |input: Value| -> Vec<String> {
        let (status, answer) = call(&mut cloudwatch, "DescribeAlarms", &input);
        assert_eq!(status, 200, "{answer}");
        let alarms = answer["MetricAlarms"].as_array().expect("a list");
        alarms.iter().filter_map(|alarm| alarm["AlarmName"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(json!({})), ["a/1", "a/2", "b/1"]);
    assert_eq!(names(json!({"AlarmNames": ["b/1", "gone"]})), ["b/1"]);
    assert_eq!(names(json!({"AlarmNamePrefix": "a/"})), ["a/1", "a/2"]);
    assert_eq!(names(json!({"StateValue": "ALARM"})), ["a/2"]);
    assert_eq!(names(json!({"MaxRecords": 2})), ["a/1", "a/2"]);
    assert_eq!(names(json!({"MaxRecords": 2, "NextToken": "after:a/2"})), ["b/1"]);
    assert!(names(json!({"AlarmTypes": ["CompositeAlarm"]})).is_empty());

    for (operation, input) in [
        ("DescribeAlarms", json!({"AlarmNames": ["a"], "AlarmNamePrefix": "a"})),
        ("DescribeAlarms", json!({"MaxRecords": 101})),
        ("DescribeAlarms", json!({"NextToken": "?"})),
        ("SetAlarmState", json!({"AlarmName": "a/1", "StateValue": "ALARM"})),
        ("SetAlarmState", json!({"AlarmName": "a/1", "StateValue": "BAD", "StateReason": "x"})),
        (
            "SetAlarmState",
            json!({"AlarmName": "a/1", "StateValue": "OK", "StateReason": "x", "StateReasonData": "{"}),
        ),
        ("DeleteAlarms", json!({})),
        ("PutMetricAlarm", json!({"AlarmName": "a"})),
    ] {
        assert_eq!(call(&mut cloudwatch, operation, &input).0, 400, "{operation} {input}");
    }
    let gone = json!({"AlarmName": "gone", "StateValue": "OK", "StateReason": "x"});
    assert_eq!(call(&mut cloudwatch, "SetAlarmState", &gone).0, 404);
    assert_eq!(
        call(&mut cloudwatch, "DeleteAlarms", &json!({"AlarmNames": ["a/1", "gone"]})).0,
        404
    );
    assert_eq!(
        call(&mut cloudwatch, "DeleteAlarms", &json!({"AlarmNames": ["a/1", "a/2"]})).0,
        200
    );
    assert_eq!(cloudwatch.alarms().count(), 1);
}

//! Metric data in and out.

use super::*;

#[test]
fn put_metric_data_takes_every_form_of_values() {
    let mut cloudwatch = cloudwatch();
    for extra in [
        json!({"Value": 4}),
        json!({"Values": [1, 7], "Counts": [2, 1]}),
        json!({"Values": [5]}),
        json!({"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 0, "Maximum": 3}}),
        json!({"Value": 9, "Timestamp": 1_709_294_340}),
    ] {
        assert_eq!(call(&mut cloudwatch, "PutMetricData", &health(&extra)).0, 200, "{extra}");
    }
    let (start, end) = window();
    let query = json!({"Namespace": "N", "MetricName": "SelfHealth", "StartTime": start, "EndTime": end, "Period": 60,
        "Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]});
    let response = handle(
        &mut cloudwatch,
        later() + SignedDuration::from_secs(1),
        &json_request("GetMetricStatistics", &query),
    );
    let answer: Value = serde_json::from_slice(&response.body).expect("JSON");
    let expected = json!({"Timestamp": 1_709_294_400.0, "Unit": "None", "SampleCount": 7.0, "Sum": 21.0,
        "Minimum": 0.0, "Maximum": 7.0, "Average": 3.0});
    assert_eq!(answer["Datapoints"], json!([expected]));
}

#[test]
fn put_metric_data_refuses_what_aws_refuses() {
    let many = |count: usize| vec![json!(1); count];
    let dimensions: Vec<Value> =
        (0..31).map(|n| json!({"Name": format!("d{n}"), "Value": "v"})).collect();
    let metrics = vec![json!({"MetricName": "M", "Value": 1}); 1001];
    let table = [
        (
            json!({"MetricData": [{"MetricName": "M", "Value": 1}]}),
            "MissingRequiredParameterException",
        ),
        (json!({"Namespace": "N"}), "MissingRequiredParameterException"),
        (json!({"Namespace": "N", "MetricData": metrics}), "InvalidParameterValueException"),
        (
            json!({"Namespace": "N", "MetricData": [{"Value": 1}]}),
            "MissingRequiredParameterException",
        ),
        (health(&json!({})), "MissingRequiredParameterException"),
        (health(&json!({"Value": "NaN"})), "InvalidParameterValueException"),
        (health(&json!({"Value": "inf"})), "InvalidParameterValueException"),
        (health(&json!({"Value": 1e109})), "InvalidParameterValueException"),
        (health(&json!({"Values": many(151)})), "InvalidParameterValueException"),
        (health(&json!({"Values": [1], "Counts": [1, 2]})), "InvalidParameterValueException"),
        (health(&json!({"Values": [1], "Counts": [-1]})), "InvalidParameterValueException"),
        (health(&json!({"Values": []})), "InvalidParameterValueException"),
        (health(&json!({"Value": 1, "Values": [1]})), "InvalidParameterCombinationException"),
        (health(&json!({"StatisticValues": {"Sum": 1}})), "MissingRequiredParameterException"),
        (health(&json!({"Value": 1, "Dimensions": dimensions})), "InvalidParameterValueException"),
        (health(&json!({"Value": 1, "StorageResolution": 10})), "InvalidParameterValueException"),
        (
            health(&json!({"Value": 1, "Timestamp": "2024-02-15T12:00:00Z"})),
            "InvalidParameterValueException",
        ),
        (
            health(&json!({"Value": 1, "Timestamp": "2024-03-01T14:01:00Z"})),
            "InvalidParameterValueException",
        ),
    ];
    let mut cloudwatch = cloudwatch();
    for (input, expected) in table {
        let (status, answer) = call(&mut cloudwatch, "PutMetricData", &input);
        let kind = answer["__type"].as_str().unwrap_or_default();
        assert!(status == 400 && kind.ends_with(expected), "{answer}");
    }
    assert!(cloudwatch.journal.is_empty(), "nothing of a refused request counts");
}

#[test]
fn get_metric_data_answers_each_query() {
    let mut cloudwatch = cloudwatch();
    for (second, value) in [(0, 1), (10, 0), (20, 1)] {
        let datum = health(&json!({"Value": value, "Timestamp": 1_709_294_400 + second}));
        let request = json_request("PutMetricData", &datum);
        handle(&mut cloudwatch, now(), &request);
    }
    let query = |id: &str, stat: &str, period: u32| {
        let metric = json!({"Namespace": "N", "MetricName": "SelfHealth"});
        json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}})
    };
    let (start, end) = window();
    let mut input = json!({"StartTime": start, "EndTime": end, "ScanBy": "TimestampAscending", "MetricDataQueries":
        [query("a", "Minimum", 10), query("b", "Average", 60)]});
    let (_, answer) = call(&mut cloudwatch, "GetMetricData", &input);
    let results = &answer["MetricDataResults"];
    assert_eq!(results[0]["Values"], json!([1.0, 0.0, 1.0]));
    assert_eq!(
        results[0]["Timestamps"],
        json!([1_709_294_400.0, 1_709_294_410.0, 1_709_294_420.0])
    );
    assert_eq!(
        (&results[0]["StatusCode"], &results[0]["Label"]),
        (&json!("Complete"), &json!("SelfHealth"))
    );
    assert_eq!(results[1]["Values"].as_array().map(Vec::len), Some(1));

    input["ScanBy"] = json!("TimestampDescending");
    input["MaxDatapoints"] = json!(2);
    let (_, answer) = call(&mut cloudwatch, "GetMetricData", &input);
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([1.0, 0.0]));
    assert_eq!(answer["MetricDataResults"][1]["StatusCode"], json!("PartialData"));

    for (name, value) in [
        ("MetricDataQueries", json!([query("a", "Sum", 10), query("a", "Sum", 10)])),
        ("MetricDataQueries", json!(vec![query("a", "Sum", 10); 501])),
        ("MetricDataQueries", json!([query("a", "p99", 10)])),
        ("MetricDataQueries", json!([query("a", "Sum", 15)])),
        ("MetricDataQueries", json!([{"Id": "e", "Expression": "a+b"}])),
        ("MetricDataQueries", json!([])),
        ("ScanBy", json!("Random")),
        ("EndTime", json!("2024-03-01T11:00:00Z")),
    ] {
        let mut wrong = input.clone();
        wrong[name] = value;
        assert_eq!(call(&mut cloudwatch, "GetMetricData", &wrong).0, 400, "{wrong}");
    }
}

#[test]
fn metrics_are_listed_once_visible() {
    let mut cloudwatch = cloudwatch();
    let datum = health(&json!({"Value": 1, "Dimensions": [{"Name": "Service", "Value": "redis"}]}));
    handle(&mut cloudwatch, now(), &json_request("PutMetricData", &datum));
    let listed = |cloudwatch: &mut CloudWatch, input: Value| {
        let (_, answer) = call(cloudwatch, "ListMetrics", &input);
        answer["Metrics"].as_array().map(Vec::len)
    };
    assert_eq!(listed(&mut cloudwatch, json!({"Namespace": "N"})), Some(1));
    assert_eq!(listed(&mut cloudwatch, json!({"MetricName": "Other"})), Some(0));
    assert_eq!(listed(&mut cloudwatch, json!({"Dimensions": [{"Name": "Service"}]})), Some(1));
    let mysql = json!({"Dimensions": [{"Name": "Service", "Value": "mysql"}]});
    assert_eq!(listed(&mut cloudwatch, mysql), Some(0));
    let response = handle(&mut cloudwatch, now(), &json_request("ListMetrics", &json!({})));
    assert_eq!(body_text(&response), r#"{"Metrics":[]}"#);
}

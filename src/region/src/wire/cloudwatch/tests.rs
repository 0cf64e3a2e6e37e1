mod alarms;
mod metrics;

use std::collections::BTreeMap;
use std::io::Write;

use ciborium::Value as Cbor;
use jiff::SignedDuration;
use serde_json::json;
use vipward_region_model::Place;
use vipward_region_model::cloudwatch::Settings;

use super::*;

fn now() -> Timestamp {
    "2024-03-01T12:00:07Z".parse().expect("a time")
}

fn later() -> Timestamp {
    now() + SignedDuration::from_secs(1)
}

fn cloudwatch() -> CloudWatch {
    CloudWatch::new(Settings {
        place: Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() },
        metric_ingestion: SignedDuration::from_millis(500),
        alarm_lag: SignedDuration::ZERO,
        evaluation_range_extra: 2,
        retention: SignedDuration::from_hours(3),
    })
}

fn request(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: headers.collect::<BTreeMap<_, _>>(),
        body: body.to_vec(),
    }
}

fn json_request(operation: &str, input: &Value) -> Request {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    request("/", &[("x-amz-target", &target)], input.to_string().as_bytes())
}

fn cbor_request(operation: &str, input: &Cbor) -> Request {
    let mut body = Vec::new();
    ciborium::into_writer(input, &mut body).expect("writes");
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    request(&path, &[("smithy-protocol", "rpc-v2-cbor")], &body)
}

fn query_request(form: &str) -> Request {
    request("/", &[], form.as_bytes())
}

fn call(cloudwatch: &mut CloudWatch, operation: &str, input: &Value) -> (u16, Value) {
    let response = handle(cloudwatch, later(), &json_request(operation, input));
    (response.status, serde_json::from_slice(&response.body).expect("JSON"))
}

fn body_text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).expect("text")
}

fn window() -> (String, String) {
    ("2024-03-01T12:00:00Z".to_owned(), "2024-03-01T12:01:00Z".to_owned())
}

fn health(extra: &Value) -> Value {
    let mut datum = json!({"MetricName": "SelfHealth", "StorageResolution": 1});
    for (name, value) in extra.as_object().expect("an object") {
        datum[name] = value.clone();
    }
    json!({"Namespace": "N", "MetricData": [datum]})
}

#[test]
fn the_three_protocols_say_the_same() {
    let mut cloudwatch = cloudwatch();
    let form = "Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.MetricName=SelfHealth\
        &MetricData.member.1.Value=1&MetricData.member.1.StorageResolution=1";
    let requests = [
        json_request("PutMetricData", &health(&json!({"Value": 1}))),
        query_request(form),
        cbor_request(
            "PutMetricData",
            &Cbor::serialized(&health(&json!({"Value": 1.0}))).expect("CBOR"),
        ),
    ];
    for request in &requests {
        assert_eq!(operation(request), "PutMetricData");
        assert_eq!(handle(&mut cloudwatch, now(), request).status, 200);
    }
    let (start, end) = window();
    let query = json!({"Namespace": "N", "MetricName": "SelfHealth", "StartTime": start, "EndTime": end,
        "Period": 10, "Statistics": ["SampleCount"]});
    let response = handle(&mut cloudwatch, later(), &json_request("GetMetricStatistics", &query));
    let answer: Value = serde_json::from_slice(&response.body).expect("JSON");
    let point = json!({"SampleCount": 3.0, "Timestamp": 1_709_294_400.0, "Unit": "None"});
    assert_eq!(answer, json!({"Datapoints": [point], "Label": "SelfHealth"}));
    let form = format!(
        "Action=GetMetricStatistics&Namespace=N&MetricName=SelfHealth&StartTime={start}&EndTime={end}&Period=10\
         &Statistics.member.1=SampleCount"
    );
    let response = handle(&mut cloudwatch, later(), &query_request(&form));
    assert!(body_text(&response).contains(
        "<GetMetricStatisticsResult><Datapoints><member><Timestamp>2024-03-01T12:00:00.000Z</Timestamp>\
         <SampleCount>3.0</SampleCount>"
    ));
    let mut query = query;
    query["StartTime"] = json!(1_709_294_400);
    query["EndTime"] = json!(1_709_294_460);
    let query = Cbor::serialized(&query).expect("CBOR");
    let response = handle(&mut cloudwatch, later(), &cbor_request("GetMetricStatistics", &query));
    let answer: Cbor = ciborium::from_reader(response.body.as_slice()).expect("CBOR");
    let time = Cbor::Tag(1, Box::new(Cbor::Float(1_709_294_400.0)));
    let found = format!("{answer:?}");
    assert!(found.contains(&format!("{time:?}")), "{found}");
    let protocol = ("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
    assert!(response.headers.contains(&protocol));
}

#[test]
fn errors_are_shaped_for_their_protocol() {
    let mut cloudwatch = cloudwatch();
    let response = handle(
        &mut cloudwatch,
        now(),
        &json_request("DeleteAlarms", &json!({"AlarmNames": ["x"]})),
    );
    assert_eq!(response.status, 404);
    let header = ("x-amzn-query-error".to_owned(), "ResourceNotFound;Sender".to_owned());
    assert!(response.headers.contains(&header));
    assert!(body_text(&response).contains("com.amazonaws.cloudwatch#ResourceNotFound"));

    let response =
        handle(&mut cloudwatch, now(), &query_request("Action=DeleteAlarms&AlarmNames.member.1=x"));
    assert_eq!(response.status, 404);
    assert!(body_text(&response).contains("<Code>ResourceNotFound</Code>"));

    let input = Cbor::Map(vec![("Namespace".into(), "AWS/EC2".into())]);
    let response = handle(&mut cloudwatch, now(), &cbor_request("PutMetricData", &input));
    let answer: BTreeMap<String, String> =
        ciborium::from_reader(response.body.as_slice()).expect("CBOR");
    assert_eq!(response.status, 400);
    assert_eq!(answer["__type"], "com.amazonaws.cloudwatch#InvalidParameterValueException");

    for broken in [
        request("/", &[("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")], b"{"),
        request("/service/X/operation/ListMetrics", &[("smithy-protocol", "rpc-v2-cbor")], b"\xbf"),
        request("/", &[("content-encoding", "gzip")], b"not gzip"),
        json_request("NoSuchOperation", &json!({})),
        query_request(""),
    ] {
        assert_eq!(handle(&mut cloudwatch, now(), &broken).status, 400);
    }
    let throttled = ApiError::new("Throttling", 400, "Rate exceeded");
    assert!(body_text(&refuse(&query_request(""), &throttled)).contains("<Code>Throttling</Code>"));
}

#[test]
fn a_gzip_body_is_read_and_a_bomb_is_not() {
    let mut cloudwatch = cloudwatch();
    let pack = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).expect("writes");
        encoder.finish().expect("finishes")
    };
    let mut request = json_request("PutMetricData", &health(&json!({"Value": 1})));
    request.headers.insert("content-encoding".to_owned(), "gzip".to_owned());
    request.body = pack(&request.body);
    assert_eq!(handle(&mut cloudwatch, now(), &request).status, 200);
    request.body = pack(&vec![b' '; 17 << 20]);
    assert_eq!(handle(&mut cloudwatch, now(), &request).status, 413);
    request.body = vec![0; (1 << 20) + 1];
    assert_eq!(handle(&mut cloudwatch, now(), &request).status, 413);
}

use jiff::SignedDuration;
use vipward_region_model::Place;
use vipward_region_model::events::Settings;
use vipward_region_model::fault::Faults;

use super::*;

fn now() -> Timestamp {
    "2024-03-01T12:00:07.25Z".parse().expect("a time")
}

fn bus() -> EventBridge {
    EventBridge::new(Settings {
        place: Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() },
        event_delivery: SignedDuration::ZERO,
    })
}

fn call(events: &mut EventBridge, operation: &str, input: &Value) -> (u16, Value) {
    let mut request = Request {
        method: "POST".to_owned(),
        body: input.to_string().into_bytes(),
        ..Request::default()
    };
    let target = format!("AWSEvents.{operation}");
    request.headers.insert("x-amz-target".to_owned(), target);
    let response = handle(events, now(), &request);
    (response.status, serde_json::from_slice(&response.body).expect("JSON"))
}

fn entry(source: &str, detail: &str) -> Value {
    json!({"Source": source, "DetailType": "T", "Detail": detail})
}

fn with_rule(events: &mut EventBridge, pattern: &Value) {
    let rule = json!({"Name": "r", "EventPattern": pattern.to_string()});
    assert_eq!(call(events, "PutRule", &rule).0, 200);
    let targets = json!({"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:t"}]});
    assert_eq!(call(events, "PutTargets", &targets).0, 200);
}

#[test]
fn an_entry_becomes_a_whole_event() {
    let mut events = bus();
    with_rule(&mut events, &json!({"source": ["mine"]}));
    let mut timed = entry("mine", r#"{"a":1}"#);
    timed["Time"] = json!(1_570_035_880);
    timed["Resources"] = json!(["arn:r"]);
    let input = json!({"Entries": [entry("mine", "{}"), timed]});
    let (status, answer) = call(&mut events, "PutEvents", &input);
    assert_eq!((status, &answer["FailedEntryCount"]), (200, &json!(0)));
    let arrived = events.advance(now(), &mut Faults::default());
    assert_eq!(arrived[0].event["time"], json!("2024-03-01T12:00:07Z"));
    assert_eq!(
        arrived[1].event,
        json!({
            "version": "0", "id": answer["Entries"][1]["EventId"], "detail-type": "T", "source": "mine",
            "account": "123456789012", "time": "2019-10-02T17:04:40Z", "region": "us-east-1",
            "resources": ["arn:r"], "detail": {"a": 1},
        })
    );
    assert_ne!(arrived[0].id, arrived[1].id);
}

#[test]
fn entries_fail_one_by_one() {
    let mut events = bus();
    let mut elsewhere = entry("mine", "{}");
    elsewhere["EventBusName"] = json!("other");
    let wrong_type = json!({"Source": "mine", "DetailType": [], "Detail": "{}"});
    let input = json!({"Entries": [
        entry("mine", "{}"), entry("aws.ec2", "{}"), entry("mine", "{"), entry("mine", "[1]"), elsewhere,
        json!({"Source": "mine", "Detail": "{}"}), wrong_type,
    ]});
    let (status, answer) = call(&mut events, "PutEvents", &input);
    assert_eq!((status, &answer["FailedEntryCount"]), (200, &json!(6)));
    let entries = answer["Entries"].as_array().expect("a list");
    let codes: Vec<&str> = entries.iter().map(|e| e["ErrorCode"].as_str().unwrap_or("-")).collect();
    assert_eq!(
        codes,
        [
            "-",
            "NotAuthorizedForSourceException",
            "MalformedDetail",
            "MalformedDetail",
            "ResourceNotFoundException",
            "InvalidArgument",
            "InvalidArgument"
        ]
    );
    assert_eq!(events.journal.len(), 1);
}

#[test]
fn requests_beyond_the_limits_fail_whole() {
    let mut events = bus();
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(256 * 1024));
    for input in [
        json!({}),
        json!({"Entries": []}),
        json!({"Entries": vec![entry("mine", "{}"); 11]}),
        json!({"Entries": [entry("mine", &large)]}),
    ] {
        let (status, answer) = call(&mut events, "PutEvents", &input);
        assert_eq!((status, &answer["__type"]), (400, &json!("ValidationException")));
    }
    assert!(events.journal.is_empty());
}

#[test]
fn rules_are_put_shown_and_deleted() {
    let mut events = bus();
    let pattern = json!({"source": ["mine"]});
    with_rule(&mut events, &pattern);
    let schedule = json!({"Name": "s", "ScheduleExpression": "rate(1 minute)", "State": "DISABLED", "Description": "d"});
    let (_, answer) = call(&mut events, "PutRule", &schedule);
    assert_eq!(answer["RuleArn"], "arn:aws:events:us-east-1:123456789012:rule/s");
    let (_, answer) = call(&mut events, "DescribeRule", &json!({"Name": "r"}));
    assert_eq!(
        (&answer["State"], &answer["EventPattern"]),
        (&json!("ENABLED"), &json!(pattern.to_string()))
    );
    let (_, answer) = call(&mut events, "ListRules", &json!({"NamePrefix": "s"}));
    assert_eq!(answer["Rules"][0]["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(answer["Rules"].as_array().map(Vec::len), Some(1));
    let (_, answer) = call(&mut events, "ListTargetsByRule", &json!({"Rule": "r"}));
    assert_eq!(answer["Targets"], json!([{"Id": "1", "Arn": "arn:t"}]));

    let (status, _) = call(&mut events, "DeleteRule", &json!({"Name": "r"}));
    assert_eq!(status, 400, "it has targets");
    assert_eq!(call(&mut events, "RemoveTargets", &json!({"Rule": "r", "Ids": ["1"]})).0, 200);
    assert_eq!(call(&mut events, "DeleteRule", &json!({"Name": "r"})).0, 200);
    assert_eq!(call(&mut events, "DeleteRule", &json!({"Name": "r"})).0, 200);
    for (operation, input, kind) in [
        ("DescribeRule", json!({"Name": "r"}), "ResourceNotFoundException"),
        ("PutTargets", json!({"Rule": "r", "Targets": []}), "ResourceNotFoundException"),
        ("PutRule", json!({"Name": "x", "EventPattern": "{"}), "InvalidEventPatternException"),
        ("PutRule", json!({"Name": "x", "EventPattern": "{}"}), "InvalidEventPatternException"),
        ("PutRule", json!({"Name": "x"}), "ValidationException"),
        ("PutRule", json!({"ScheduleExpression": "rate(1 day)"}), "ValidationException"),
        ("ListRules", json!({"EventBusName": "other"}), "ResourceNotFoundException"),
        ("NoSuch", json!({}), "UnknownOperationException"),
    ] {
        let (status, answer) = call(&mut events, operation, &input);
        assert_eq!((status, &answer["__type"]), (400, &json!(kind)), "{operation} {input}");
    }
    let broken = Request::default();
    assert_eq!(handle(&mut events, now(), &broken).status, 400);
    assert_eq!(operation(&broken), "");
}

#[test]
fn patterns_can_be_tried_out() {
    let mut events = bus();
    let event = json!({"id": "1", "account": "1", "source": "mine", "time": "t", "region": "r", "resources": [],
        "detail-type": "T"});
    for (pattern, expected) in
        [(json!({"source": ["mine"]}), true), (json!({"source": ["x"]}), false)]
    {
        let input = json!({"EventPattern": pattern.to_string(), "Event": event.to_string()});
        assert_eq!(
            call(&mut events, "TestEventPattern", &input),
            (200, json!({"Result": expected}))
        );
    }
    let input = json!({"EventPattern": "{\"source\":[\"x\"]}", "Event": "{}"});
    assert_eq!(call(&mut events, "TestEventPattern", &input).0, 400);
}

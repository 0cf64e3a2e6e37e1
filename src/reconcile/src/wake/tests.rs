//! Events as AWS shapes them, and what is refused.

use super::*;
use crate::fake::{config, start};
use serde_json::json;

const ALARM: &str = include_str!("../../fixtures/alarm.json");

fn parsed(event: &Value) -> Result<Wake, String> {
    parse(&config(), event, start()).map_err(|refusal| vipward_core::text::chain(&refusal))
}

fn event(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({ "version": "0", "id": "1", "source": source, "detail-type": detail_type,
            "time": "2026-09-21T14:13:19Z", "detail": detail })
}

fn hint(cluster: &str, version: u32) -> Value {
    json!({ "version": version, "cluster": cluster, "start_id": "s", "sequence": 1,
            "config_digest": "d", "observations": [
                { "subject": "a", "service": "redis", "verdict": "unhealthy", "held_ms": 5 } ] })
}

#[test]
fn an_alarm_of_ours_is_heard() {
    let event: Value = serde_json::from_str(ALARM).expect("the fixture is JSON");
    let name = "vipward/prod-db/redis/resource-01/self".parse().expect("an alarm's name");
    let example = Config::parse("example", include_str!("../../../../infra/example/vipward.toml"));
    let wake = parse(&example.expect("the example is right"), &event, start());
    assert_eq!(wake.expect("ours"), Wake::Alarm(name));
    assert!(
        parsed(&event)
            .expect_err("another cluster's")
            .contains("not in this cluster's configuration")
    );
}

#[test]
fn the_other_wake_ups_are_told_by_source_and_type() {
    let instance = event(
        "aws.ec2",
        "EC2 Instance State-change Notification",
        &json!({ "instance-id": "i-1", "state": "stopped" }),
    );
    assert_eq!(parsed(&instance), Ok(Wake::Instance("i-1".to_owned())));
    assert_eq!(parsed(&event("aws.events", "Scheduled Event", &json!({}))), Ok(Wake::Schedule));
    assert_eq!(parsed(&json!({ "command": "status" })), Ok(Wake::Command(Command::Status)));
    let redis = Some("redis".parse().expect("a name"));
    assert_eq!(
        parsed(&json!({ "command": "explain", "service": "redis" })),
        Ok(Wake::Command(Command::Explain { service: redis }))
    );
}

#[test]
fn a_hint_speaks_for_its_source_at_its_time() {
    let heard = parsed(&event("vipward.agent.test.b", HINT_DETAIL_TYPE, &hint("test", 1)));
    let Ok(Wake::Hint(heard)) = heard else { panic!("{heard:?}") };
    assert_eq!(heard.observer.as_str(), "b");
    assert_eq!(heard.at, start() - jiff::SignedDuration::from_secs(1));
}

#[test]
fn a_hint_from_the_future_is_of_now() {
    let mut event = event("vipward.agent.test.b", HINT_DETAIL_TYPE, &hint("test", 1));
    event["time"] = json!("2999-01-01T00:00:00Z");
    let Ok(Wake::Hint(heard)) = parsed(&event) else { panic!("it is a hint") };
    assert_eq!(heard.at, start());
}

#[test]
fn of_a_hint_is_kept_what_the_file_names_once_and_texts_of_a_line() {
    let said = |subject: &str, service: &str| {
        let cause = "é".repeat(1_000);
        json!({ "subject": subject, "service": service, "verdict": "healthy", "held_ms": 5, "cause": cause })
    };
    let mut hint = hint("test", 1);
    hint["config_digest"] = json!("d".repeat(260_000));
    hint["start_id"] = json!("s".repeat(260_000));
    let said = [("b", "redis"), ("z", "redis"), ("b", "nosuch"), ("a", "redis"), ("b", "redis")]
        .map(|(subject, service)| said(subject, service));
    hint["observations"] = json!(said);
    let heard = parsed(&event("vipward.agent.test.b", HINT_DETAIL_TYPE, &hint));
    let Ok(Wake::Hint(heard)) = heard else { panic!("{heard:?}") };
    let kept = heard.hint.observations.iter().map(|said| said.subject.as_str());
    assert_eq!(kept.collect::<Vec<_>>(), ["b", "a"]);
    let causes = heard.hint.observations.iter().flat_map(|said| &said.cause);
    let texts = [&heard.hint.config_digest, &heard.hint.start_id].into_iter().chain(causes);
    assert!(texts.map(String::len).all(|bytes| bytes == LONGEST_TEXT));
}

#[test]
fn what_is_not_ours_or_not_right_is_refused_with_its_reason() {
    let alarm = |name: &str| {
        let detail = json!({ "alarmName": name });
        event("aws.cloudwatch", "CloudWatch Alarm State Change", &detail)
    };
    let from = |source: &str, detail: &Value| event(source, HINT_DETAIL_TYPE, detail);
    let mut replay = alarm("vipward/test/redis/a/self");
    replay["replay-name"] = json!("r");
    let mut timeless = from("vipward.agent.test.b", &hint("test", 1));
    timeless["time"] = Value::Null;
    for (event, reason) in [
        (json!(null), "neither an event nor a command"),
        (json!({ "a": 1 }), "neither an event nor a command"),
        (json!("text"), "neither an event nor a command"),
        (event("aws.s3", "Object Created", &json!({})), "vipward does not handle"),
        (event("evil", "CloudWatch Alarm State Change", &json!({})), "vipward does not handle"),
        (alarm("cpu-high"), "not the name of a vipward alarm"),
        (alarm("vipward/other/redis/a/self"), "not in this cluster's configuration"),
        (alarm("vipward/test/nosuch/a/self"), "not in this cluster's configuration"),
        (alarm("vipward/test/redis/z/self"), "not in this cluster's configuration"),
        (event("aws.cloudwatch", "CloudWatch Alarm State Change", &json!({})), "alarmName"),
        (replay, "replayed from an archive"),
        (from("vipward.agent.test.z", &hint("test", 1)), "no agent of this cluster"),
        (from("vipward.agent.other.b", &hint("other", 1)), "no agent of this cluster"),
        (from("me", &hint("test", 1)), "no agent of this cluster"),
        (from("vipward.agent.test.b", &hint("other", 1)), "for cluster other"),
        (from("vipward.agent.test.b", &hint("test", 2)), "version 2"),
        (from("vipward.agent.test.b", &json!({})), "missing field"),
        (timeless, "no time"),
        (json!({ "command": "destroy" }), "unknown variant"),
        (json!({ "command": "explain", "service": "NO" }), "not a name"),
    ] {
        let refusal = parsed(&event).expect_err("it is refused");
        assert!(refusal.contains(reason), "expected {reason:?} in {refusal:?}");
    }
}

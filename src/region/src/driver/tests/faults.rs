//! The control API and injected faults.

use serde_json::Value;

use super::{Lab, client, lab};

const SIGNED: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20260102/us-east-1/ec2/aws4_request");
const MOVE: &str = "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=127.0.0.100&AllowReassignment=true";
const WHO: &str = "Action=DescribeNetworkInterfaces&Filter.1.Name=addresses.private-ip-address&Filter.1.Value.1=127.0.0.100";

async fn ec2(lab: &Lab, form: &str) -> Option<client::Answer> {
    client::call(lab.endpoint(), "POST", "/", &[SIGNED], form).await
}

async fn holder(lab: &Lab) -> String {
    let state = lab.control("GET", "state", "").await;
    let state: Value = serde_json::from_str(&state.body).expect("JSON");
    state["holders"]["127.0.0.100"].as_str().expect("held").to_owned()
}

#[tokio::test]
async fn an_injected_error_hits_as_often_as_it_says_and_has_no_effect() {
    let mut lab = lab("").await;
    let fault = r#"[{"on":"ec2:AssignPrivateIpAddresses","kind":"error","code":"RequestLimitExceeded","status":503,"times":1}]"#;
    assert_eq!(lab.control("POST", "faults", fault).await.status, 204);
    let refused = ec2(&lab, MOVE).await.expect("an answer");
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("<Code>RequestLimitExceeded</Code>"));
    assert_eq!(lab.told("fault").await["on"], "ec2:AssignPrivateIpAddresses");
    let told = lab.told("api").await;
    assert_eq!((&told["status"], &told["principal"]), (&503.into(), &"AKIATEST".into()));
    assert_eq!(holder(&lab).await, "eni-01");
    assert_eq!(ec2(&lab, MOVE).await.expect("an answer").status, 200);
    assert_eq!(holder(&lab).await, "eni-02");
    lab.running.stop().await;
}

#[tokio::test]
async fn a_lost_reply_has_its_effect_and_no_answer() {
    let mut lab = lab("").await;
    let fault = r#"[{"on":"ec2:AssignPrivateIpAddresses","kind":"lost-reply","times":1}]"#;
    lab.control("POST", "faults", fault).await;
    assert!(ec2(&lab, MOVE).await.is_none());
    assert_eq!(lab.told("assigned").await["from"]["127.0.0.100"], "eni-01");
    assert_eq!(lab.told("api").await["status"], 0);
    assert_eq!(holder(&lab).await, "eni-02");
    lab.running.stop().await;
}

#[tokio::test]
async fn a_delayed_change_takes_effect_though_its_client_has_gone() {
    let mut lab = lab("").await;
    let fault = r#"[{"on":"ec2:AssignPrivateIpAddresses","kind":"delay","ms":500,"times":1}]"#;
    lab.control("POST", "faults", fault).await;
    let call = client::send("127.0.0.1", lab.endpoint(), "POST", "/", &[SIGNED], MOVE).await;
    assert_eq!(lab.told("fault").await["kind"], "delay");
    drop(call);
    assert_eq!(holder(&lab).await, "eni-01");
    assert_eq!(lab.told("assigned").await["from"]["127.0.0.100"], "eni-01");
    assert_eq!(lab.told("api").await["status"], 200);
    assert_eq!(holder(&lab).await, "eni-02");
    lab.running.stop().await;
}

#[tokio::test]
async fn a_delayed_change_is_over_when_the_region_stops() {
    let mut lab = lab("").await;
    let fault = r#"[{"on":"ec2:*","kind":"delay","ms":600000}]"#;
    lab.control("POST", "faults", fault).await;
    let _call = client::send("127.0.0.1", lab.endpoint(), "POST", "/", &[SIGNED], MOVE).await;
    lab.told("fault").await;
    lab.running.stop().await;
    while let Some(line) = lab.journal.recv().await {
        assert_ne!(line["event"], "assigned");
    }
}

#[tokio::test]
async fn a_stale_read_names_the_old_holder_until_the_fault_is_lifted() {
    let lab = lab("").await;
    let fault = r#"[{"on":"ec2:DescribeNetworkInterfaces","kind":"stale","ms":600000}]"#;
    lab.control("POST", "faults", fault).await;
    ec2(&lab, MOVE).await.expect("moved");
    assert!(ec2(&lab, WHO).await.expect("an answer").body.contains("eni-01"));
    assert_eq!(lab.control("DELETE", "faults", "").await.status, 204);
    assert!(ec2(&lab, WHO).await.expect("an answer").body.contains("eni-02"));
    lab.running.stop().await;
}

#[tokio::test]
async fn a_duplicated_delivery_invokes_twice_for_one_event() {
    let mut lab = lab("").await;
    let fault = r#"[{"on":"events:deliver","kind":"duplicate","times":1}]"#;
    lab.control("POST", "faults", fault).await;
    let event = r#"{"id":"e-1","source":"vipward.agent.prod-db.resource-01","detail-type":"x","detail":{}}"#;
    assert_eq!(lab.control("POST", "events", event).await.status, 204);
    let first = lab.told("invoked").await;
    let second = lab.told("invoked").await;
    assert_ne!(first["request_id"], second["request_id"]);
    lab.running.stop().await;
}

#[tokio::test]
async fn what_the_control_api_does_not_know_it_refuses() {
    let lab = lab("").await;
    for (method, path, body, status, text) in [
        ("POST", "faults", "{}", 400, "expected a sequence"),
        ("POST", "faults", r#"[{"on":"ec2:*","kind":"eror"}]"#, 400, "is not one of"),
        ("POST", "instances/i-09/state", r#"{"state":"stopped"}"#, 400, "does not exist"),
        ("POST", "instances/i-01/state", r#"{"state":"asleep"}"#, 400, "unknown variant"),
        ("GET", "nothing", "", 404, "no such resource"),
    ] {
        let answer = lab.control(method, path, body).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains(text), "{path}: {}", answer.body);
    }
    let foreign = client::call(lab.endpoint(), "POST", "/", &[], "hello").await;
    assert_eq!(foreign.expect("an answer").status, 404);
    lab.running.stop().await;
}

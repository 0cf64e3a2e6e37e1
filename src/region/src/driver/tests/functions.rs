//! Functions: real processes behind the Runtime API.

use super::lab;

#[tokio::test]
async fn an_invocation_goes_through_the_runtime_api_and_back() {
    let mut lab = lab("").await;
    let (answer, error) = lab.invoke(r#"{"do":"echo","n":7}"#).await;
    assert_eq!(error, None);
    assert_eq!(answer["event"]["n"], 7);
    assert_eq!(answer["arn"], "arn:aws:lambda:us-east-1:123456789012:function:vipward-failover");
    let left = answer["seconds_left"].as_f64().expect("a number");
    assert!(left <= 2.0, "the deadline is that of the function's timeout: {left}");
    let environment = &answer["environment"];
    assert_eq!(environment["AWS_ENDPOINT_URL"], lab.endpoint());
    assert_eq!(environment["VIPWARD_CONFIG"], format!("{}/vipward.toml", super::FIXTURES));
    assert_eq!(environment.get("HOME"), None, "nothing of our own environment leaks");

    let line = lab.told("function-log").await;
    assert_eq!(line["line"], "stand-in does echo ");
    let (answer, _) = lab.invoke("").await;
    assert_eq!(answer["served"], 2, "the same process serves again");
    lab.running.stop().await;
}

#[tokio::test]
async fn an_error_a_crash_and_a_hang_are_error_answers_and_the_next_invocation_works() {
    let mut lab = lab("").await;
    for (event, kind, text) in [
        (r#"{"do":"error"}"#, "StandIn", "as asked"),
        (r#"{"do":"crash"}"#, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        (r#"{"do":"hang"}"#, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
    ] {
        let (answer, error) = lab.invoke(event).await;
        assert_eq!(error.as_deref(), Some("Unhandled"), "{event}");
        assert_eq!(answer["errorType"], kind);
        let message = answer["errorMessage"].as_str().expect("text");
        assert!(message.contains(text), "{message}");
        assert_eq!(lab.told("invocation-ended").await["ok"], false);
        assert_eq!(lab.invoke("{}").await.1, None, "after {event}");
        assert_eq!(lab.told("invocation-ended").await["ok"], true);
    }
    lab.running.stop().await;
}

#[tokio::test]
async fn an_init_error_is_the_answer() {
    let lab = lab("").await;
    let answer = lab.invoke_as("RequestResponse", "Broken", "{}").await;
    assert_eq!(answer.headers["x-amz-function-error"], "Unhandled");
    assert!(answer.body.contains("StandIn.Init"), "{}", answer.body);
    lab.running.stop().await;
}

#[tokio::test]
async fn a_failing_asynchronous_event_is_retried_with_its_request_id_then_dropped() {
    let mut lab = lab("").await;
    let accepted = lab.invoke_as("Event", "vipward-failover", r#"{"do":"error"}"#).await;
    assert_eq!(accepted.status, 202);
    for _ in 0..2 {
        let invoked = lab.told("invoked").await;
        assert_eq!(invoked["kind"], "async");
        assert_eq!(invoked["request_id"], accepted.headers["x-amzn-requestid"].as_str());
    }
    assert_eq!(lab.told("invocation-dropped").await["reason"], "RetriesExhausted");
    lab.running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_invoked_is_refused() {
    let lab = lab("").await;
    for (kind, function, event, status, error) in [
        ("RequestResponse", "nobody", "{}", 404, "ResourceNotFoundException"),
        ("RequestResponse", "Broken", "{", 400, "InvalidRequestContentException"),
        ("Sometimes", "Broken", "{}", 400, "InvalidParameterValueException"),
    ] {
        let answer = lab.invoke_as(kind, function, event).await;
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].as_str()), (status, error));
    }
    assert_eq!(lab.invoke_as("DryRun", "Broken", "{}").await.status, 204);
    lab.running.stop().await;
}

#[tokio::test]
async fn an_instances_state_change_reaches_the_function_by_its_rule() {
    let mut lab = lab("").await;
    let done = lab.control("POST", "instances/i-01/state", r#"{"state":"stopped"}"#).await;
    assert_eq!(done.status, 204);
    assert_eq!(lab.told("instance-state").await["to"], "stopped");
    assert_eq!(lab.told("event-delivered").await["rule"], "OnInstance");
    let line = lab.told("function-log").await;
    assert_eq!(line["line"], "stand-in does echo EC2 Instance State-change Notification");
    lab.running.stop().await;
}

#[tokio::test]
async fn stopping_the_region_ends_its_processes() {
    let mut lab = lab("").await;
    lab.invoke("{}").await;
    let accepted = lab.invoke_as("Event", "vipward-failover", r#"{"do":"hang"}"#).await;
    assert_eq!(accepted.status, 202);
    lab.told("function-log").await;
    lab.told("function-log").await;
    // Returns only once the process, asleep for minutes, is reaped.
    lab.running.stop().await;
}

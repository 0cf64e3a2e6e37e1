//! `vipward status` and `vipward explain`, against Lambda's wire format.

use std::fs;

use crate::lambda::{Answer, Request, answering_once};
use crate::running::{Run, fixture, root, vipward, vipward_against};

const INVOKE: &str = "/2015-03-31/functions/vipward-no-query/invocations";

fn payload(name: &str) -> String {
    fs::read_to_string(root().join(fixture(name))).expect("a fixture")
}

fn ask(answer: Answer, arguments: &[&str]) -> (Run, Request) {
    let (endpoint, asked) = answering_once(answer);
    let config = fixture("pair.toml");
    let run = vipward_against(&endpoint, &[arguments, &["--config", &config]].concat());
    (run, asked.join().expect("one request came"))
}

fn answer(body: String) -> Answer {
    Answer { status: 200, headers: &[], body }
}

#[test]
fn status_is_a_table_and_says_what_needs_a_look() {
    let (run, (path, request)) = ask(answer(payload("status.json")), &["status"]);
    assert_eq!(path, INVOKE);
    assert_eq!(request, r#"{"command":"status"}"#);
    assert_eq!(run.exit_code, Some(4));
    insta::assert_snapshot!(format!("{}---\n{}", run.stdout, run.stderr));
}

#[test]
fn explain_shows_what_the_decision_rests_on() {
    let (run, (_, request)) = ask(answer(payload("explain.json")), &["explain", "redis"]);
    assert_eq!(request, r#"{"command":"explain","service":"redis"}"#);
    assert_eq!(run.exit_code, Some(4));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn json_is_the_functions_answer_as_it_is() {
    let body = payload("status.json").trim().to_owned();
    let (run, _) = ask(answer(body.clone()), &["status", "--output", "json"]);
    assert_eq!(run.stdout, format!("{body}\n"));
    assert_eq!(run.exit_code, Some(4));
}

#[test]
fn a_cluster_that_is_well_exits_with_zero() {
    let body = r#"{"cluster":"no","now":"2026-01-01T00:00:00Z","config_digest":"0","mode":"act","services":[]}"#;
    let (run, _) = ask(answer(body.to_owned()), &["explain"]);
    assert_eq!(run.exit_code, Some(0));
}

#[test]
fn what_goes_wrong_is_told_with_a_hint() {
    let failed = Answer {
        status: 200,
        headers: &[("X-Amz-Function-Error", "Unhandled")],
        body: r#"{"errorType":"Throttled","errorMessage":"EC2 throttles"}"#.to_owned(),
    };
    let missing = Answer {
        status: 404,
        headers: &[("X-Amzn-Errortype", "ResourceNotFoundException")],
        body: r#"{"Message":"Function not found"}"#.to_owned(),
    };
    let denied = Answer {
        status: 403,
        headers: &[("X-Amzn-Errortype", "AccessDeniedException")],
        body: r#"{"Message":"not authorized"}"#.to_owned(),
    };
    for (answer, error, hint) in [
        (failed, "vipward-no-query failed: Throttled: EC2 throttles", "its log is "),
        (missing, "ResourceNotFoundException: Function not found", "deploy the template"),
        (denied, "AccessDeniedException: not authorized", "you need the policy"),
        (answer("[]".to_owned()), "cannot read the answer", "the function may be another version"),
    ] {
        let (run, _) = ask(answer, &["status"]);
        assert_eq!((run.exit_code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.contains(error), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("hint: {hint}")), "{}", run.stderr);
    }
}

#[test]
fn aws_out_of_reach_is_told_with_a_hint() {
    // Nothing listens on the discard port.
    let run = vipward(&["status", "--function", "vipward-no-query"]);
    assert_eq!(run.exit_code, Some(1));
    assert!(run.stderr.contains("error: cannot reach vipward-no-query: "), "{}", run.stderr);
    assert!(run.stderr.contains("hint: set AWS_REGION"), "{}", run.stderr);
}

#[test]
fn a_service_that_is_not_in_the_file_is_a_usage_error() {
    let run = vipward(&["explain", "mysql", "--config", &fixture("pair.toml")]);
    assert_eq!(run.exit_code, Some(2));
    assert_eq!(
        run.stderr,
        "error: the configuration has no service mysql\nhint: its services are redis\n"
    );
}

//! `vipward switchover`, `drain`, `resume` and `unfreeze`, against Lambda's wire format.

use serde_json::{Value, json};

use crate::lambda::{Answer, answering_once};
use crate::running::{Run, fixture, vipward, vipward_against};

const INVOKE: &str = "/2015-03-31/functions/vipward-no-failover/invocations";

fn order(body: &str, arguments: &[&str]) -> (Run, String) {
    let answer = Answer { status: 200, headers: &[], body: body.to_owned() };
    let (endpoint, asked) = answering_once(answer);
    let config = fixture("pair.toml");
    let run = vipward_against(&endpoint, &[arguments, &["--config", &config]].concat());
    let (path, request) = asked.join().expect("one request came");
    assert_eq!(path, INVOKE);
    (run, request)
}

#[test]
fn each_order_is_sent_as_the_function_reads_it() {
    for (arguments, request) in [
        (vec!["switchover", "redis"], json!({ "command": "switchover", "service": "redis" })),
        (
            vec!["switchover", "redis", "--to", "a1"],
            json!({ "command": "switchover", "service": "redis", "to": "a1" }),
        ),
        (
            vec!["drain", "a1", "--for", "2h", "--owner", "anna", "--reason", "kernel"],
            json!({ "command": "drain", "node": "a1", "owner": "anna", "reason": "kernel", "seconds": 7200 }),
        ),
        (vec!["resume", "a1"], json!({ "command": "resume", "node": "a1" })),
        (vec!["unfreeze", "redis"], json!({ "command": "unfreeze", "service": "redis" })),
    ] {
        let (run, sent) = order(r#"{"done":"so it is","outcomes":{"redis":"moved"}}"#, &arguments);
        let sent: Value = serde_json::from_str(&sent).expect("JSON");
        assert_eq!(sent, request);
        assert_eq!(run.stdout, "so it is\n  redis: moved\n");
        assert_eq!(run.exit_code, Some(0), "{arguments:?}");
    }
}

#[test]
fn what_would_not_be_safe_is_refused_with_a_code_of_its_own() {
    let (run, _) = order(r#"{"refused":"a1 has the VIP already"}"#, &["switchover", "redis"]);
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(5), ""));
    assert_eq!(run.stderr, "refused: a1 has the VIP already\n");
}

#[test]
fn a_move_that_failed_is_degraded() {
    let (run, _) =
        order(r#"{"done":"switchover","outcomes":{"redis":"failed"}}"#, &["switchover", "redis"]);
    assert_eq!(run.exit_code, Some(4));
}

#[test]
fn the_manual_commands_are_ready_to_run() {
    let run = vipward(&["manual", "--config", &fixture("pair.toml")]);
    assert_eq!((run.exit_code, run.stderr.as_str()), (Some(0), ""));
    let commands: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("aws ")).collect();
    assert_eq!(commands.len(), 2, "one VIP, two nodes: {}", run.stdout);
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(
            words[..5],
            [
                "aws",
                "ec2",
                "assign-private-ip-addresses",
                "--allow-reassignment",
                "--network-interface-id"
            ]
        );
        assert!(words[5].starts_with("eni-") && words[6] == "--private-ip-addresses");
        assert!(!command.contains("unassign"));
    }
}

#[test]
fn names_that_are_not_in_the_file_are_usage_errors() {
    let config = fixture("pair.toml");
    let run = vipward(&["drain", "zz", "--config", &config]);
    assert_eq!(run.exit_code, Some(2));
    assert!(
        run.stderr.contains("the configuration has no node zz\nhint: its nodes are "),
        "{}",
        run.stderr
    );
    let run = vipward(&["switchover", "mysql", "--config", &config]);
    assert_eq!(run.exit_code, Some(2));
    assert_eq!(
        run.stderr,
        "error: the configuration has no service mysql\nhint: its services are redis\n"
    );
}

#[test]
fn a_witness_is_given_no_vip() {
    let config = "infra/example/vipward.toml";
    for order in [&["switchover", "redis", "--to", "app-01"][..], &["drain", "app-01"]] {
        let run = vipward(&[order, &["--config", config]].concat());
        assert_eq!(run.exit_code, Some(2));
        let said = "error: app-01 is a witness: it holds no VIP\nhint: name a node: resource-01, resource-02\n";
        assert_eq!(run.stderr, said);
    }
}

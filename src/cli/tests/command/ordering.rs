//! `vipward switchover`, `drain`, `resume` and `unfreeze`, against Lambda's wire format.

use serde_json::{Value, json};

use crate::lambda::{Answer, answering, answering_once};
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

/// A reply by which `redis` has moved from `a-1` to `a1`.
fn moved() -> Value {
    json!({ "done": "so it is", "mode": "act", "vips": [{
        "service": "redis", "vip": "10.0.0.100", "holder": { "node": "a-1" }, "outcome": "moved",
        "choice": { "move": { "to": "a1", "kind": "switchover" } }, "took_ms": 412,
        "because": "an operator asked for it",
    }] })
}

/// One by which it stays, since that came of it.
fn stays(outcome: &str) -> Value {
    let mut reply = moved();
    reply["vips"][0]["outcome"] = outcome.into();
    reply
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
            vec![
                "drain",
                "a-1",
                "--for",
                "2h",
                "--owner",
                "anna",
                "--reason",
                "kernel",
                "--no-wait",
            ],
            json!({ "command": "drain", "node": "a-1", "owner": "anna", "reason": "kernel", "seconds": 7200 }),
        ),
        (vec!["resume", "a1"], json!({ "command": "resume", "node": "a1" })),
        (vec!["unfreeze", "redis"], json!({ "command": "unfreeze", "service": "redis" })),
    ] {
        let (run, sent) = order(&moved().to_string(), &arguments);
        let sent: Value = serde_json::from_str(&sent).expect("JSON");
        assert_eq!(sent, request);
        let proven = "redis: moved from a-1 to a1 in 0.41 s, proven: EC2 names a1";
        assert_eq!(run.stdout, format!("so it is\n  {proven}\n"));
        assert_eq!(run.exit_code, Some(0), "{arguments:?}");
    }
}

#[test]
fn what_would_not_be_safe_is_refused_with_a_code_of_its_own() {
    let (run, _) = order(r#"{"refused":"a1 already has the VIP"}"#, &["switchover", "redis"]);
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(5), ""));
    assert_eq!(run.stderr, "refused: a1 already has the VIP\n");
}

#[test]
fn a_move_that_failed_is_degraded_and_so_is_a_switchover_that_did_not_happen() {
    for (outcome, arguments, code) in [
        ("failed", &["switchover", "redis"][..], 4),
        ("overtaken", &["switchover", "redis"], 4),
        ("unproven", &["resume", "a1"], 4),
        ("overtaken", &["resume", "a1"], 0),
    ] {
        let (run, _) = order(&stays(outcome).to_string(), arguments);
        assert_eq!(run.exit_code, Some(code), "{outcome}: {arguments:?}");
    }
}

#[test]
fn a_drain_waits_until_the_node_holds_no_vip() {
    let replies = [stays("unproven"), moved()];
    let answers =
        replies.map(|reply| Answer { status: 200, headers: &[], body: reply.to_string() });
    let (endpoint, asked) = answering(answers.into());
    let config = fixture("pair.toml");
    let run = vipward_against(&endpoint, &["drain", "a-1", "--config", &config]);
    assert_eq!(asked.join().expect("both came").len(), 2);
    let data = "so it is\n  redis: moved from a-1 to a1 in 0.41 s, proven: EC2 names a1\n\
                a-1 holds no VIP\n";
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(0), data));
    let told = "waiting 60 s at most:\n  redis: EC2 accepted the move from a-1 to a1, and has not \
                named a1 yet\n";
    assert_eq!(run.stderr, told);
}

#[test]
fn a_drain_after_which_a_vip_is_still_there_is_no_success() {
    let reply = stays("observed").to_string().replace("\"act\"", "\"observe\"");
    let (run, _) = order(&reply, &["drain", "a-1"]);
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(4), "so it is\n"));
    let stays = "a-1 is not free of VIPs:\n  redis: stays on a-1: mode = \"observe\" moves nothing";
    assert!(run.stderr.starts_with(stays), "{}", run.stderr);
}

#[test]
fn a_function_of_another_version_proves_no_drain() {
    let (run, _) = order(r#"{"done":"a-1 is drained","outcomes":{}}"#, &["drain", "a-1"]);
    assert_eq!(run.exit_code, Some(1));
    assert!(run.stderr.contains("hint: the function may be another version"), "{}", run.stderr);
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

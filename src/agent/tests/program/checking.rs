//! `check`, and what every command says of a wrong file or command line.

use std::net::TcpListener;

use crate::harness::{Directory, agent, config, outcome, program};

/// A service on node `a` alone.
fn service() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

#[test]
fn check_probes_each_service_once_and_says_what_it_saw() {
    let directory = Directory::new();
    let (_alive, port) = service();
    let file = directory.file("vipward.toml", &config(port));
    let mut command = agent("check", &file);
    command.args(["--node", "a"]);
    let (code, stdout, stderr) = outcome(command);
    assert_eq!((code, stderr.as_str()), (Some(4), ""));
    let lines: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(stdout.lines().next(), Some("a of cluster lab: probes 1 own and 1 other services"));
    assert_eq!(lines[2], ["SUBJECT", "SERVICE", "KIND", "RESULT", "ROLE", "LAG", "TIME", "CAUSE"]);
    assert_eq!(lines[3][..6], ["a", "(own)", "web", "tcp", "pass", "-"]);
    assert_eq!(lines[4][..5], ["b", "web", "tcp", "fail", "-"]);
    assert!(stdout.contains("refused"), "{stdout}");
}

#[test]
fn check_passes_when_all_probes_do_and_speaks_json() {
    let directory = Directory::new();
    let (_alive, port) = service();
    let _other = TcpListener::bind(("127.77.0.22", port)).expect("free on the other address");
    let file = directory.file("vipward.toml", &config(port));
    let mut command = agent("check", &file);
    command.args(["--node", "b", "--output", "json"]);
    let (code, stdout, _) = outcome(command);
    let report: serde_json::Value = serde_json::from_str(&stdout).expect("a JSON document");
    assert_eq!((code, &report["node"]), (Some(0), &"b".into()));
    let seen = |index: usize| {
        let probe = &report["probes"][index];
        (probe["subject"].clone(), probe["own"].clone(), probe["result"].clone())
    };
    assert_eq!(seen(0), ("a".into(), false.into(), "pass".into()));
    assert_eq!(seen(1), ("b".into(), true.into(), "pass".into()));
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let directory = Directory::new();
    let good = directory.file("good.toml", &config(4242));
    let bad = directory.file("bad.toml", &config(4242).replace("port =", "prot ="));
    let absent = directory.0.join("absent.toml");
    for (file, arguments, code, word) in [
        (&bad, vec!["--node", "a"], 3, "prot"),
        (&absent, vec![], 3, "absent.toml"),
        (&good, vec![], 3, "no node or witness has an address of this host"),
        (&good, vec!["--node", "c"], 3, "the configuration has no node or witness c"),
        (&good, vec!["--node", "Not A Name"], 2, "Not A Name"),
        (&good, vec!["--unknown"], 2, "--unknown"),
    ] {
        for name in ["check", "run"] {
            let mut command = agent(name, file);
            command.args(&arguments);
            let (got, stdout, stderr) = outcome(command);
            assert_eq!((got, stdout.as_str()), (Some(code), ""), "{arguments:?}: {stderr}");
            assert!(stderr.contains(word), "{arguments:?}: {stderr}");
        }
    }
}

#[test]
fn without_a_command_it_runs() {
    let directory = Directory::new();
    let bad = directory.file("bad.toml", "cluster = 1");
    let mut command = program(&["--log", "json", "--config"]);
    command.arg(bad);
    assert_eq!(outcome(command).0, Some(3));
}

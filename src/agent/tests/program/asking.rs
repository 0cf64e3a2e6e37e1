//! `status`: what a running agent answers, and what is said when none does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::harness::{Directory, Running, config, outcome, program};
use crate::metadata::{ADDRESSES, Metadata};

fn ask(socket: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = program(&["status", "--socket"]);
    command.arg(socket).args(arguments);
    outcome(command)
}

#[test]
fn status_tells_what_the_agent_knows() {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let agent = Running::start(port, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");
    agent.logs("hint failed");
    let (code, text, _) = ask(&agent.socket(), &[]);
    assert_eq!(code, Some(0), "the peer's trouble is not this node's: {text}");
    assert!(text.starts_with("a of cluster lab, running for "), "{text}");
    assert!(text.contains("a (own)  web      healthy"), "{text}");
    assert!(text.contains("no AWS region"), "{text}");
    drop(listener);
    agent.tells("STATUS=0 healthy, 2 unhealthy, 0 unknown");
    let (code, json, _) = ask(&agent.socket(), &["--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&json).expect("a JSON document");
    assert_eq!(code, Some(4), "{status}");
    let of_a = &status["targets"][0];
    assert_eq!((&of_a["own"], &of_a["verdict"]), (&true.into(), &"unhealthy".into()));
    assert!(status["hints"]["failed"].as_u64() > Some(0), "{status}");
    let socket = agent.socket();
    assert_eq!(agent.terminate(), Some(0));
    assert!(!socket.exists(), "it goes with the agent");
}

#[test]
fn status_says_why_a_verdict_is_unknown_from_the_start() {
    let check = r#"kind = "exec", command = ["/nowhere/check"], port"#;
    let agent = Running::start_with(
        &config(4242).replace(r#"kind = "tcp", port"#, check),
        &[("AWS_EC2_METADATA_DISABLED", "true")],
    );
    agent.logs("probe could not judge");
    let (_, text, _) = ask(&agent.socket(), &[]);
    let unknown = text.lines().find(|line| line.contains("unknown")).unwrap_or_default();
    assert!(unknown.contains("/nowhere/check"), "{text}");
}

#[test]
fn status_says_which_service_is_unready_and_why() {
    let metadata = Metadata::serve();
    metadata.set(ADDRESSES, "127.77.0.21\n127.77.0.200");
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let file = format!("{}on_acquire = {{ command = [\"/bin/false\"] }}\n", config(port));
    let agent = Running::start_with(&file, &metadata.environment());
    agent.logs("hook failed");
    let (code, text, _) = ask(&agent.socket(), &[]);
    assert_eq!(code, Some(4), "{text}");
    let unready = text.lines().find(|line| line.ends_with("the last on_acquire failed"));
    assert!(unready.is_some_and(|line| line.starts_with("web ")), "{text}");
    let (_, json, _) = ask(&agent.socket(), &["--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&json).expect("a JSON document");
    let unready = &status["unready"][0];
    assert_eq!((&unready["service"], unready["since"].is_string()), (&"web".into(), true));
}

#[test]
fn without_an_agent_status_says_what_may_help() {
    let directory = Directory::new();
    let file = directory.file("vipward.toml", &config(1));
    let garbage = directory.0.join("garbage.sock");
    let listener = UnixListener::bind(&garbage).expect("a free path");
    let closes = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("it asks");
        let mut request = String::new();
        BufReader::new(stream).read_line(&mut request).expect("a line");
        assert_eq!(request, "{\"request\":\"status\"}\n");
    });
    for (socket, word, hint) in [
        (
            directory.0.join("absent.sock"),
            "no agent answers",
            "check that vipward-agent is running",
        ),
        (file, "no agent answers", "check that vipward-agent is running"),
        (garbage, "cannot read the answer", "restart it"),
    ] {
        let (code, stdout, stderr) = ask(&socket, &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains(word) && stderr.contains(hint), "{stderr}");
    }
    closes.join().expect("it was asked");
}

/// The answer to one request, head and body.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    answer
}

#[test]
fn prometheus_metrics_are_served_where_asked_for() {
    let agent = Running::start(1, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    let address = agent.logs("metrics served")["address"].as_str().expect("text").to_owned();
    agent.logs("hint failed");
    let answer = get(&address, "/metrics");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    for line in [
        "vipward_verdict{subject=\"a\",service=\"web\",verdict=\"unhealthy\"} 1\n",
        "vipward_probe_duration_seconds{subject=\"b\",service=\"web\"} 0.0",
        "vipward_hints_total{result=\"sent\"} 0\n",
    ] {
        assert!(answer.contains(line), "{line}: {answer}");
    }
    assert!(get(&address, "/").starts_with("HTTP/1.1 404"));
    assert_eq!(agent.terminate(), Some(0));
}

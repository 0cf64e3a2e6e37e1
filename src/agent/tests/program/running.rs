//! Running: the service manager's protocol, and life without AWS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::harness::{Directory, Running, agent, config, outcome};

#[test]
fn the_service_manager_is_told_and_sigterm_ends_it_well() {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let agent = Running::start(port, &[]);
    agent.tells("READY=1");
    agent.tells("WATCHDOG=1");
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");
    let changed = agent.logs("verdict changed");
    assert_eq!((&changed["service"], &changed["from"]), (&"web".into(), &"unknown".into()));
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn without_a_region_it_says_so_and_works_on() {
    // The metadata service is off, so nothing can tell the region.
    let agent = Running::start(1, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    let failed = agent.logs("hint failed");
    assert!(
        failed["error"].as_str().is_some_and(|error| error.contains("no AWS region")),
        "{failed}"
    );
    agent.logs("hint failed");
    agent.tells("STATUS=0 healthy, 2 unhealthy, 0 unknown");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn with_aws_out_of_reach_it_says_so_and_works_on() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let agent = Running::start(
        1,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ],
    );
    let failed = agent.logs("metrics failed");
    assert!(
        failed["error"].as_str().is_some_and(|error| error.contains("Connection refused")),
        "{failed}"
    );
    agent.logs("hint failed");
    agent.logs("hint failed");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn without_authorities_it_does_not_start_and_says_what_helps() {
    let directory = Directory::new();
    let file = directory.file("vipward.toml", &config(1));
    let empty = directory.file("empty.pem", "");
    let absent = directory.0.join("absent.pem");
    for (authorities, cause) in
        [(&empty, "this system has none in the usual places"), (&absent, "absent.pem")]
    {
        let mut command = agent("run", &file);
        command.args(["--node", "a", "--socket", "none"]).env("SSL_CERT_FILE", authorities);
        let (code, _, stderr) = outcome(command);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.starts_with("error: no certificate authorities to verify AWS with: "),
            "{stderr}"
        );
        assert!(stderr.contains(cause), "{stderr}");
        assert!(stderr.contains("hint: install ca-certificates"), "{stderr}");
    }
}

/// An AWS of another age: it answers each request with that date and nothing else.
fn aws_in_1994() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("it connects");
            // The head is enough of the request; a client that is killed may be gone.
            let _read = client.read(&mut [0; 4096]);
            let _written = client.write_all(
                b"HTTP/1.1 403 Forbidden\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                Content-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    endpoint
}

#[test]
fn a_clock_that_differs_from_the_one_of_aws_is_told() {
    let agent = Running::start(
        1,
        &[
            ("AWS_ENDPOINT_URL", &aws_in_1994()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ],
    );
    let told = agent.logs("host clock differs from AWS's");
    assert!(told["ahead_s"].as_i64() > Some(30), "{told}");
    assert_eq!(agent.terminate(), Some(0));
}

/// A CloudWatch that is busy at first: it takes metrics at the second attempt, and no hints.
fn busy_aws() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        let mut attempts = 0;
        for client in listener.incoming() {
            let mut client = client.expect("it connects");
            let Some(asked) = request_line(&mut client) else { continue };
            let answer = if !asked.contains("PutMetricData") {
                "HTTP/1.1 400 Bad Request\r\n"
            } else if attempts == 0 {
                attempts += 1;
                "HTTP/1.1 503 Service Unavailable\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nsmithy-protocol: rpc-v2-cbor\r\n"
            };
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            // A client that is killed may be gone.
            let _written = client.write_all(format!("{answer}{rest}").as_bytes());
        }
    });
    endpoint
}

/// Reads a whole request, and returns how it begins.
fn request_line(client: &mut TcpStream) -> Option<String> {
    Some(request(client)?.0)
}

/// How a request begins, and its body.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, body))
}

/// An AWS of another age that takes everything, and what it is asked: how requests begin, and
/// bodies.
fn aws_that_takes_all_in_1994() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    let (give, asked) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("it connects");
            let Some(request) = request(&mut client) else { continue };
            let of_metrics = request.0.contains("PutMetricData");
            let (kind, body) = if of_metrics {
                ("smithy-protocol: rpc-v2-cbor", "")
            } else {
                ("content-type: application/x-amz-json-1.1", r#"{"FailedEntryCount":0}"#)
            };
            let head =
                "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nconnection: close";
            let length = body.len();
            let answer = format!("{head}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}");
            // A client that is killed may be gone, and so may the test.
            let _written = client.write_all(answer.as_bytes());
            let _given = give.send(request);
        }
    });
    (endpoint, asked)
}

#[test]
fn what_is_said_carries_the_time_of_aws() {
    let (endpoint, asked) = aws_that_takes_all_in_1994();
    let agent = Running::start(
        1,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ],
    );
    let (mut metrics, mut hints) = (Vec::new(), Vec::new());
    while metrics.len() < 2 || hints.len() < 2 {
        let (first, body) = asked.recv_timeout(Duration::from_secs(30)).expect("a request");
        if first.contains("PutMetricData") { metrics.push(body) } else { hints.push(body) }
    }
    let has = |body: &[u8], word: &str| body.windows(word.len()).any(|at| at == word.as_bytes());
    // Whichever comes first asks what the time is, once, or both do.
    let said = |bodies: &[Vec<u8>], word| bodies.iter().filter(|body| has(body, word)).count();
    let asked = !has(&metrics[0], "MetricData") || has(&hints[0], "Vipward Hello");
    assert!(asked, "nobody asked");
    assert_eq!(said(&metrics, "MetricName"), said(&metrics, "Timestamp"));
    assert!(has(&metrics[1], "Timestamp"));
    let hint: serde_json::Value = serde_json::from_slice(&hints[1]).expect("JSON");
    let time = hint["Entries"][0]["Time"].as_f64().expect("a time");
    // A date was true when its answer set out, and not yet when it was asked for.
    assert!((784_111_776.0..784_111_807.0).contains(&time), "{time}");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn a_publication_is_tried_again_before_the_next_is_due() {
    let agent = Running::start(
        1,
        &[
            ("AWS_ENDPOINT_URL", &busy_aws()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ],
    );
    let outcome = agent.logs_any(&["metrics published", "metrics failed"]);
    assert_eq!(outcome["message"], "metrics published", "{outcome}");
    assert_eq!(agent.terminate(), Some(0));
}

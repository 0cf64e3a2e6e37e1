use std::time::Duration;

use vipward_core::config::CheckKind;

use crate::testing::scripted::{self, Script, check};
use crate::{Outcome, Pass, ProbeFailure, probe};

async fn answer_to(script: Script) -> Outcome {
    let target = scripted::serve(script).await;
    probe(target, &check(get("/health"))).await
}

fn get(path: &str) -> CheckKind {
    CheckKind::Http { path: path.to_owned(), status: 200, body: None, host: None, tls: None }
}

#[tokio::test]
async fn the_expected_status_passes_whatever_the_body() {
    for script in [
        Script::Answers(vec!["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]),
        Script::AnswerThenHangUp("HTTP/1.0 200 OK\r\n\r\nhello"),
        Script::Answers(vec!["HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nhalf a bo"]),
        Script::Endless("HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        assert_eq!(answer_to(script.clone()).await, Ok(Pass::PLAIN), "{script:?}");
    }
}

#[tokio::test]
async fn what_is_no_such_answer_fails_with_a_cause() {
    let table = [
        (
            Script::Answers(vec!["HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"]),
            "status 503 instead of 200",
        ),
        (
            Script::Answers(vec!["HTTP/1.1 302 Go\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"]),
            "status 302 instead of 200",
        ),
        (Script::HangUp, "no response: "),
        (Script::AnswerThenHangUp("HTTP/1.1 2"), "no response: "),
        (Script::AnswerThenHangUp("SSH-2.0-OpenSSH_9.2\r\n"), "no response: "),
        (Script::Endless("HTTP/1.1 200 OK\r\nx: "), "no response: "),
        (Script::Endless(""), "no response: "),
    ];
    for (script, expected) in table {
        let outcome = answer_to(script.clone()).await;
        let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{script:?}: {outcome:?}") };
        assert!(cause.starts_with(expected), "{script:?}: {cause}");
    }
}

#[tokio::test]
async fn silence_and_half_a_head_time_out() {
    for script in [Script::Silence, Script::Answers(vec!["HTTP/1.1 200 OK\r\nx: y"])] {
        let target = scripted::serve(script).await;
        let mut check = check(get("/"));
        check.timeout = Duration::from_millis(200);
        let expected = ProbeFailure::TimedOut("no complete response head within 200 ms".to_owned());
        assert_eq!(probe(target, &check).await, Err(expected));
    }
}

#[tokio::test]
async fn a_closed_port_fails() {
    let target = scripted::closed_port().await;
    let outcome = probe(target, &check(get("/"))).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("Connection refused"), "{cause}");
}

fn matching(pattern: &str) -> CheckKind {
    let (path, body) = ("/".to_owned(), Some(pattern.to_owned()));
    CheckKind::Http { path, status: 200, body, host: Some("web.example".to_owned()), tls: None }
}

async fn body_comes_to(pattern: &str, script: Script) -> Outcome {
    let target = scripted::serve(script).await;
    let mut check = check(matching(pattern));
    check.timeout = Duration::from_secs(1);
    probe(target, &check).await
}

#[tokio::test]
async fn a_body_is_asked_for_only_where_a_pattern_is() {
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nread\r\n1\r\ny\r\n0\r\n\r\n";
    let until_the_end = "HTTP/1.1 200 OK\r\n\r\n{\"state\":\"ready\"}";
    for script in [
        Script::Answers(vec![chunked]),
        Script::AnswerThenHangUp(until_the_end),
        Script::Endless("HTTP/1.1 200 OK\r\n\r\nready"),
        Script::Endless("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nready"),
    ] {
        assert_eq!(body_comes_to("read[xy]", script.clone()).await, Ok(Pass::PLAIN), "{script:?}");
    }
    for (script, expected) in [
        (Script::Answers(vec![chunked]), "the body does not match \"^ok$\": ready"),
        (Script::Endless("HTTP/1.1 200 OK\r\n\r\nno"), "the body does not match \"^ok$\": no"),
        (
            Script::AnswerThenHangUp("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"),
            "no response: ",
        ),
        (
            Script::Answers(vec!["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"]),
            "no response: ",
        ),
    ] {
        let outcome = body_comes_to("^ok$", script.clone()).await;
        let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{script:?}: {outcome:?}") };
        assert!(cause.starts_with(expected), "{script:?}: {cause}");
    }
    let half = Script::Answers(vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"]);
    let expected = ProbeFailure::TimedOut("no complete body within 1000 ms".to_owned());
    assert_eq!(body_comes_to("ok", half).await, Err(expected));
}

#[tokio::test]
async fn the_host_that_is_asked_for_is_that_of_the_file_or_the_address() {
    for (host, expected) in [(Some("web.example"), "web.example"), (None, "127.0.0.1")] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let target = listener.local_addr().expect("bound");
        let mut kind = get("/health?quick");
        if let CheckKind::Http { host: name, .. } = &mut kind {
            *name = host.map(str::to_owned);
        }
        let check = check(kind);
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            String::from_utf8_lossy(&request[..read.expect("a request")]).into_owned()
        };
        let (outcome, request) = tokio::join!(probe(target, &check), server);
        assert!(matches!(outcome, Err(ProbeFailure::Failed(_))), "{outcome:?}");
        assert!(request.starts_with("GET /health?quick HTTP/1.1\r\n"), "{request}");
        let line = format!("host: {expected}:{}\r\n", target.port());
        assert!(request.contains(&line), "{request}");
    }
}

use std::time::Duration;

use vipward_core::config::CheckKind;

use crate::scripted::{self, Script, check};
use crate::{Outcome, Pass, Shortfall, probe};

async fn answer_to(script: Script) -> Outcome {
    let target = scripted::serve(script).await;
    probe(target, &check(get("/health"))).await
}

fn get(path: &str) -> CheckKind {
    CheckKind::Http { path: path.to_owned(), status: 200 }
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
        let Err(Shortfall::Fail(cause)) = &outcome else { panic!("{script:?}: {outcome:?}") };
        assert!(cause.starts_with(expected), "{script:?}: {cause}");
    }
}

#[tokio::test]
async fn silence_and_half_a_head_time_out() {
    for script in [Script::Silence, Script::Answers(vec!["HTTP/1.1 200 OK\r\nx: y"])] {
        let target = scripted::serve(script).await;
        let mut check = check(get("/"));
        check.timeout = Duration::from_millis(200);
        let expected = Shortfall::Timeout("no complete response head within 200 ms".to_owned());
        assert_eq!(probe(target, &check).await, Err(expected));
    }
}

#[tokio::test]
async fn a_closed_port_fails() {
    let target = scripted::closed_port().await;
    let outcome = probe(target, &check(get("/"))).await;
    let Err(Shortfall::Fail(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("Connection refused"), "{cause}");
}

use std::path::PathBuf;
use std::time::Duration;

use vipward_core::config::{Check, CheckKind, Tls};

use crate::testing::certificates::Authority;
use crate::testing::postgres as server;
use crate::testing::scripted::{self, Script, check};
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, probe};

mod hook;

const PRIMARY: Outcome = Ok(Pass { role: Some(Replication::Primary), lag: None });

fn standby(lag: Lag) -> Pass {
    Pass { role: Some(Replication::Replica), lag: Some(lag) }
}

fn account(user: &str, password_file: Option<PathBuf>, database: &str) -> Check {
    let (user, database) = (user.to_owned(), database.to_owned());
    check(CheckKind::Postgres { user, password_file, database, max_lag: None, tls: None })
}

fn impatient(mut check: Check) -> Check {
    check.timeout = Duration::from_millis(300);
    check
}

#[track_caller]
fn assert_fail(outcome: &Outcome, expected: &str) {
    let Err(ProbeFailure::Failed(cause)) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(cause.contains(expected), "{cause}");
}

#[track_caller]
fn assert_error(outcome: &Outcome, expected: &str) {
    let Err(ProbeFailure::Inconclusive(cause)) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(cause.contains(expected), "{cause}");
}

#[tokio::test]
async fn a_real_server_through_its_life() {
    let mut server = server::start().await;
    let right = server.file("right", "right\n");
    let wrong = server.file("wrong", "wrong");
    let good = account("vipward", Some(right.clone()), "postgres");
    assert_eq!(probe(server.address, &good).await, PRIMARY);
    for (check, expected) in [
        (account("vipward", Some(wrong), "postgres"), "answered the login with 28P01"),
        (account("vipward", Some(right.clone()), "absent"), "answered the login with 3D000"),
        (account("vipward", None, "postgres"), "password missing"),
        (account("vipward", Some(right.with_file_name("absent")), "x"), "password file "),
    ] {
        assert_error(&probe(server.address, &check).await, expected);
    }
    server.signal("STOP");
    let late = ProbeFailure::TimedOut("no complete answer to the login within 300 ms".to_owned());
    assert_eq!(probe(server.address, &impatient(good.clone())).await, Err(late));
    server.signal("CONT");
    assert_eq!(probe(server.address, &good).await, PRIMARY);
    server.stop();
    assert_fail(&probe(server.address, &good).await, "Connection refused");
}

#[tokio::test]
async fn a_real_standby_follows_and_says_how_far() {
    let mut primary = server::start().await;
    let server = server::start_standby(&primary).await;
    let good = account("vipward", Some(server.file("right", server::PASSWORD)), "postgres");
    let following = |outcome: &Outcome| {
        matches!(outcome, Ok(Pass { role: Some(Replication::Replica), lag: Some(Lag::Behind(_)) }))
    };
    server.comes_to(&good, following).await;
    server::sql(&server, "SELECT pg_wal_replay_pause()");
    assert_eq!(probe(server.address, &good).await, Ok(standby(Lag::NotReplicating)));
    server::sql(&server, "SELECT pg_wal_replay_resume()");
    server.comes_to(&good, following).await;
    // The age of what was replayed last is known once something was.
    server::sql(&primary, "CREATE TABLE early ()");
    while server::sql(&server, "SELECT pg_last_xact_replay_timestamp()").trim().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server::sql(&server, "ALTER SYSTEM SET recovery_min_apply_delay = '1h'");
    server::sql(&server, "SELECT pg_reload_conf()");
    server::sql(&primary, "CREATE TABLE late ()");
    let lags = |outcome: &Outcome| {
        let Ok(Pass { lag: Some(Lag::Behind(lag)), .. }) = outcome else { return false };
        *lag >= Duration::from_secs(2)
    };
    server.comes_to(&good, lags).await;
    primary.stop();
    let severed = Ok(standby(Lag::Severed));
    server.comes_to(&good, |outcome| *outcome == severed).await;
    server::sql(&server, "SELECT pg_promote()");
    assert_eq!(probe(server.address, &good).await, PRIMARY);
}

#[tokio::test]
async fn a_real_server_with_tls_is_let_to_prove_itself() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = server::start_tls(&authority, &authority.certify("127.0.0.1")).await;
    let right = server.file("right", server::PASSWORD);
    let with = |tls: Tls| {
        let mut check = account("vipward", Some(right.clone()), "postgres");
        if let CheckKind::Postgres { tls: wanted, .. } = &mut check.kind {
            *wanted = Some(tls);
        }
        check
    };
    let trusted = with(authority.trusted());
    assert_eq!(probe(server.address, &trusted).await, PRIMARY);
    let untrusted = probe(server.address, &with(other.trusted())).await;
    assert_error(&untrusted, "does not trust the certificate: UnknownIssuer");
    let plain = server::start().await;
    assert_error(&probe(plain.address, &trusted).await, "the server speaks no TLS");
    let expired = authority.certify_expired("127.0.0.1");
    let expired = server::start_tls(&authority, &expired).await;
    assert_fail(&probe(expired.address, &trusted).await, "shows a bad certificate");
    for (script, expected) in [
        (Script::Answers(vec!["HTTP/1.1"]), "it is not a PostgreSQL server"),
        (Script::HangUp, "no answer to the request for TLS"),
        (Script::AnswerThenHangUp("S"), "hung up during the TLS handshake"),
    ] {
        assert_fail(&probe(scripted::serve(script).await, &trusted).await, expected);
    }
}

/// A message with its head.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message").to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn refusal(code: &str, text: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0").as_bytes())
}

/// Let in without a password, and ready.
fn welcome() -> Vec<u8> {
    let ready = message(b'Z', b"I");
    let key = message(b'K', &[0; 8]);
    [message(b'R', &[0; 4]), key, ready].concat()
}

/// Says nothing first, as PostgreSQL does.
async fn comes_of(answers: Vec<Vec<u8>>) -> Outcome {
    let packets = [vec![Vec::new()], answers].concat();
    let target = scripted::serve(Script::Packets(packets)).await;
    probe(target, &impatient(account("vipward", None, "postgres"))).await
}

#[tokio::test]
async fn what_serves_nobody_fails_and_a_no_to_us_is_an_error() {
    let setting = || message(b'S', format!("a\0{}\0", "x".repeat(50_000)).as_bytes());
    let endless = || [welcome(), setting(), setting()].concat();
    for (answers, expected) in [
        (
            vec![refusal("57P03", "the database system is starting up")],
            "57P03: the database system",
        ),
        (vec![refusal("53300", "too many clients")], "answered the login with 53300"),
        (vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], "it is not a PostgreSQL server"),
        (vec![message(b'?', b"what")], "no answer to the login"),
        (vec![b"R\x7f\xff\xff\xff".to_vec()], "it is not a PostgreSQL server"),
        (vec![endless()], "it sent more than 65536 bytes"),
        (vec![welcome(), message(b'?', b"what")], "no answer to SELECT 1"),
        (vec![welcome(), message(b'Z', b"I")], "answered SELECT 1 with something else"),
    ] {
        assert_fail(&comes_of(answers).await, expected);
    }
    for (answers, expected) in [
        (vec![refusal("28000", "no pg_hba.conf entry")], "answered the login with 28000"),
        (vec![welcome(), refusal("42501", "permission denied")], "answered SELECT 1 with 42501"),
    ] {
        assert_error(&comes_of(answers).await, expected);
    }
    let target = scripted::serve(Script::HangUp).await;
    let check = account("vipward", None, "postgres");
    assert_fail(&probe(target, &check).await, "no answer to the login");
}

#[tokio::test]
async fn nothing_and_half_an_answer_time_out() {
    for (answers, missing) in [
        (vec![], "the login"),
        (vec![welcome()[..7].to_vec()], "the login"),
        (vec![welcome()], "SELECT 1"),
        (vec![welcome(), message(b'T', b"half")[..7].to_vec()], "SELECT 1"),
    ] {
        let expected =
            ProbeFailure::TimedOut(format!("no complete answer to {missing} within 300 ms"));
        assert_eq!(comes_of(answers).await, Err(expected));
    }
}

#[test]
fn the_lag_is_a_word_or_seconds() {
    let behind = |millis| Some(Lag::Behind(Duration::from_millis(millis)));
    for (word, expected) in [
        ("paused", Some(Lag::NotReplicating)),
        ("severed", Some(Lag::Severed)),
        ("0", behind(0)),
        ("12.345", behind(12_345)),
        ("-0.5", behind(0)),
        ("NaN", behind(0)),
        ("1e300", None),
        ("?", None),
    ] {
        assert_eq!(super::lag(word), expected, "{word}");
    }
}

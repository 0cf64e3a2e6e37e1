use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use vipward_core::config::{CheckKind, Tls};

use crate::testing::certificates::Authority;
use crate::testing::daemon::{Daemon, free_address, run};
use crate::testing::redis as server;
use crate::testing::scratch::fresh_directory;
use crate::testing::scripted::{self, Script, check};
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, probe};

mod hook;

const PRIMARY: Outcome = Ok(Pass { role: Some(Replication::Primary), lag: None });

fn redis() -> CheckKind {
    CheckKind::Redis { user: None, password_file: None, max_lag: None, tls: None }
}

fn login(user: Option<&str>, password_file: PathBuf) -> CheckKind {
    let user = user.map(str::to_owned);
    CheckKind::Redis { user, password_file: Some(password_file), max_lag: None, tls: None }
}

async fn answer_to(script: Script) -> Outcome {
    let target = scripted::serve(script).await;
    probe(target, &check(redis())).await
}

#[tokio::test]
async fn a_real_server_passes_until_it_is_stopped() {
    let mut server = server::start(&[]).await;
    assert_eq!(probe(server.address, &check(redis())).await, PRIMARY);
    server.stop();
    let outcome = probe(server.address, &check(redis())).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("Connection refused"), "{cause}");
}

#[tokio::test]
async fn a_real_replica_says_so_and_whether_it_follows() {
    let mut primary = server::start(&[]).await;
    let port = primary.address.port().to_string();
    let replica = server::start(&["--replicaof", "127.0.0.1", &port]).await;
    let following = |outcome: &Outcome| {
        matches!(outcome, Ok(Pass { role: Some(Replication::Replica), lag: Some(Lag::Behind(_)) }))
    };
    replica.comes_to(&check(redis()), following).await;
    primary.stop();
    let severed = Ok(Pass { role: Some(Replication::Replica), lag: Some(Lag::Severed) });
    replica.comes_to(&check(redis()), |outcome| *outcome == severed).await;
}

#[tokio::test]
async fn what_may_not_be_asked_is_an_error_only_where_the_lag_matters() {
    let strict = |user: &str, password_file: &PathBuf| CheckKind::Redis {
        user: Some(user.to_owned()),
        password_file: Some(password_file.clone()),
        max_lag: Some(Duration::from_secs(30)),
        tls: None,
    };
    let acl = ["--user", "pinger", "on", ">right", "+ping"];
    let further = ["--user", "asker", "on", ">right", "+ping", "+role"];
    let dead = scripted::closed_port().await.port().to_string();
    let replica = [&acl[..], &further, &["--replicaof", "127.0.0.1", &dead]].concat();
    let server = server::start(&replica).await;
    let right = server.file("right", "right");
    let outcome = probe(server.address, &check(login(Some("asker"), right.clone()))).await;
    assert_eq!(outcome, Ok(Pass { role: Some(Replication::Replica), lag: None }));
    for (user, expected) in
        [("pinger", "answered ROLE with NOPERM"), ("asker", "answered INFO with NOPERM")]
    {
        let outcome = probe(server.address, &check(strict(user, &right))).await;
        let Err(ProbeFailure::Inconclusive(cause)) = &outcome else {
            panic!("{expected}: {outcome:?}")
        };
        assert!(cause.starts_with(expected), "{cause}");
    }
}

#[tokio::test]
async fn a_hung_server_times_out_and_passes_once_it_goes_on() {
    let server = server::start(&[]).await;
    server.signal("STOP");
    let mut impatient = check(redis());
    impatient.timeout = Duration::from_millis(200);
    let expected = ProbeFailure::TimedOut("no complete reply to PING within 200 ms".to_owned());
    assert_eq!(probe(server.address, &impatient).await, Err(expected));
    server.signal("CONT");
    assert_eq!(probe(server.address, &check(redis())).await, PRIMARY);
}

#[tokio::test]
async fn a_login_passes_and_a_wrong_one_is_an_error() {
    let acl = ["--requirepass", "right", "--user", "vipward", "on", ">of-user", "+ping"];
    let server = server::start(&acl).await;
    let right = server.file("right", "right\nsecond line\n");
    let of_user = server.file("of-user", "of-user");
    let wrong = server.file("wrong", "wrong");
    assert_eq!(probe(server.address, &check(login(None, right.clone()))).await, PRIMARY);
    // The user may not ask for the role, which is no fault of the service.
    let outcome = probe(server.address, &check(login(Some("vipward"), of_user.clone()))).await;
    assert_eq!(outcome, Ok(Pass::PLAIN));
    for (kind, expected) in [
        (redis(), "answered PING with NOAUTH"),
        (login(None, wrong), "answered AUTH with WRONGPASS"),
        (login(Some("nobody"), of_user), "answered AUTH with WRONGPASS"),
        (login(None, right.with_file_name("absent")), "password file "),
        (login(None, right.with_file_name("")), "password file "),
        (login(None, server.file("empty", "\nright")), "password file "),
        (login(None, server.file("huge", &"x".repeat(10_000))), "password file "),
    ] {
        let outcome = probe(server.address, &check(kind)).await;
        let Err(ProbeFailure::Inconclusive(cause)) = &outcome else {
            panic!("{expected}: {outcome:?}")
        };
        assert!(cause.starts_with(expected), "{cause}");
    }
}

#[tokio::test]
async fn a_password_that_the_server_does_not_want_is_an_error() {
    let server = server::start(&[]).await;
    let password = server.file("password", "needless");
    let outcome = probe(server.address, &check(login(None, password))).await;
    let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.starts_with("answered AUTH with ERR AUTH"), "{cause}");
}

#[tokio::test]
async fn a_server_that_serves_nobody_fails_with_a_cause() {
    let table = [
        (Script::Answers(vec!["-LOADING Redis is loading\r\n"]), "is loading its data set"),
        (
            Script::Answers(vec!["+PONG\r\n", "-LOADING Redis is loading\r\n"]),
            "is loading its data set",
        ),
        (Script::Answers(vec!["-MISCONF disk\r\n"]), "answered PING with MISCONF disk"),
        (
            Script::Answers(vec!["-ERR max number of clients reached\r\n"]),
            "answered PING with ERR max",
        ),
        (Script::Answers(vec!["+OK\r\n"]), "answered PING with ok"),
        (Script::HangUp, "hung up without a reply to PING"),
        (Script::AnswerThenHangUp("+PO"), "hung up in the middle of its reply to PING"),
        (Script::AnswerThenHangUp("+PONG\r\n"), "hung up without a reply to ROLE"),
        (Script::Answers(vec!["HTTP/1.1 400 Bad Request\r\n\r\n"]), "no Redis reply to PING"),
        (Script::Answers(vec!["*-7\r\n"]), "answered PING with nil"),
        (Script::Answers(vec!["$99999999999999999999\r\n"]), "no Redis reply to PING"),
        (Script::Endless("+PONG"), "sent 65536 bytes without a complete reply to PING"),
        (Script::Endless("$1000000000\r\n"), "sent 65536 bytes without a complete reply to PING"),
        (Script::Endless("*1000000000\r\n:"), "sent 65536 bytes without a complete reply to PING"),
    ];
    for (script, expected) in table {
        let outcome = answer_to(script.clone()).await;
        let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{script:?}: {outcome:?}") };
        assert!(cause.starts_with(expected), "{script:?}: {cause}");
    }
}

#[tokio::test]
async fn nothing_and_half_a_reply_time_out() {
    for script in
        [Script::Silence, Script::Answers(vec!["+PON"]), Script::Answers(vec!["*5\r\n$4\r\nab"])]
    {
        let target = scripted::serve(script.clone()).await;
        let mut impatient = check(redis());
        impatient.timeout = Duration::from_millis(200);
        let expected = ProbeFailure::TimedOut("no complete reply to PING within 200 ms".to_owned());
        assert_eq!(probe(target, &impatient).await, Err(expected), "{script:?}");
    }
}

#[tokio::test]
async fn a_role_that_is_not_understood_is_unknown() {
    for role in
        ["*1\r\n$8\r\nsentinel\r\n", "-ERR unknown command 'ROLE'\r\n", "*0\r\n", "+master\r\n"]
    {
        let outcome = answer_to(Script::Answers(vec!["+PONG\r\n", role])).await;
        assert_eq!(outcome, Ok(Pass::PLAIN), "{role}");
    }
}

/// Asks as a person would.
fn cli(server: &Daemon, words: &[&str]) -> String {
    let port = server.address.port().to_string();
    run(Command::new("redis-cli").args(["-p", &port]).args(words))
}

#[tokio::test]
async fn a_real_server_that_loads_its_data_fails_until_it_has() {
    let kept = fresh_directory("redis-kept");
    let place = kept.to_str().expect("text");
    let full = server::start(&["--enable-debug-command", "yes", "--dir", place]).await;
    cli(&full, &["DEBUG", "POPULATE", "4000"]);
    cli(&full, &["SAVE"]);
    drop(full);
    // Half a millisecond a key, and it listens in between.
    let slowly = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    let arguments = [&slowly[..], &["--dir", place]].concat();
    let server = server::spawn(&arguments, free_address().await);
    let loads = Err(ProbeFailure::Failed("is loading its data set".to_owned()));
    server.comes_to(&check(redis()), |outcome| *outcome == loads).await;
    server.comes_to(&check(redis()), |outcome| *outcome == PRIMARY).await;
    std::fs::remove_dir_all(kept).expect("our own directory");
}

#[tokio::test]
async fn a_real_replica_whose_primary_hangs_lags() {
    let primary = server::start(&[]).await;
    let port = primary.address.port().to_string();
    let replica = server::start(&["--replicaof", "127.0.0.1", &port]).await;
    let behind = |least: u64| {
        move |outcome: &Outcome| {
            let Ok(Pass { lag: Some(Lag::Behind(lag)), .. }) = outcome else { return false };
            *lag >= Duration::from_secs(least)
        }
    };
    replica.comes_to(&check(redis()), behind(0)).await;
    primary.signal("STOP");
    replica.comes_to(&check(redis()), behind(3)).await;
    primary.signal("CONT");
}

#[tokio::test]
async fn a_real_server_behind_tls_passes_with_a_good_certificate_only() {
    let (authority, other) = (Authority::new(), Authority::new());
    let good = server::start_tls(&authority.certify("127.0.0.1")).await;
    let expired = server::start_tls(&authority.certify_expired("127.0.0.1")).await;
    let with = |tls: Tls| {
        check(CheckKind::Redis { user: None, password_file: None, max_lag: None, tls: Some(tls) })
    };
    assert_eq!(probe(good.address, &with(authority.trusted())).await, PRIMARY);
    let outcome = probe(good.address, &with(other.trusted())).await;
    let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("does not trust the certificate"), "{cause}");
    let outcome = probe(expired.address, &with(authority.trusted())).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("certificate expired"), "{cause}");
    let outcome = probe(good.address, &check(redis())).await;
    assert!(matches!(outcome, Err(ProbeFailure::Failed(_))), "in the clear: {outcome:?}");
}

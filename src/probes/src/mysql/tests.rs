use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use vipward_core::config::{Check, CheckKind, Tls};

use crate::testing::certificates::Authority;
use crate::testing::daemon::Daemon;
use crate::testing::mysql as server;
use crate::testing::scripted::{self, Script, check};
use crate::{Knock, Lag, Outcome, Pass, ProbeFailure, Replication, probe, stand};

mod hook;

const PRIMARY: Outcome = Ok(Pass { role: Some(Replication::Primary), lag: None });

fn replica(lag: Option<Lag>) -> Pass {
    Pass { role: Some(Replication::Replica), lag }
}

fn account(user: &str, password_file: Option<PathBuf>) -> Check {
    check(CheckKind::Mysql { user: user.to_owned(), password_file, max_lag: None, tls: None })
}

/// With `max_lag`: then the lag must be known.
fn strict(user: &str, password_file: PathBuf) -> Check {
    let (user, password_file) = (user.to_owned(), Some(password_file));
    let max_lag = Some(Duration::from_secs(1));
    check(CheckKind::Mysql { user, password_file, max_lag, tls: None })
}

fn impatient(mut check: Check) -> Check {
    check.timeout = Duration::from_millis(300);
    check
}

#[track_caller]
fn assert_error(outcome: &Outcome, expected: &str) {
    let Err(ProbeFailure::Inconclusive(cause)) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(cause.contains(expected), "{cause}");
}

#[track_caller]
fn assert_fail(outcome: &Outcome, expected: &str) {
    let Err(ProbeFailure::Failed(cause)) = outcome else { panic!("{expected}: {outcome:?}") };
    assert!(cause.contains(expected), "{cause}");
}

#[tokio::test]
async fn a_real_server_through_its_life() {
    let mut server = server::start(1, "").await;
    let right = server.file("right", "right\n");
    let seer = strict("seer", right.clone());
    assert_eq!(probe(server.address, &seer).await, PRIMARY);
    logins(&server, &right).await;
    no_interrupted_handshakes(&server, &seer).await;
    server::sql(&server, "SET GLOBAL read_only = 1");
    assert_eq!(probe(server.address, &seer).await, Ok(replica(Some(Lag::NotReplicating))));
    assert_eq!(probe(server.address, &account("open", None)).await, Ok(replica(None)));
    let mut knock = Knock::at(server.address, &seer);
    for _ in 0..3 {
        assert!(knock.answers().await, "logs in, then pings");
    }
    server.signal("STOP");
    let late = probe(server.address, &impatient(seer.clone())).await;
    assert_eq!(late, Err(ProbeFailure::TimedOut("no complete greeting within 300 ms".to_owned())));
    assert!(!knock.answers().await, "a hung server does not answer a ping");
    server.signal("CONT");
    assert!(probe(server.address, &seer).await.is_ok());
    for _ in 0..2 {
        assert!(knock.answers().await, "logs in again, then pings");
    }
    let mut standing = stand(server.address, &seer).await.expect("a connection");
    server.stop();
    for _ in 0..2 {
        assert!(knock.answers().await, "the host refuses");
    }
    assert!(!matches!(standing.read(&mut [0; 1]).await, Ok(read) if read > 0));
    assert_fail(&probe(server.address, &seer).await, "Connection refused");
}

async fn logins(server: &Daemon, right: &std::path::Path) {
    let wrong = server.file("wrong", "wrong");
    let right = right.to_owned();
    assert_eq!(probe(server.address, &account("open", None)).await, PRIMARY);
    assert_eq!(probe(server.address, &account("blind", Some(right.clone()))).await, PRIMARY);
    for (check, expected) in [
        (strict("blind", right.clone()), "answered SHOW REPLICA STATUS with error 1227"),
        (account("seer", Some(wrong)), "answered the login with error 1045"),
        (account("seer", None), "answered the login with error 1045"),
        (account("nobody", Some(right.clone())), "answered the login with error 1045"),
        (account("seer", Some(right.with_file_name("absent"))), "password file "),
    ] {
        assert_error(&probe(server.address, &check).await, expected);
    }
}

/// Else the server shuts this host out after a hundred of them.
async fn no_interrupted_handshakes(server: &Daemon, check: &Check) {
    let aborted = || server::sql(server, "SHOW GLOBAL STATUS LIKE 'Aborted_c%'");
    let before = aborted();
    for _ in 0..10 {
        probe(server.address, check).await.expect("a good login");
    }
    let _standing = stand(server.address, check).await.expect("a connection");
    assert_eq!(aborted(), before);
}

#[tokio::test]
async fn a_real_replica_follows_and_says_how_far() {
    let mut primary = server::start(1, "").await;
    let follow = format!(
        "SET GLOBAL read_only = 1;\n\
         CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'follower', \
         MASTER_PASSWORD = 'right', MASTER_CONNECT_RETRY = 1;\n\
         START SLAVE;",
        primary.address.port()
    );
    let server = server::start(2, &follow).await;
    let seer = strict("seer", server.file("right", "right"));
    let following = |outcome: &Outcome| {
        matches!(outcome, Ok(Pass { role: Some(Replication::Replica), lag: Some(Lag::Behind(_)) }))
    };
    server.comes_to(&seer, following).await;
    server::sql(&server, "STOP SLAVE");
    assert_eq!(probe(server.address, &seer).await, Ok(replica(Some(Lag::NotReplicating))));
    server::sql(&server, "START SLAVE");
    server.comes_to(&seer, following).await;
    server::sql(&server, "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 1000; START SLAVE");
    server::sql(&primary, "CREATE DATABASE late");
    let lags = |outcome: &Outcome| {
        let Ok(Pass { lag: Some(Lag::Behind(lag)), .. }) = outcome else { return false };
        *lag >= Duration::from_secs(2)
    };
    server.comes_to(&seer, lags).await;
    primary.stop();
    let severed = Ok(replica(Some(Lag::Severed)));
    server.comes_to(&seer, |outcome| *outcome == severed).await;
}

#[tokio::test]
async fn a_real_server_with_tls_is_let_to_prove_itself() {
    let (authority, other) = (Authority::new(), Authority::new());
    let by = authority.certify("127.0.0.1");
    let server = server::start_tls(&authority, &by).await;
    let right = server.file("right", "right");
    let with = |tls: Option<Tls>| {
        let (user, password_file) = ("sealed".to_owned(), Some(right.clone()));
        check(CheckKind::Mysql { user, password_file, max_lag: None, tls })
    };
    assert_eq!(probe(server.address, &with(Some(authority.trusted()))).await, PRIMARY);
    let untrusted = probe(server.address, &with(Some(other.trusted()))).await;
    assert_error(&untrusted, "does not trust the certificate: UnknownIssuer");
    let in_the_clear = probe(server.address, &with(None)).await;
    assert_error(&in_the_clear, "answered the login with error 1045");
    let named = Tls { name: Some("db.example".to_owned()), ..authority.trusted() };
    assert_error(&probe(server.address, &with(Some(named))).await, "does not trust");
    let plain = scripted::serve(Script::Packets(vec![greeting_without_tls()])).await;
    let outcome = probe(plain, &with(Some(authority.trusted()))).await;
    assert_error(&outcome, "the server speaks no TLS");
}

#[tokio::test]
async fn a_real_server_with_an_expired_certificate_fails() {
    let authority = Authority::new();
    let by = authority.certify_expired("127.0.0.1");
    let server = server::start_tls(&authority, &by).await;
    let (user, tls) = ("open".to_owned(), Some(authority.trusted()));
    let check = check(CheckKind::Mysql { user, password_file: None, max_lag: None, tls });
    assert_fail(&probe(server.address, &check).await, "shows a bad certificate");
}

/// A packet with its head.
fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).expect("a short packet");
    [&[length, 0, 0, number], body].concat()
}

fn greeting(method: &str) -> Vec<u8> {
    let head = b"\x0a8.0.40\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xff\x15";
    packet(0, &[head, &[0; 10][..], b"ijklmnopqrst\0", method.as_bytes(), b"\0"].concat())
}

fn greeting_without_tls() -> Vec<u8> {
    let mut packet = greeting("mysql_native_password");
    // The capabilities' second byte: after head, version, thread and nonce.
    let place = 4 + 1 + b"8.0.40\0".len() + 4 + 8 + 1 + 1;
    packet[place] &= !0x08;
    packet
}

const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const END: &[u8] = b"\xfe\0\0\x02\0";

fn refusal(number: u8, code: u16, text: &str) -> Vec<u8> {
    packet(number, &[&[0xff][..], &code.to_le_bytes(), b"#HY000", text.as_bytes()].concat())
}

/// The answer to the first question: 1 and whether read-only.
fn answer(read_only: &str) -> Vec<u8> {
    let column = |name: &str| {
        let length = u8::try_from(name.len()).expect("a short name");
        [&b"\x03def\0\0\0"[..], &[length], name.as_bytes(), b"\0\x0c"].concat()
    };
    let row =
        [b"\x011", &[u8::try_from(read_only.len()).unwrap()][..], read_only.as_bytes()].concat();
    let packets: [&[u8]; 6] = [&[2], &column("1"), &column("@@global.read_only"), END, &row, END];
    let numbered = (1..).zip(packets);
    numbered.flat_map(|(number, body)| packet(number, body)).collect()
}

async fn comes_of(packets: Vec<Vec<u8>>) -> Outcome {
    let target = scripted::serve(Script::Packets(packets)).await;
    probe(target, &impatient(account("open", None))).await
}

#[tokio::test]
async fn the_words_of_other_servers_are_understood() {
    let no_replication = || {
        [packet(1, &[1]), packet(2, b"\x03def\0\0\0\x01x\0"), packet(3, END), packet(4, END)]
            .concat()
    };
    let old = vec![
        greeting("mysql_native_password"),
        packet(2, OK),
        answer("OFF"),
        refusal(1, 1064, "You have an error in your SQL syntax"),
        no_replication(),
    ];
    assert_eq!(comes_of(old).await, PRIMARY, "one that knows only SHOW SLAVE STATUS");
    let today = vec![
        greeting("caching_sha2_password"),
        [packet(2, b"\x01\x03"), packet(3, OK)].concat(),
        answer("1"),
        refusal(1, 1227, "Access denied"),
    ];
    assert_eq!(comes_of(today).await, Ok(replica(None)), "one that knows the user already");
}

#[tokio::test]
async fn what_serves_nobody_fails_and_a_no_to_us_is_an_error() {
    let native = || greeting("mysql_native_password");
    let before_login =
        |code| vec![packet(0, &[&[0xff][..], &u16::to_le_bytes(code), b"text"].concat())];
    for (packets, expected) in [
        (before_login(1040), "answered the connection with error 1040: text"),
        (vec![packet(0, b"\x09ancient")], "no MySQL greeting"),
        (vec![packet(0, b"")], "no MySQL greeting"),
        (vec![vec![b'H'; 300_000]], "sent 262144 bytes without a complete greeting"),
        (vec![native(), packet(2, b"what")], "no MySQL answer to the login"),
        (vec![native(), packet(2, b"\x01\x04")], "no MySQL answer to the login"),
        (vec![native(), refusal(2, 1053, "Server shutdown")], "error 1053: Server shutdown"),
        (vec![native(), packet(2, OK), packet(1, OK)], "no MySQL answer to a query"),
        (
            vec![native(), packet(2, OK), packet(1, b"\xfb/etc/passwd")],
            "no MySQL answer to a query",
        ),
        (
            vec![
                native(),
                packet(2, OK),
                [packet(1, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"), packet(2, b"?")].concat(),
            ],
            "no MySQL column of an answer",
        ),
    ] {
        assert_fail(&comes_of(packets).await, expected);
    }
    for (packets, expected) in [
        (before_login(1129), "answered the connection with error 1129"),
        (vec![native(), refusal(2, 3118, "Account is locked")], "error 3118"),
        (vec![native(), packet(2, b"\xfemysql_clear_password\0")], "mysql_clear_password"),
        (vec![native(), packet(2, b"\xfeclient_ed25519\0abc")], "client_ed25519"),
    ] {
        assert_error(&comes_of(packets).await, expected);
    }
}

#[tokio::test]
async fn nothing_and_half_an_answer_time_out_and_a_hang_up_fails() {
    let whole = greeting("mysql_native_password");
    for (packets, missing) in [
        (vec![Vec::new()], "greeting"),
        (vec![whole[..9].to_vec()], "greeting"),
        (vec![whole.clone()], "answer to the login"),
        (vec![whole.clone(), packet(2, OK)], "answer to a query"),
        (vec![whole, packet(2, OK), answer("0")[..40].to_vec()], "column of an answer"),
    ] {
        let expected = ProbeFailure::TimedOut(format!("no complete {missing} within 300 ms"));
        assert_eq!(comes_of(packets).await, Err(expected));
    }
    let target = scripted::serve(Script::HangUp).await;
    assert_fail(
        &probe(target, &account("open", None)).await,
        "hung up without a complete greeting",
    );
}

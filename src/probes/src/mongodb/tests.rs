use std::time::Duration;

use bson::{DateTime, RawDocumentBuf, rawdoc};
use proptest::prelude::*;
use vipward_core::config::{Check, CheckKind, Tls};

use super::*;
use crate::testing::certificates::Authority;
use crate::testing::mongodb as server;
use crate::testing::scripted::{self, Script, check};
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, probe};

const PRIMARY: Outcome = Ok(Pass { role: Some(Replication::Primary), lag: None });

fn mongodb(max_lag: Option<Duration>) -> Check {
    let mut check = check(CheckKind::Mongodb { max_lag, tls: None });
    check.timeout = Duration::from_millis(300);
    check
}

/// A reply as a server sends it.
fn reply(document: &RawDocumentBuf) -> Vec<u8> {
    let length = u32::try_from(21 + document.as_bytes().len()).expect("a short reply");
    let head = [length, 7, 1, 2013, 0].map(u32::to_le_bytes);
    [head.as_flattened(), &[0], document.as_bytes()].concat()
}

/// The server says nothing first.
async fn comes_of(replies: Vec<Vec<u8>>, max_lag: Option<Duration>) -> Outcome {
    let packets = [vec![Vec::new()], replies].concat();
    probe(scripted::serve(Script::Packets(packets)).await, &mongodb(max_lag)).await
}

fn secondary() -> Vec<u8> {
    let hello =
        rawdoc! { "isWritablePrimary": false, "secondary": true, "setName": "rs", "ok": 1.0 };
    reply(&hello)
}

fn member(own: bool, state: i32, millis: i64) -> RawDocumentBuf {
    let mut member = rawdoc! { "state": state, "optimeDate": DateTime::from_millis(millis) };
    if own {
        member.append(bson::cstr!("self"), true);
    }
    member
}

fn status(members: Vec<RawDocumentBuf>) -> Vec<u8> {
    let members: bson::raw::RawArrayBuf = members.into_iter().collect();
    reply(&rawdoc! { "set": "rs", "members": members, "ok": 1.0 })
}

fn denied() -> Vec<u8> {
    reply(&rawdoc! { "ok": 0.0, "errmsg": "requires authentication", "code": 13 })
}

#[tokio::test]
async fn a_real_primary_passes_until_it_is_stopped() {
    let mut server = server::start(&[]).await;
    let check = check(CheckKind::Mongodb { max_lag: Some(Duration::from_secs(1)), tls: None });
    assert_eq!(probe(server.address, &check).await, PRIMARY);
    server.stop();
    let outcome = probe(server.address, &check).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("Connection refused"), "{cause}");
}

#[tokio::test]
async fn a_real_server_passes_alone_and_where_it_wants_a_login() {
    for arguments in [["--standalone"], ["--auth"]] {
        let server = server::start(&arguments).await;
        let check = check(CheckKind::Mongodb { max_lag: None, tls: None });
        assert_eq!(probe(server.address, &check).await, PRIMARY, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_real_server_that_hangs_times_out_and_passes_once_it_goes_on() {
    let server = server::start(&[]).await;
    server.signal("STOP");
    let expected = ProbeFailure::TimedOut("no complete reply to hello within 300 ms".to_owned());
    assert_eq!(probe(server.address, &mongodb(None)).await, Err(expected));
    server.signal("CONT");
    let patient = check(CheckKind::Mongodb { max_lag: None, tls: None });
    assert_eq!(probe(server.address, &patient).await, PRIMARY);
}

#[tokio::test]
async fn a_real_server_behind_tls_passes_with_a_good_certificate_only() {
    let (authority, other) = (Authority::new(), Authority::new());
    let good = server::start_tls(&authority.certify("127.0.0.1")).await;
    let expired = server::start_tls(&authority.certify_expired("127.0.0.1")).await;
    let with = |tls| check(CheckKind::Mongodb { max_lag: None, tls });
    assert_eq!(probe(good.address, &with(Some(authority.trusted()))).await, PRIMARY);
    let outcome = probe(good.address, &with(Some(other.trusted()))).await;
    let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("does not trust the certificate"), "{cause}");
    let outcome = probe(expired.address, &with(Some(authority.trusted()))).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("certificate expired"), "{cause}");
    let outcome = probe(good.address, &with(None)).await;
    assert!(matches!(outcome, Err(ProbeFailure::Failed(_))), "in the clear: {outcome:?}");
}

#[tokio::test]
async fn a_primary_a_standalone_and_a_router_pass() {
    for (hello, expected) in [
        (
            rawdoc! { "isWritablePrimary": true, "secondary": false, "setName": "rs", "ok": 1.0 },
            PRIMARY,
        ),
        (rawdoc! { "isWritablePrimary": true, "ok": 1 }, PRIMARY),
        (rawdoc! { "isWritablePrimary": true, "msg": "isdbgrid", "ok": 1.0 }, Ok(Pass::PLAIN)),
    ] {
        assert_eq!(comes_of(vec![reply(&hello)], None).await, expected, "{hello:?}");
    }
}

#[tokio::test]
async fn a_secondary_says_how_far_behind_it_is() {
    let behind = |millis| Some(Lag::Behind(Duration::from_millis(millis)));
    for (answer, expected) in [
        (status(vec![member(false, 1, 90_000), member(true, 2, 87_500)]), behind(2_500)),
        (status(vec![member(true, 2, 90_001), member(false, 1, 90_000)]), behind(0)),
        (status(vec![member(true, 2, 90_000), member(false, 8, 0)]), Some(Lag::Severed)),
        (denied(), None),
    ] {
        let outcome = comes_of(vec![secondary(), answer], None).await;
        assert_eq!(outcome, Ok(Pass { role: Some(Replication::Replica), lag: expected }));
    }
    let outcome = comes_of(vec![secondary(), denied()], Some(Duration::from_secs(1))).await;
    let Err(ProbeFailure::Inconclusive(cause)) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(cause, "answered replSetGetStatus with error 13: requires authentication");
}

#[tokio::test]
async fn what_serves_nobody_fails_with_a_cause() {
    let neither = rawdoc! { "isWritablePrimary": false, "secondary": false, "ok": 1.0 };
    let arbiter = rawdoc! { "arbiterOnly": true, "ok": 1.0 };
    let unknown = rawdoc! { "ok": 0.0, "code": 59, "errmsg": "no such command: 'hello'" };
    let shutdown = rawdoc! { "ok": 0.0, "code": 91, "errmsg": "shutdown in progress" };
    let mut other_operation = reply(&neither);
    other_operation[12] = 1;
    for (replies, expected) in [
        (vec![reply(&neither)], "is neither primary nor secondary"),
        (vec![reply(&arbiter)], "is neither primary nor secondary: it is an arbiter"),
        (vec![reply(&unknown)], "answered hello with error 59: no such command: 'hello'"),
        (vec![secondary(), reply(&shutdown)], "answered replSetGetStatus with error 91: shutdown"),
        (vec![secondary(), status(vec![])], "no MongoDB reply to replSetGetStatus"),
        (vec![secondary(), reply(&rawdoc! { "ok": 1.0 })], "no MongoDB reply to replSetGetStatus"),
        (vec![other_operation], "no MongoDB reply to hello"),
        (vec![vec![0; 64]], "no MongoDB reply to hello"),
        (vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], "no MongoDB reply to hello"),
        (
            vec![[&u32::MAX.to_le_bytes(), &reply(&neither)[4..], &[0; 300_000]].concat()],
            "sent 262144 bytes without a complete reply to hello",
        ),
    ] {
        let outcome = comes_of(replies, None).await;
        let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{expected}: {outcome:?}") };
        assert!(cause.starts_with(expected), "{cause}");
    }
    let target = scripted::serve(Script::AnswerThenHangUp("\u{1}")).await;
    let expected = "hung up without a complete reply to hello".to_owned();
    assert_eq!(probe(target, &mongodb(None)).await, Err(ProbeFailure::Failed(expected)));
}

#[tokio::test]
async fn it_is_asked_in_tls_where_the_file_says_so() {
    let (authority, other) = (Authority::new(), Authority::new());
    let hello = rawdoc! { "isWritablePrimary": true, "ok": 1.0 };
    let script = Script::Packets(vec![Vec::new(), reply(&hello)]);
    let with = |tls: Tls| Check {
        timeout: Duration::from_secs(5),
        ..check(CheckKind::Mongodb { max_lag: None, tls: Some(tls) })
    };
    let good = authority.certify("127.0.0.1");
    let server = scripted::serve_tls(script.clone(), &good).await;
    assert_eq!(probe(server, &with(authority.trusted())).await, PRIMARY);
    let untrusted = probe(server, &with(other.trusted())).await;
    assert!(matches!(untrusted, Err(ProbeFailure::Inconclusive(_))), "{untrusted:?}");
    let expired = authority.certify_expired("127.0.0.1");
    let server = scripted::serve_tls(script, &expired).await;
    let expired = probe(server, &with(authority.trusted())).await;
    assert!(matches!(expired, Err(ProbeFailure::Failed(_))), "{expired:?}");
}

#[tokio::test]
async fn a_stopped_server_fails() {
    let outcome = probe(scripted::closed_port().await, &mongodb(None)).await;
    let Err(ProbeFailure::Failed(cause)) = &outcome else { panic!("{outcome:?}") };
    assert!(cause.contains("Connection refused"), "{cause}");
}

#[tokio::test]
async fn nothing_and_half_a_reply_time_out() {
    let half = secondary()[..40].to_vec();
    for (replies, asked) in
        [(vec![], "hello"), (vec![half], "hello"), (vec![secondary()], "replSetGetStatus")]
    {
        let expected = format!("no complete reply to {asked} within 300 ms");
        assert_eq!(comes_of(replies, None).await, Err(ProbeFailure::TimedOut(expected)));
    }
}

proptest! {
    /// A panic would end the agent: whatever a peer sends is a value or an error.
    #[test]
    fn no_bytes_make_the_readers_panic(
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = status(vec![member(false, 1, 9), member(true, 2, 5)])[21..].to_vec();
        for (place, byte) in noise {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(document) = document(&bytes) {
            let _refusal = Refusal::of(document);
            let _lag = lag(document);
        }
    }
}

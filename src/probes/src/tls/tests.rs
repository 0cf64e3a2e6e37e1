use std::time::Duration;

use vipward_core::config::{Check, CheckKind, Tls};

use crate::testing::certificates::Authority;
use crate::testing::scripted::{self, Script, check};
use crate::{Outcome, Pass, ProbeFailure, probe};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn https(tls: Tls) -> Check {
    let host = tls.name.clone();
    let (path, body) = ("/".to_owned(), Some("^ok$".to_owned()));
    check(CheckKind::Http { path, status: 200, body, host, tls: Some(tls) })
}

fn answers() -> Script {
    Script::Answers(vec![OK])
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
async fn a_certificate_of_a_trusted_authority_for_the_right_name_passes() {
    let authority = Authority::new();
    let by_address = scripted::serve_tls(answers(), &authority.certify("127.0.0.1")).await;
    assert_eq!(probe(by_address, &https(authority.trusted())).await, Ok(Pass::PLAIN));
    let by_name = scripted::serve_tls(answers(), &authority.certify("web.example")).await;
    let named = Tls { name: Some("web.example".to_owned()), ..authority.trusted() };
    assert_eq!(probe(by_name, &https(named)).await, Ok(Pass::PLAIN));
}

#[tokio::test]
async fn whom_we_do_not_trust_we_cannot_judge() {
    let (authority, other) = (Authority::named("one"), Authority::named("other"));
    let namesake = Authority::named("one");
    let server = scripted::serve_tls(answers(), &authority.certify("web.example")).await;
    for (tls, expected) in [
        (other.trusted(), "does not trust the certificate: UnknownIssuer"),
        (namesake.trusted(), "does not trust the certificate: BadSignature"),
        (Tls { ca_file: None, ..other.trusted() }, "the certificate: UnknownIssuer"),
        (authority.trusted(), "not valid for name"),
        (
            Tls { name: Some("db.example".to_owned()), ..authority.trusted() },
            "does not trust the certificate: ",
        ),
        (Tls { name: Some("a..b".to_owned()), ..authority.trusted() }, "the host \"a..b\""),
        (Tls { ca_file: Some("/absent".into()), ..authority.trusted() }, "CA file /absent: "),
        (Tls { ca_file: Some("/dev/null".into()), ..authority.trusted() }, "not a regular file"),
    ] {
        assert_error(&probe(server, &https(tls)).await, expected);
    }
    let nothing = authority.directory.join("nothing.pem");
    std::fs::write(&nothing, "no certificate").expect("writable");
    let tls = Tls { ca_file: Some(nothing), ..authority.trusted() };
    assert_error(&probe(server, &https(tls)).await, "it holds no certificate");
    let unverified = Tls { verify: false, name: None, ca_file: None };
    assert_eq!(probe(server, &https(unverified)).await, Ok(Pass::PLAIN));
}

#[tokio::test]
async fn what_turns_every_client_away_fails() {
    let authority = Authority::new();
    let expired = authority.certify_expired("127.0.0.1");
    let server = scripted::serve_tls(answers(), &expired).await;
    let check = https(authority.trusted());
    assert_fail(&probe(server, &check).await, "shows a bad certificate: certificate expired");
    for (script, expected) in [
        (Script::HangUp, "TLS"),
        (answers(), "no TLS: "),
        (Script::Endless(""), "no TLS: "),
        // Announces a record, and within it a handshake of 16 MiB.
        (Script::Endless("\u{16}\u{3}\u{3}\u{40}\u{0}\u{2}\u{7f}\u{7f}\u{7f}"), "no TLS: "),
    ] {
        let server = scripted::serve(script).await;
        assert_fail(&probe(server, &check).await, expected);
    }
}

#[tokio::test]
async fn nothing_and_half_a_handshake_time_out() {
    let authority = Authority::new();
    let mut check = https(authority.trusted());
    check.timeout = Duration::from_millis(200);
    for script in [Script::Silence, Script::Answers(vec!["\u{16}\u{3}\u{3}"])] {
        let server = scripted::serve(script).await;
        let expected = "no complete TLS handshake within 200 ms".to_owned();
        assert_eq!(probe(server, &check).await, Err(ProbeFailure::TimedOut(expected)));
    }
}

use std::io;
use std::time::Duration;

use vipward_core::config::CheckKind;

use crate::testing::scripted::{self, Script, check};
use crate::{Pass, ProbeFailure, probe};

#[tokio::test]
async fn an_open_port_passes_even_when_the_peer_says_nothing() {
    let target = scripted::serve(Script::Silence).await;
    assert_eq!(probe(target, &check(CheckKind::Tcp)).await, Ok(Pass::PLAIN));
}

#[tokio::test]
async fn a_closed_port_fails() {
    let target = scripted::closed_port().await;
    let outcome = probe(target, &check(CheckKind::Tcp)).await;
    let Err(ProbeFailure::Failed(cause)) = outcome else { panic!("{outcome:?}") };
    assert!(cause.starts_with("no connection: Connection refused"), "{cause}");
}

#[tokio::test]
async fn a_full_backlog_times_out() {
    // Nobody accepts, so once the backlog is full the kernel drops further SYNs.
    let listener = tokio::net::TcpSocket::new_v4().expect("a socket");
    listener.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = listener.listen(1).expect("listening");
    let target = listener.local_addr().expect("bound");
    let mut check = check(CheckKind::Tcp);
    check.connect_timeout = Duration::from_millis(100);
    let mut held = Vec::new();
    let outcome = loop {
        match probe(target, &check).await {
            Ok(_) if held.len() < 100 => {
                held.extend(tokio::net::TcpStream::connect(target).await);
            }
            outcome => break outcome,
        }
    };
    assert_eq!(outcome, Err(ProbeFailure::TimedOut("no connection within 100 ms".to_owned())));
}

#[test]
fn an_error_of_this_host_says_nothing_about_the_peer() {
    for (errno, is_error) in [
        (24, true),
        (23, true),
        (105, true),
        (99, true),
        (13, true),
        (1, true),
        (12, true),
        (111, false),
        (113, false),
        (101, false),
        (104, false),
    ] {
        let error = io::Error::from_raw_os_error(errno);
        assert_eq!(super::failure("no connection", &error).is_inconclusive(), is_error, "{error}");
    }
}

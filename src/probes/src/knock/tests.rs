use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use vipward_core::config::CheckKind;

use super::*;
use crate::testing::scripted::{self, Script, check};

fn knock(address: SocketAddr, kind: CheckKind) -> Knock {
    let mut check = check(kind);
    check.connect_timeout = Duration::from_millis(200);
    check.timeout = Duration::from_millis(400);
    Knock::at(address, &check)
}

fn mysql() -> CheckKind {
    let user = "vipward".to_owned();
    CheckKind::Mysql { user, password_file: None, max_lag: None, tls: None }
}

#[tokio::test]
async fn whoever_accepts_or_refuses_is_at_home() {
    let silent = scripted::serve(Script::Silence).await;
    assert!(knock(silent, CheckKind::Tcp).answers().await);
    assert!(knock(scripted::closed_port().await, CheckKind::Tcp).answers().await);
    assert!(knock(scripted::closed_port().await, mysql()).answers().await);
}

#[tokio::test]
async fn silence_is_no_answer() {
    // Nobody accepts, so once the backlog is full the kernel drops further SYNs.
    let listener = TcpSocket::new_v4().expect("a socket");
    listener.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = listener.listen(1).expect("listening");
    let address = listener.local_addr().expect("bound");
    let mut held = Vec::new();
    while knock(address, CheckKind::Tcp).answers().await {
        held.extend(TcpStream::connect(address).await);
        assert!(held.len() < 100, "the backlog is never full");
    }
    assert!(!knock(address, mysql()).answers().await);
}

#[tokio::test]
async fn after_a_login_that_failed_it_rests() {
    let refuses = scripted::serve(Script::Packets(vec![b"\x03\0\0\0\xff\x15\x04".to_vec()])).await;
    let mut knock = knock(refuses, mysql());
    assert!(knock.answers().await);
    assert_eq!(knock.rest, REST);
    assert!(knock.answers().await);
    assert_eq!(knock.rest, REST - 1);
}

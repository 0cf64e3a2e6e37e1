//! The shipped hook.

use std::net::SocketAddr;
use std::process::Command;

use super::*;
use crate::testing::daemon::{Daemon, run};
use crate::testing::hook_scripts::{assert_refuses, hook};
use crate::testing::scratch::fresh_directory;

/// The other node of a pair: the same port, another address.
async fn on_another_address(first: SocketAddr) -> Daemon {
    let address = SocketAddr::from(([127, 0, 0, 2], first.port()));
    Daemon::answering(&redis(), async || {
        let directory = fresh_directory("redis");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.2", "--port", &address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(&directory);
        Daemon::spawn(&mut command, "the package redis-server", address, directory)
    })
    .await
}

fn of(server: &Daemon, verb: &str, peers: &str) -> Command {
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let mut command = hook("redis", &[verb, "--host", &host, "--port", &port]);
    command.env("VIPWARD_PEERS", peers);
    command
}

#[tokio::test]
async fn a_pair_changes_its_primary_by_the_hook_and_running_it_twice_does_no_harm() {
    let a = server::start(&[]).await;
    let b = on_another_address(a.address).await;
    let follows =
        |outcome: &Outcome| matches!(outcome, Ok(Pass { role: Some(Replication::Replica), .. }));
    for _ in 0..2 {
        run(&mut of(&a, "promote", "127.0.0.2"));
        run(&mut of(&b, "demote", "127.0.0.1"));
    }
    assert_eq!(probe(a.address, &check(redis())).await, PRIMARY);
    b.comes_to(&check(redis()), follows).await;
    assert_refuses(&mut of(&a, "demote", "127.0.0.2"), "no other node says that it is a primary");
    for _ in 0..2 {
        run(&mut of(&b, "promote", "127.0.0.1"));
        run(&mut of(&a, "demote", "127.0.0.2"));
    }
    assert_eq!(probe(b.address, &check(redis())).await, PRIMARY);
    a.comes_to(&check(redis()), follows).await;
}

#[tokio::test]
async fn what_the_hook_cannot_do_is_a_failure() {
    let mut server = server::start(&["--requirepass", "right"]).await;
    assert_refuses(&mut of(&server, "promote", ""), "NOAUTH");
    let file = server.file("password", "right\n");
    let with_password = |verb: &str| {
        let mut command = of(&server, verb, "127.0.0.2");
        command.arg("--password-file").arg(&file);
        command
    };
    run(&mut with_password("promote"));
    assert_refuses(&mut with_password("demote"), "no other node");
    assert_refuses(&mut with_password("dance"), "usage");
    let mut promote = of(&server, "promote", "");
    server.stop();
    assert_refuses(&mut promote, "Could not connect");
}

//! The shipped hook, with MariaDB.

use std::process::Command;

use super::*;
use crate::testing::daemon::run;
use crate::testing::hook_scripts::{assert_refuses, hook};

fn of(server: &Daemon, verb: &str) -> Command {
    let socket = format!("--socket={}", server.directory().join("socket").display());
    hook("mysql", &[verb, "--no-defaults", "--user=root", &socket])
}

fn lets_write(server: &Daemon) -> bool {
    server::sql(server, "SELECT @@global.read_only").trim() == "0"
}

#[tokio::test]
async fn writes_are_let_in_and_kept_out_and_running_it_twice_does_no_harm() {
    let mut server = server::start(1, "").await;
    for verb in ["demote", "demote", "promote", "promote", "demote"] {
        run(&mut of(&server, verb));
        assert_eq!(lets_write(&server), verb == "promote", "{verb}");
    }
    assert_refuses(&mut of(&server, "dance"), "usage");
    let mut promote = of(&server, "promote");
    server.stop();
    assert_refuses(&mut promote, "connect");
}

#[tokio::test]
async fn a_replica_is_promoted_only_when_it_has_applied_all_that_it_received() {
    let primary = server::start(1, "").await;
    server::sql(&primary, "CREATE DATABASE d; CREATE TABLE d.t (n INT)");
    let follow = format!(
        "SET GLOBAL read_only = 1;\n\
         CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'follower', \
         MASTER_PASSWORD = 'right', MASTER_CONNECT_RETRY = 1;\n\
         START SLAVE;",
        primary.address.port()
    );
    let server = server::start(2, &follow).await;
    let seer = strict("seer", server.file("right", "right"));
    let current = Ok(replica(Some(Lag::Behind(Duration::ZERO))));
    server.comes_to(&seer, |outcome| *outcome == current).await;
    server::sql(&server, "STOP SLAVE SQL_THREAD");
    let received = || server::sql(&server, "SHOW SLAVE STATUS");
    let before = received();
    server::sql(&primary, "INSERT INTO d.t VALUES (1)");
    let began = std::time::Instant::now();
    while received() == before && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_refuses(&mut of(&server, "promote"), "before all received changes were applied");
    assert!(!lets_write(&server), "it stays as it was");
    server::sql(&server, "START SLAVE SQL_THREAD");
    run(&mut of(&server, "promote"));
    assert!(lets_write(&server));
    assert_eq!(server::sql(&server, "SELECT n FROM d.t").trim(), "1");
}

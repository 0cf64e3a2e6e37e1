//! The shipped hook.

use std::process::Command;

use super::*;
use crate::testing::daemon::{Daemon, run};
use crate::testing::hook_scripts::{assert_refuses, hook};

fn with_login(mut command: Command, server: &Daemon) -> Command {
    let port = format!("--port={}", server.address.port());
    command.args(["--host=127.0.0.1", "--username=postgres", &port]);
    command.env("PGPASSWORD", server::PASSWORD);
    command
}

fn of(server: &Daemon, verb: &str) -> Command {
    with_login(hook("postgres", &[verb]), server)
}

fn write(server: &Daemon) -> Command {
    let mut command = with_login(Command::new("psql"), server);
    command.args(["--no-psqlrc", "--command", "CREATE TABLE IF NOT EXISTS t (n INT)"]);
    command
}

#[tokio::test]
async fn a_standby_is_promoted_and_the_former_primary_lets_no_writes_in() {
    let former = server::start().await;
    let standby = server::start_standby(&former).await;
    let file = standby.file("right", server::PASSWORD);
    let check = account("vipward", Some(file), "postgres");
    run(&mut of(&standby, "demote"));
    assert_refuses(&mut write(&standby), "read-only");
    for _ in 0..2 {
        run(&mut of(&former, "demote"));
        assert_refuses(&mut write(&former), "read-only");
    }
    for _ in 0..2 {
        run(&mut of(&standby, "promote"));
        assert_eq!(probe(standby.address, &check).await, PRIMARY);
        run(&mut write(&standby));
    }
    run(&mut of(&former, "promote"));
    run(&mut write(&former));
}

#[tokio::test]
async fn what_the_hook_cannot_do_is_a_failure() {
    let mut server = server::start().await;
    assert_refuses(&mut of(&server, "dance"), "usage");
    let mut promote = of(&server, "promote");
    server.stop();
    assert_refuses(&mut promote, "Connection refused");
}

//! A real `redis-server` for the tests, on a free port, in a directory of its own.

use std::net::SocketAddr;
use std::process::Command;

use vipward_core::config::CheckKind;

use crate::daemon::{Daemon, free_address, fresh_directory};

/// Starts one with further arguments and waits until it answers.
pub(super) async fn start(arguments: &[&str]) -> Daemon {
    let kind = CheckKind::Redis { user: None, password_file: None, max_lag: None };
    Daemon::answering(&kind, async || spawn(arguments, free_address().await)).await
}

fn spawn(arguments: &[&str], address: SocketAddr) -> Daemon {
    let directory = fresh_directory("redis");
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(&directory)
        .args(arguments);
    Daemon::spawn(&mut command, "redis-server", address, directory)
}

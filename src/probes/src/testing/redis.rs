//! A real `redis-server` for the tests, on a free port, in a directory of its own.

use std::net::SocketAddr;
use std::process::Command;

use vipward_core::config::{CheckKind, Tls};

use crate::testing::certificates::Certified;
use crate::testing::daemon::{Daemon, free_address};
use crate::testing::scratch::fresh_directory;

/// Starts one with further arguments and waits until it answers.
pub(crate) async fn start(arguments: &[&str]) -> Daemon {
    let kind = CheckKind::Redis { user: None, password_file: None, max_lag: None, tls: None };
    Daemon::answering(&kind, async || spawn(arguments, free_address().await)).await
}

/// Starts one behind TLS, with what an authority has certified.
pub(crate) async fn start_tls(by: &Certified) -> Daemon {
    let tls = Some(Tls { name: None, ca_file: None, verify: false });
    let kind = CheckKind::Redis { user: None, password_file: None, max_lag: None, tls };
    let (certificate, key) = (by.certificate.to_str(), by.key.to_str());
    Daemon::answering(&kind, async || {
        let address = free_address().await;
        let port = address.port().to_string();
        let files = ["--tls-cert-file", certificate.expect("text"), "--tls-key-file"];
        let further = [key.expect("text"), "--tls-auth-clients", "no", "--tls-port", &port];
        spawn(&[&files[..], &further, &["--port", "0"]].concat(), address)
    })
    .await
}

/// Starts one and does not wait.
pub(crate) fn spawn(arguments: &[&str], address: SocketAddr) -> Daemon {
    let directory = fresh_directory("redis");
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(&directory)
        .args(arguments);
    Daemon::spawn(&mut command, "the package redis-server", address, directory)
}

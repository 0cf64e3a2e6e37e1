//! A real server that speaks MongoDB's protocol for the tests, on a free port, in a directory of
//! its own: `SecantusDB`, which is a primary of its own set, or stands alone.

use std::net::SocketAddr;
use std::process::Command;

use vipward_core::config::{CheckKind, Tls};

use crate::testing::certificates::Certified;
use crate::testing::daemon::{Daemon, free_address};
use crate::testing::scratch::fresh_directory;

const NEEDED: &str = "secantusd-py, which `cargo xtask test --only test` installs and finds";

/// Starts one with further arguments and waits until it answers.
pub(crate) async fn start(arguments: &[&str]) -> Daemon {
    let kind = CheckKind::Mongodb { max_lag: None, tls: None };
    Daemon::answering(&kind, async || spawn(arguments, free_address().await)).await
}

/// Starts one behind TLS, with what an authority has certified.
pub(crate) async fn start_tls(by: &Certified) -> Daemon {
    let tls = Some(Tls { name: None, ca_file: None, verify: false });
    let kind = CheckKind::Mongodb { max_lag: None, tls };
    let (certificate, key) = (by.certificate.to_str(), by.key.to_str());
    let files = ["--tls-cert-file", certificate.expect("text"), "--tls-key-file"];
    let arguments = [&files[..], &[key.expect("text")]].concat();
    Daemon::answering(&kind, async || spawn(&arguments, free_address().await)).await
}

fn spawn(arguments: &[&str], address: SocketAddr) -> Daemon {
    let directory = fresh_directory("mongodb");
    let mut command = Command::new("secantusd-py");
    command
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--cache-size", "32M", "--storage-path"])
        .arg(directory.join("data"))
        .args(arguments);
    Daemon::spawn(&mut command, NEEDED, address, directory)
}

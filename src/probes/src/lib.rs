//! One check of one service on one node, over the network, within a time limit.
//!
//! Each protocol is one file. A probe trusts nothing it reads: replies are bounded in size and
//! time, and what is not the expected reply fails with a cause for people.

#![warn(missing_docs)]

pub mod command;
mod deadline;
mod exec;
mod file;
mod http;
mod knock;
mod mongodb;
mod mysql;
mod postgres;
mod redis;
mod secret;
mod systemd;
mod tcp;
#[cfg(any(test, fuzzing))]
pub mod testing;
mod tls;
mod wire;

use std::net::SocketAddr;

use vipward_core::config::{Check, CheckKind};
use vipward_core::outcome::{Lag, Outcome, Pass, ProbeFailure, Replication};

use deadline::Deadline;
pub use knock::Knock;
pub use wire::{Duplex, Wire};

/// Checks the service at `target` once. Never late: it answers within the check's timeout.
///
/// # Errors
/// What kept it from passing, told apart by what it says about the service: see [`ProbeFailure`].
pub async fn probe(target: SocketAddr, check: &Check) -> Outcome {
    let deadline = &Deadline::of(check);
    match &check.kind {
        CheckKind::Tcp => tcp::probe(target, deadline).await,
        CheckKind::Http { path, status, body, host, tls } => {
            let (body, host, tls) = (body.as_deref(), host.as_deref(), tls.as_ref());
            let request = http::Request { path, status: *status, body, host, tls };
            http::probe(target, &request, deadline).await
        }
        CheckKind::Redis { user, password_file, max_lag, tls } => {
            let account = redis::Account {
                user: user.as_deref(),
                password_file: password_file.as_deref(),
                tls: tls.as_ref(),
                lag_matters: max_lag.is_some(),
            };
            redis::probe(target, &account, deadline).await
        }
        CheckKind::Mysql { user, password_file, max_lag, tls } => {
            let (password_file, lag_matters) = (password_file.as_deref(), max_lag.is_some());
            let account = mysql::Account { user, password_file, tls: tls.as_ref(), lag_matters };
            mysql::probe(target, &account, deadline).await
        }
        CheckKind::Postgres { user, password_file, database, tls, .. } => {
            let (password_file, tls) = (password_file.as_deref(), tls.as_ref());
            let account = postgres::Account { user, password_file, database, tls };
            postgres::probe(target, &account, deadline).await
        }
        CheckKind::Mongodb { max_lag, tls } => {
            mongodb::probe(target, tls.as_ref(), max_lag.is_some(), deadline).await
        }
        CheckKind::Exec { command, user } => {
            exec::probe(target, command, user.as_deref(), check.timeout).await
        }
        CheckKind::Systemd { unit } => systemd::probe(target, unit, deadline).await,
    }
}

/// Connects to the service at `target` for a connection that then stands idle, and that the peer
/// takes no offence at: some servers want to be spoken to first.
///
/// # Errors
/// What kept it from connecting.
pub async fn stand(target: SocketAddr, check: &Check) -> Result<Wire, ProbeFailure> {
    let deadline = &Deadline::of(check);
    match &check.kind {
        CheckKind::Mysql { user, password_file, tls, .. } => {
            let (password_file, tls) = (password_file.as_deref(), tls.as_ref());
            let account = mysql::Account { user, password_file, tls, lag_matters: false };
            mysql::stand(target, &account, deadline).await
        }
        _ => Ok(Box::new(tcp::connect(target, deadline).await?)),
    }
}

//! One check of one service on one node, over the network, within a time limit.
//!
//! Each protocol is one cargo feature and one file. A probe trusts nothing it reads: replies are
//! bounded in size and time, and what is not the expected reply fails with a cause for people.

#[cfg(not(any(
    feature = "exec",
    feature = "http",
    feature = "mongodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "systemd",
    feature = "tcp",
)))]
compile_error!("a build without any probe has nothing to do: choose at least one feature");

#[cfg(feature = "command")]
pub mod command;
mod deadline;
#[cfg(feature = "exec")]
mod exec;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis", feature = "tls"))]
mod file;
#[cfg(any(
    fuzzing,
    all(
        test,
        feature = "http",
        feature = "mongodb",
        feature = "mysql",
        feature = "postgres",
        feature = "redis",
        feature = "systemd",
    )
))]
pub mod fuzzing;
#[cfg(feature = "http")]
mod http;
mod knock;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
mod secret;
#[cfg(feature = "systemd")]
mod systemd;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod wire;

#[cfg(test)]
mod daemon;
#[cfg(test)]
mod hook_scripts;
#[cfg(test)]
mod scratch;
#[cfg(test)]
mod scripted;

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
        #[cfg(feature = "tcp")]
        CheckKind::Tcp => tcp::probe(target, deadline).await,
        #[cfg(feature = "http")]
        CheckKind::Http { path, status, body, host, tls } => {
            let (body, host, tls) = (body.as_deref(), host.as_deref(), tls.as_ref());
            let request = http::Request { path, status: *status, body, host, tls };
            http::probe(target, &request, deadline).await
        }
        #[cfg(feature = "redis")]
        CheckKind::Redis { user, password_file, max_lag, tls } => {
            let account = redis::Account {
                user: user.as_deref(),
                password_file: password_file.as_deref(),
                tls: tls.as_ref(),
                lag_matters: max_lag.is_some(),
            };
            redis::probe(target, &account, deadline).await
        }
        #[cfg(feature = "mysql")]
        CheckKind::Mysql { user, password_file, max_lag, tls } => {
            let (password_file, lag_matters) = (password_file.as_deref(), max_lag.is_some());
            let account = mysql::Account { user, password_file, tls: tls.as_ref(), lag_matters };
            mysql::probe(target, &account, deadline).await
        }
        #[cfg(feature = "postgres")]
        CheckKind::Postgres { user, password_file, database, tls, .. } => {
            let (password_file, tls) = (password_file.as_deref(), tls.as_ref());
            let account = postgres::Account { user, password_file, database, tls };
            postgres::probe(target, &account, deadline).await
        }
        #[cfg(feature = "mongodb")]
        CheckKind::Mongodb { max_lag, tls } => {
            mongodb::probe(target, tls.as_ref(), max_lag.is_some(), deadline).await
        }
        #[cfg(feature = "exec")]
        CheckKind::Exec { command, user } => {
            exec::probe(target, command, user.as_deref(), check.timeout).await
        }
        #[cfg(feature = "systemd")]
        CheckKind::Systemd { unit } => systemd::probe(target, unit, deadline).await,
        #[cfg(not(all(
            feature = "exec",
            feature = "http",
            feature = "mongodb",
            feature = "mysql",
            feature = "postgres",
            feature = "redis",
            feature = "systemd",
            feature = "tcp",
        )))]
        kind => {
            Err(ProbeFailure::inconclusive(format!("this build has no probe for {}", kind.name())))
        }
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
        #[cfg(feature = "mysql")]
        CheckKind::Mysql { user, password_file, tls, .. } => {
            let (password_file, tls) = (password_file.as_deref(), tls.as_ref());
            let account = mysql::Account { user, password_file, tls, lag_matters: false };
            mysql::stand(target, &account, deadline).await
        }
        _ => Ok(Box::new(tcp::connect(target, deadline).await?)),
    }
}

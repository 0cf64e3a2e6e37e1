//! One check of one service on one node, over the network, within a time limit.
//!
//! Each protocol is one cargo feature and one file. A probe trusts nothing it reads: replies are
//! bounded in size and time, and what is not the expected reply fails with a cause for people.

#[cfg(not(any(feature = "tcp", feature = "http", feature = "redis")))]
compile_error!("a build without any probe has nothing to do: choose at least one feature");

mod deadline;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod secret;
mod shortfall;
mod tcp;

#[cfg(test)]
mod scripted;

use std::net::SocketAddr;

use vipward_core::config::{Check, CheckKind};

use deadline::Deadline;
pub use shortfall::Shortfall;

/// What a probe came to. Never late: [`probe`] answers within the check's timeout.
pub type Outcome = Result<Pass, Shortfall>;

/// The service answered as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Its place in replication, where the protocol knows it.
    pub role: Option<Role>,
}

/// A service's place in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes writes.
    Primary,
    /// Follows a primary.
    Replica,
}

/// Checks the service at `target` once.
///
/// # Errors
/// What kept it from passing, told apart by what it says about the service: see [`Shortfall`].
pub async fn probe(target: SocketAddr, check: &Check) -> Outcome {
    let deadline = Deadline::after(check.timeout);
    match &check.kind {
        #[cfg(feature = "tcp")]
        CheckKind::Tcp => tcp::probe(target, &deadline).await,
        #[cfg(feature = "http")]
        CheckKind::Http { path, status } => http::probe(target, path, *status, &deadline).await,
        #[cfg(feature = "redis")]
        CheckKind::Redis { user, password_file } => {
            let login =
                redis::Login { user: user.as_deref(), password_file: password_file.as_deref() };
            redis::probe(target, &login, &deadline).await
        }
        #[cfg(not(all(feature = "tcp", feature = "http", feature = "redis")))]
        kind => Err(Shortfall::error(format!("this build has no probe for {kind:?}"))),
    }
}

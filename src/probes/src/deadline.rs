//! The time limits that all steps of a probe share.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use vipward_core::config::Check;

use crate::ProbeFailure;

/// The end of a probe.
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
    connect_timeout: Duration,
}

impl Deadline {
    /// The limits of a probe that begins now.
    pub fn of(check: &Check) -> Self {
        Self {
            at: Instant::now() + check.timeout,
            timeout: check.timeout,
            connect_timeout: check.connect_timeout,
        }
    }

    /// Waits for `step` until the deadline; after it, the cause says what was missing.
    pub async fn bound<T>(
        &self,
        step: impl Future<Output = T>,
        missing: impl FnOnce() -> String,
    ) -> Result<T, ProbeFailure> {
        bound(self.at, self.timeout, step, missing).await
    }

    /// Likewise, for a step that the peer's host takes by itself, however slow its services are.
    pub async fn bound_connecting<T>(
        &self,
        step: impl Future<Output = T>,
        missing: impl FnOnce() -> String,
    ) -> Result<T, ProbeFailure> {
        let limit = self.connect_timeout.min(self.timeout);
        bound(self.at.min(Instant::now() + limit), limit, step, missing).await
    }
}

async fn bound<T>(
    at: Instant,
    limit: Duration,
    step: impl Future<Output = T>,
    missing: impl FnOnce() -> String,
) -> Result<T, ProbeFailure> {
    timeout_at(at, step).await.map_err(|_| {
        ProbeFailure::timed_out(format!("{} within {} ms", missing(), limit.as_millis()))
    })
}

//! The one time limit that all steps of a probe share.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::Shortfall;

/// The end of a probe.
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    /// A deadline `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        Self { at: Instant::now() + timeout, timeout }
    }

    /// Waits for `step` until the deadline; after it, the shortfall says what was missing.
    pub async fn bound<T>(
        &self,
        step: impl Future<Output = T>,
        missing: impl FnOnce() -> String,
    ) -> Result<T, Shortfall> {
        timeout_at(self.at, step).await.map_err(|_| {
            Shortfall::timeout(format!("{} within {} ms", missing(), self.timeout.as_millis()))
        })
    }
}

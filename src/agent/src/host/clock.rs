//! The agent's clock: the wall clock read once, then carried forward by the monotonic one. So `now`
//! never jumps, and how long a verdict has held stays right when somebody sets the time.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

/// What the host believes the time to be.
#[expect(clippy::disallowed_methods, reason = "the agent's adapter to the wall clock")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// Where a start of the agent lies on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Timestamp,
    instant: Instant,
}

impl Clock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { started: wall(), instant: Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.started + self.instant.elapsed()
    }

    /// Waits until `at`, or for ever when there is nothing to wait for.
    pub async fn sleep_until(&self, at: Option<Timestamp>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        // A moment before the start is due at once.
        let after = Duration::try_from(at.duration_since(self.started)).unwrap_or_default();
        sleep_until(self.instant + after).await;
    }
}

//! What the agent tells systemd: ready, alive, in which state, stopping. Without systemd, nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Instant, interval_at};

/// The agent's line to systemd.
pub struct Systemd {
    watchdog: Option<tokio::time::Interval>,
}

impl Systemd {
    /// Finds out whether systemd wants signs of life, and how often.
    pub fn find() -> Self {
        // Twice within the limit, as sd_watchdog_enabled(3) asks.
        let watchdog = sd_notify::watchdog_enabled().map(|limit| {
            let period = (limit / 2).max(Duration::from_millis(1));
            interval_at(Instant::now() + period, period)
        });
        Self { watchdog }
    }

    /// The file is being read anew; [`Self::ready`] must follow. See `RELOADING=1` in
    /// `sd_notify(3)`.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(since) => tell(&[NotifyState::Reloading, since]),
            Err(error) => tracing::warn!(%error, "systemd not told of the reload"),
        }
    }

    /// The probes are running.
    pub fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// What `systemctl status` shows.
    pub fn status(&self, text: &str) {
        tell(&[NotifyState::Status(text)]);
    }

    /// The agent is about to end.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// Gives a sign of life when one is due; never returns when none is wanted.
    pub async fn stay_alive(&mut self) {
        match &mut self.watchdog {
            Some(watchdog) => {
                watchdog.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
            None => std::future::pending().await,
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd not told");
    }
}

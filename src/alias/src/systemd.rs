//! What systemd hears: ready, a status line, a sign of life for its watchdog, stopping.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::Instant;

/// systemd, if it is there: without `NOTIFY_SOCKET` everything here does nothing.
pub struct Systemd {
    watchdog: Option<Duration>,
    sign_due: Instant,
    status: Option<String>,
}

impl Systemd {
    /// Learns from the environment whether a watchdog waits, and how long.
    pub fn from_environment() -> Self {
        let watchdog = sd_notify::watchdog_enabled();
        Self { watchdog, sign_due: Instant::now(), status: None }
    }

    /// How long the watchdog waits for a sign of life.
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// After each pass that read the kernel: a sign of life where one is due, and the status where
    /// it is news. The first one also says that the unit is ready.
    ///
    /// Passes may come fifty a second; systemd has other things to read.
    pub fn passed(&mut self, status: String) {
        let mut news = Vec::new();
        if self.status.is_none() {
            news.push(NotifyState::Ready);
        }
        let now = Instant::now();
        if let Some(limit) = self.watchdog.filter(|_| now >= self.sign_due) {
            news.push(NotifyState::Watchdog);
            self.sign_due = now + limit / 4;
        }
        if self.status.as_ref() != Some(&status) {
            news.push(NotifyState::Status(&status));
        }
        tell(&news);
        self.status = Some(status);
    }

    /// Before the unit stops.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("stopped; the aliases stay in place")]);
    }
}

fn tell(news: &[NotifyState<'_>]) {
    if news.is_empty() {
        return;
    }
    if let Err(error) = sd_notify::notify(news) {
        tracing::warn!(%error, "systemd not told");
    }
}

//! What systemd hears: ready, a status line, a sign of life for its watchdog, stopping.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager, if there is one: without `NOTIFY_SOCKET` everything here does nothing.
pub struct Supervisor {
    watchdog: Option<Duration>,
    status: Option<String>,
}

impl Supervisor {
    /// Learns from the environment whether a watchdog waits, and how long.
    pub fn from_environment() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled(), status: None }
    }

    /// How long the watchdog waits for a sign of life.
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// After each pass that read the kernel: a sign of life, and the status where it is news. The
    /// first one also says that the unit is ready.
    pub fn passed(&mut self, status: String) {
        let mut news = Vec::new();
        if self.status.is_none() {
            news.push(NotifyState::Ready);
        }
        if self.watchdog.is_some() {
            news.push(NotifyState::Watchdog);
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
        tracing::warn!(%error, "service manager not told");
    }
}

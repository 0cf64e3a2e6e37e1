//! The clock of a host, which is rarely right.

use jiff::{SignedDuration, Timestamp};

/// A clock that is wrong, and going wrong.
#[derive(Debug, Clone, Copy)]
pub struct HostClock {
    started: Timestamp,
    ahead: SignedDuration,
    drift_ppm: i64,
}

impl HostClock {
    /// A clock that starts now.
    pub fn new(started: Timestamp, ahead_ms: i64, drift_ppm: i64) -> Self {
        Self { started, ahead: SignedDuration::from_millis(ahead_ms), drift_ppm }
    }

    /// What the host believes the time to be.
    pub fn shows(&self, now: Timestamp) -> Timestamp {
        let passed = micros(now.duration_since(self.started));
        let drifted = passed + passed * self.drift_ppm / 1_000_000;
        self.started + self.ahead + SignedDuration::from_micros(drifted)
    }

    /// When it shows that, rounded up.
    pub fn when(&self, shown: Timestamp) -> Timestamp {
        let passed = micros(shown.duration_since(self.started + self.ahead));
        let really = passed - passed * self.drift_ppm / (1_000_000 + self.drift_ppm);
        self.started + SignedDuration::from_micros(really + 2)
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(0)
}

//! When something was observed, and how long ago that was.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A value and when it was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Observed<T> {
    /// What was observed.
    pub value: T,
    /// When, by AWS's clock.
    pub at: Timestamp,
}

impl<T> Observed<T> {
    /// The value, unless it is as old as `max_age` or older.
    pub fn fresh(&self, now: Timestamp, max_age: Duration) -> Option<&T> {
        (age(self.at, now) < max_age).then_some(&self.value)
    }
}

/// How long ago `at` was; nothing when it lies ahead.
pub fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)
}

/// A length of time in whole milliseconds, as records show it.
pub fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_whole_milliseconds() {
        assert_eq!(millis(SignedDuration::from_micros(1_500_900)), 1_500);
        assert_eq!(millis(SignedDuration::from_secs(-2)), -2_000);
        assert_eq!(millis(SignedDuration::MAX), i64::MAX);
    }
}

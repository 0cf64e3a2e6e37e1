//! The one place that reads the system clock.

use jiff::Timestamp;

/// The time now, to the microsecond, which is as fine as the journal tells it.
#[expect(clippy::disallowed_methods, reason = "the driver is where time comes in")]
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// Until a moment, as a length of time; zero when it has passed.
pub(super) fn until(moment: Timestamp) -> std::time::Duration {
    moment.duration_since(now()).try_into().unwrap_or_default()
}

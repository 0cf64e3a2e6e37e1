//! The one place where the lab reads the wall clock.

use jiff::Timestamp;

/// Now. All processes of a lab share this clock, so their records can be put in one order.
#[expect(clippy::disallowed_methods, reason = "the lab's adapter to the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

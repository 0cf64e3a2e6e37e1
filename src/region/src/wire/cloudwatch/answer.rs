//! What an operation answers, before a protocol writes it.
//!
//! JSON alone will not do: the protocols differ in how they write times, and CBOR tells whole
//! numbers from others.

use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Any other number, whole or not.
    Number(f64),
    Flag(bool),
    /// A time, written to the millisecond.
    Time(Timestamp),
    List(Vec<Answer>),
    /// A structure; absent members are not in it.
    Structure(Vec<(&'static str, Answer)>),
}

impl Answer {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// Seconds since 1970 to the millisecond, as CBOR and JSON write times.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our times fit 53 bits")]
pub fn epoch_seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

//! How sending goes: counts since the start, and the last of each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::SendError;

/// What came of all requests of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many were sent well.
    pub sent: u64,
    /// How many failed.
    pub failed: u64,
    /// When one was last sent well.
    pub last_sent: Option<Timestamp>,
    /// The last that failed.
    pub last_failure: Option<Failure>,
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When that was known.
    pub at: Timestamp,
    /// Why.
    pub error: String,
}

impl Tally {
    /// A request has ended.
    pub fn count(&mut self, now: Timestamp, outcome: &Result<(), SendError>) {
        match outcome {
            Ok(()) => {
                self.sent += 1;
                self.last_sent = Some(now);
            }
            Err(error) => {
                self.failed += 1;
                self.last_failure = Some(Failure { at: now, error: error.to_string() });
            }
        }
    }
}

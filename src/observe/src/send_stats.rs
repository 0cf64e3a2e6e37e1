//! How sending goes: counts since the start, and the last of each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::observed::age;
use vipward_core::timing::FAILING_FOR;

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
    /// Since when all have failed, if the last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
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
                self.failing_since = None;
            }
            Err(error) => {
                self.failed += 1;
                self.failing_since.get_or_insert(now);
                self.last_failure = Some(Failure { at: now, error: error.to_string() });
            }
        }
    }

    /// Whether all have failed for so long that it has to be told by the other way.
    pub fn is_failing(&self, now: Timestamp) -> bool {
        self.failing_since.is_some_and(|since| age(since, now) >= FAILING_FOR)
    }
}

//! Ids that look like UUIDs and come out the same in every run.

use super::events::stable_id;

/// A sequence of ids; two sequences with different names never meet.
#[derive(Debug)]
pub struct Ids {
    sequence: &'static str,
    count: u64,
}

impl Ids {
    /// The start of a sequence.
    pub fn new(sequence: &'static str) -> Self {
        Self { sequence, count: 0 }
    }

    /// The next id.
    pub fn next_id(&mut self) -> String {
        self.count += 1;
        stable_id(&[self.sequence, &self.count.to_string()])
    }
}

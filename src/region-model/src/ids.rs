//! Ids that look like UUIDs and come out the same in every run.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

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

/// A name in the form of a UUID that follows from its parts alone: the model has no chance in it.
pub fn stable_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut digits = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        write!(digits, "{byte:02x}").expect("a string takes every write");
    }
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_their_parts() {
        let id = stable_id(&["a", "bc"]);
        assert_eq!(id, stable_id(&["a", "bc"]));
        assert_ne!(id, stable_id(&["ab", "c"]));
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}

//! The envelope that every event on the bus has.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Place;

/// What an event says, before the place that it comes from is added.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Unique name of the event, in the form of a UUID.
    pub id: String,
    /// Who says it: `aws.cloudwatch`, or a source of its own for a custom event.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// When it happened; events carry whole seconds.
    pub time: Timestamp,
    /// ARNs of what it is about.
    pub resources: Vec<String>,
    /// The rest.
    pub detail: Value,
}

impl Envelope {
    /// The event as rules and targets see it.
    pub fn to_event(&self, place: &Place) -> Value {
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": place.account,
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": place.region,
            "resources": self.resources,
            "detail": self.detail,
        })
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

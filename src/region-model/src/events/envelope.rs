//! The envelope that every event on the bus has.

use jiff::Timestamp;
use serde_json::{Value, json};

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

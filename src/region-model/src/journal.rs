//! What happens in the region, as a closed list of events: the journal that drivers write line by
//! line.
//!
//! A service model that has something to tell pushes it to its own `journal: Vec<JournalEvent>`;
//! [`super::Region::advance`] drains it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, to the microsecond.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: JournalEvent,
}

/// Everything a journal can tell; `event` names it in the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum JournalEvent {
    /// The region serves; always the first line.
    Ready {
        /// Base URL of all AWS APIs.
        endpoint: String,
        /// Base URL of the metadata listener for all instances.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shared_imds: Option<String>,
        /// Base URLs of the instances' own metadata listeners, by instance id.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        imds: BTreeMap<String, String>,
    },
    /// The template holds resources of a type that the region does not have.
    TemplateIgnored {
        /// `AWS::SQS::Queue` for example.
        kind: String,
        /// How many of them.
        count: usize,
    },
    /// A client called an API.
    Api {
        /// IAM's service prefix: `ec2`, `cloudwatch`, `events`, `lambda`.
        service: String,
        /// Name of the operation.
        operation: String,
        /// HTTP status of the answer; 0 when the answer was lost on purpose.
        status: u16,
        /// Access key id of the caller, `-` for an unsigned request.
        principal: String,
    },
    /// IAM refused a call; nothing of it was carried out.
    Denied {
        /// Access key id of the caller.
        principal: String,
        /// `events:PutEvents` for example.
        action: String,
        /// ARN of what it was about, or `*`.
        resource: String,
        /// What the region could not judge in a statement that otherwise fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unjudged: Option<String>,
    },
    /// Metric values came in.
    MetricData {
        /// Their name space.
        namespace: String,
        /// Values as `Metric{Dimension=value,...}` to number.
        values: BTreeMap<String, f64>,
    },
    /// An alarm changed its state.
    AlarmState {
        /// Name of the alarm.
        alarm: String,
        /// State before.
        from: String,
        /// State now.
        to: String,
        /// AWS's words for why.
        reason: String,
    },
    /// An event came onto the bus.
    EventPut {
        /// Its source.
        source: String,
        /// Its detail type.
        detail_type: String,
        /// What its detail alerts of, if it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        alert: Option<String>,
    },
    /// A rule handed an event to a target.
    EventDelivered {
        /// Name of the rule.
        rule: String,
        /// Name or ARN of the target.
        function: String,
        /// Id of the event.
        id: String,
    },
    /// A rule's target could not take an event.
    DeliveryFailed {
        /// Name of the rule.
        rule: String,
        /// ARN of the target.
        target: String,
        /// Why.
        reason: String,
    },
    /// An invocation was handed to an environment.
    Invoked {
        /// Function name.
        function: String,
        /// Request id; a retry keeps that of its first attempt.
        request_id: String,
        /// `sync` or `async`.
        kind: String,
    },
    /// An invocation ended.
    InvocationEnded {
        /// Function name.
        function: String,
        /// Request id.
        request_id: String,
        /// Whether the function answered without an error.
        ok: bool,
        /// Milliseconds it ran.
        ms: i64,
    },
    /// An asynchronous event was given up: too old, or out of attempts.
    InvocationDropped {
        /// Function name.
        function: String,
        /// Request id.
        request_id: String,
        /// `EventAgeExceeded` or `RetriesExhausted`, as in AWS's destinations.
        reason: String,
    },
    /// A function's process wrote a line.
    FunctionLog {
        /// Function name.
        function: String,
        /// The line.
        line: String,
    },
    /// Addresses came to an interface.
    Assigned {
        /// The interface that has them now.
        eni: String,
        /// The addresses.
        addresses: Vec<Ipv4Addr>,
        /// The interface that each came from, where one had it.
        from: BTreeMap<Ipv4Addr, String>,
    },
    /// Addresses left an interface for none.
    Unassigned {
        /// The interface that had them.
        eni: String,
        /// The addresses.
        addresses: Vec<Ipv4Addr>,
    },
    /// Tags of an interface changed.
    Tagged {
        /// The interface.
        eni: String,
        /// All its tags after the change.
        tags: BTreeMap<String, String>,
    },
    /// A fault took effect.
    Fault {
        /// `ec2:AssignPrivateIpAddresses` for example.
        on: String,
        /// Kind of fault.
        kind: String,
    },
    /// An instance changed its state.
    InstanceState {
        /// Instance id.
        instance: String,
        /// State before.
        from: String,
        /// State now.
        to: String,
    },
}

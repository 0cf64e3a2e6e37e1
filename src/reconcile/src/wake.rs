//! What wakes the function: events parsed into one of five kinds, everything else refused.
//!
//! A wake-up says that something may have changed, never what to do. All but a hint could as well
//! be empty: the function reads the world afresh.

use std::collections::BTreeSet;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vipward_core::hint::HINT_VERSION;
use vipward_core::name::ServiceName;
use vipward_core::telemetry::{AlarmName, HINT_DETAIL_TYPE, NotOurAlarm, parse_hint_source};
use vipward_core::{Config, Hint, NodeName};

use crate::role::Role;

/// Bytes that are kept of each text in a hint: a digest takes 64, and a cause is a line.
const LONGEST_TEXT: usize = 256;

/// Why the function was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// An alarm of this cluster changed its state.
    Alarm(AlarmName),
    /// An agent saw trouble.
    Hint(HeardHint),
    /// The EC2 instance of that id changed its state.
    Instance(String),
    /// A minute has passed.
    Schedule,
    /// An operator asks.
    Command(Command),
}

/// Why the function was called, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WakeKind {
    /// An alarm changed its state.
    Alarm,
    /// An agent saw trouble.
    Hint,
    /// An instance changed its state.
    Instance,
    /// A minute has passed.
    Schedule,
    /// An operator asks.
    Command,
}

impl Wake {
    /// Its kind.
    pub fn kind(&self) -> WakeKind {
        match self {
            Self::Alarm(_) => WakeKind::Alarm,
            Self::Hint(_) => WakeKind::Hint,
            Self::Instance(_) => WakeKind::Instance,
            Self::Schedule => WakeKind::Schedule,
            Self::Command(_) => WakeKind::Command,
        }
    }
}

/// A hint with who sent it, as EventBridge vouches, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardHint {
    /// The agent whose source the event has.
    pub observer: NodeName,
    /// When it was observed, as its sender says, and at most now.
    pub at: Timestamp,
    /// What it said.
    pub hint: Hint,
}

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Every VIP, its holder, and how each node is judged.
    Status,
    /// The same with all the evidence.
    Explain {
        /// Only this service.
        #[serde(default)]
        service: Option<ServiceName>,
    },
    /// Bring a VIP to another node.
    Switchover {
        /// The service.
        service: ServiceName,
        /// The node; the best other one by default.
        #[serde(default)]
        to: Option<NodeName>,
    },
    /// Take a node out of candidacy for a while, and its VIPs away.
    Drain {
        /// The node.
        node: NodeName,
        /// For how many seconds.
        seconds: u32,
        /// Who asks.
        owner: String,
        /// Why.
        reason: String,
    },
    /// Put a drained node back.
    Resume {
        /// The node.
        node: NodeName,
    },
    /// Make the move budget of a service whole again.
    Unfreeze {
        /// The service.
        service: ServiceName,
    },
}

impl Command {
    /// The role of the function that takes it.
    pub fn role(&self) -> Role {
        match self {
            Self::Status | Self::Explain { .. } => Role::Query,
            Self::Switchover { .. }
            | Self::Drain { .. }
            | Self::Resume { .. }
            | Self::Unfreeze { .. } => Role::Failover,
        }
    }

    /// The service it asks about, when the file does not name it.
    pub fn names_unknown_service(&self, config: &Config) -> Option<&ServiceName> {
        match self {
            Self::Status | Self::Drain { .. } | Self::Resume { .. } => None,
            Self::Explain { service } => {
                service.as_ref().filter(|service| config.service(service).is_none())
            }
            Self::Switchover { service, .. } | Self::Unfreeze { service } => {
                Some(service).filter(|service| config.service(service).is_none())
            }
        }
    }

    /// The node it is about, when the file does not name it.
    pub fn names_unknown_node(&self, config: &Config) -> Option<&NodeName> {
        let node = match self {
            Self::Status | Self::Explain { .. } | Self::Unfreeze { .. } => None,
            Self::Switchover { to, .. } => to.as_ref(),
            Self::Drain { node, .. } | Self::Resume { node } => Some(node),
        };
        node.filter(|node| config.node(node).is_none())
    }
}

/// Why an event moves nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is neither an EventBridge event nor a command.
    #[error("it is neither an event nor a command")]
    Malformed(#[from] serde_json::Error),
    /// It was replayed from an archive.
    #[error("it was replayed from an archive")]
    Replay,
    /// vipward handles no such source and detail type.
    #[error("vipward does not handle {detail_type:?} from {source_name:?}")]
    Unexpected {
        /// The event's source.
        source_name: String,
        /// The event's detail type.
        detail_type: String,
    },
    /// It is about an alarm of somebody else.
    #[error(transparent)]
    NotOurAlarm(#[from] NotOurAlarm),
    /// It is about an alarm of another cluster, or of what the file does not name.
    #[error("alarm {0} is not in this cluster's configuration")]
    OtherAlarm(AlarmName),
    /// It is about an instance that has none of the cluster's interfaces.
    #[error("instance {0} does not belong to this cluster")]
    OtherInstance(String),
    /// A hint whose sender is not in the file.
    #[error("no agent of this cluster has the source {0:?}")]
    UnknownObserver(String),
    /// A hint for another cluster or of another version.
    #[error("the hint has version {version} and is for cluster {cluster}")]
    OtherHint {
        /// Its version.
        version: u32,
        /// The cluster it names.
        cluster: String,
    },
    /// A hint without a time cannot be aged.
    #[error("the hint has no time")]
    Timeless,
}

/// Reads an event; `now` bounds the time it claims, since its sender may set that.
pub fn parse(config: &Config, event: &Value, now: Timestamp) -> Result<Wake, Refusal> {
    if event.get("command").is_some() {
        return Ok(Wake::Command(Command::deserialize(event)?));
    }
    if event.get("replay-name").is_some() {
        return Err(Refusal::Replay);
    }
    let event = EventBridgeEvent::<Value>::deserialize(event)?;
    match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.cloudwatch", "CloudWatch Alarm State Change") => alarm(config, &event.detail),
        ("aws.ec2", "EC2 Instance State-change Notification") => instance(&event.detail),
        ("aws.events", "Scheduled Event") => Ok(Wake::Schedule),
        (_, HINT_DETAIL_TYPE) => hint(config, event, now),
        _ => Err(Refusal::Unexpected { source_name: event.source, detail_type: event.detail_type }),
    }
}

fn alarm(config: &Config, detail: &Value) -> Result<Wake, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Detail {
        alarm_name: String,
    }
    let name: AlarmName = Detail::deserialize(detail)?.alarm_name.parse()?;
    let ours = name.cluster == config.cluster
        && match &name.service {
            Some(service) => config.service(service).is_some() && config.node(&name.node).is_some(),
            None => config.members().any(|member| *member == name.node),
        };
    if ours { Ok(Wake::Alarm(name)) } else { Err(Refusal::OtherAlarm(name)) }
}

fn instance(detail: &Value) -> Result<Wake, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Detail {
        instance_id: String,
    }
    Ok(Wake::Instance(Detail::deserialize(detail)?.instance_id))
}

fn hint(config: &Config, event: EventBridgeEvent, now: Timestamp) -> Result<Wake, Refusal> {
    let observer = parse_hint_source(&event.source)
        .filter(|(cluster, node)| {
            *cluster == config.cluster && config.members().any(|member| member == node)
        })
        .map(|(_, node)| node)
        .ok_or(Refusal::UnknownObserver(event.source))?;
    let hint = within_bounds(config, Hint::deserialize(event.detail)?);
    if hint.version != HINT_VERSION || hint.cluster != config.cluster {
        let cluster = hint.cluster.to_string();
        return Err(Refusal::OtherHint { version: hint.version, cluster });
    }
    let claimed = event.time.ok_or(Refusal::Timeless)?;
    let at = Timestamp::from_second(claimed.timestamp()).map_err(|_| Refusal::Timeless)?.min(now);
    Ok(Wake::Hint(HeardHint { observer, at, hint }))
}

/// The hint with what this function can use of it: what the file names, once, and no text longer
/// than an agent has cause to send. It is remembered, and its words go into notices.
fn within_bounds(config: &Config, mut hint: Hint) -> Hint {
    for text in [&mut hint.start_id, &mut hint.config_digest] {
        shorten(text);
    }
    let mut named = BTreeSet::new();
    hint.observations.retain(|said| {
        config.node(&said.subject).is_some()
            && config.service(&said.service).is_some()
            && named.insert((said.subject.clone(), said.service.clone()))
    });
    hint.observations.iter_mut().filter_map(|said| said.cause.as_mut()).for_each(shorten);
    hint
}

fn shorten(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
}

#[cfg(test)]
mod tests;

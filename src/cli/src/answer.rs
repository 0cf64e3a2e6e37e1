//! The query function's answer. Unknown fields are ignored: a newer function may say more.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use vipward_core::decide::HoldReason;

/// The state of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// The cluster's name.
    pub cluster: String,
    /// When it was looked at, RFC 3339.
    pub now: String,
    /// The digest of the configuration that the function runs with.
    pub config_digest: String,
    /// `act` or `observe`.
    pub mode: String,
    /// The nodes that operators have drained.
    #[serde(default)]
    pub drained: BTreeMap<String, Drain>,
    /// In the order of the file.
    pub services: Vec<ServiceState>,
}

/// A node that holds no VIP for a while, if another can.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Drain {
    /// Until when, RFC 3339.
    pub until: String,
    /// Who drained it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// The state of one service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServiceState {
    /// Its name.
    pub service: String,
    /// Its address.
    pub vip: String,
    /// Who has it.
    pub holder: Holder,
    /// When vipward moved it last, RFC 3339.
    pub last_move: Option<String>,
    /// What is thought of the service on each node.
    #[serde(default)]
    pub judgements: BTreeMap<String, Judgement>,
    /// What should be done.
    pub choice: Choice,
    /// Whether another node could take it, `ready` or `missing`, where that is known.
    pub standby: Option<String>,
    /// What was observed; `explain` only.
    #[serde(default)]
    pub evidence: Vec<Word>,
    /// The alarms that are not OK; `explain` only.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Why the choice is what it is, a sentence; `explain` only.
    pub because: Option<String>,
}

/// Who has a VIP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A node of the cluster.
    Node(String),
    /// One of these nodes: its last move has not settled.
    Several(Vec<String>),
    /// An interface that the file does not name.
    Foreign(String),
    /// No interface.
    Nobody,
}

/// What is thought of a service on a node, and on what basis.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It serves.
    Up(String),
    /// It does not.
    Down(String),
    /// Nobody can tell.
    Unknown,
}

/// What should be done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Nothing.
    Hold {
        /// One of [`HoldReason`], as text.
        reason: String,
    },
    /// Bring it to another node.
    Move {
        /// The node.
        to: String,
        /// Why.
        kind: String,
    },
}

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Word {
    /// Who says it.
    pub observer: String,
    /// Of which node.
    pub subject: String,
    /// What it says.
    pub verdict: String,
    /// How long ago it said so.
    pub age_ms: i64,
    /// How long that has held.
    pub held_ms: i64,
    /// That its own service will soon be gone.
    #[serde(default)]
    pub leaving: bool,
    /// For how long its own service could not be served at the VIP.
    pub unready_ms: Option<i64>,
    /// Whether its own service is a primary, where it said so.
    pub primary: Option<bool>,
    /// How far its own service is behind, where it said so.
    pub lag_ms: Option<i64>,
}

impl ServiceState {
    /// Whether a person should look: the reason alerts, a move is due, the reason is unheard of, or
    /// there is no standby.
    pub fn is_degraded(&self) -> bool {
        self.has_no_standby() || self.choice_is_degraded()
    }

    /// Whether the function says that no other node could take the VIP.
    pub fn has_no_standby(&self) -> bool {
        self.standby.as_deref() == Some("missing")
    }

    fn choice_is_degraded(&self) -> bool {
        match &self.choice {
            Choice::Move { .. } => true,
            Choice::Hold { reason } => {
                !HoldReason::ALL.iter().any(|known| !known.alerts() && says(*known, reason))
            }
        }
    }
}

/// Whether `text` is how the function writes that reason.
fn says(reason: HoldReason, text: &str) -> bool {
    serde_json::to_value(reason).is_ok_and(|written| written == text)
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => f.write_str(node),
            Self::Several(nodes) => f.write_str(&nodes.join(" or ")),
            Self::Foreign(eni) => write!(f, "{eni} (foreign)"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(basis) => write!(f, "up ({basis})"),
            Self::Down(basis) => write!(f, "down ({basis})"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold { reason } => write!(f, "hold: {reason}"),
            Self::Move { to, kind } => write!(f, "move to {to}: {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_may_hold_is_named() {
        let told =
            |holder| serde_json::from_value::<Holder>(holder).expect("it is one").to_string();
        assert_eq!(told(json!({"node": "a"})), "a");
        assert_eq!(told(json!({"several": ["a", "b"]})), "a or b");
        assert_eq!(told(json!({"foreign": "eni-0f"})), "eni-0f (foreign)");
        assert_eq!(told(json!("nobody")), "nobody");
    }

    #[test]
    fn a_holder_that_is_up_and_alone_is_degraded() {
        for (standby, degraded) in
            [(json!("missing"), true), (json!("ready"), false), (json!(null), false)]
        {
            let state: ServiceState = serde_json::from_value(json!({
                "service": "redis", "vip": "10.0.0.9", "holder": {"node": "a"}, "last_move": null,
                "choice": {"hold": {"reason": "holder-up"}}, "standby": standby,
            }))
            .expect("it is a state");
            assert_eq!(state.is_degraded(), degraded, "{standby}");
        }
    }

    #[test]
    fn reasons_that_alert_moves_and_unheard_of_reasons_are_degraded() {
        let cases = [
            (json!({"hold": {"reason": "holder-up"}}), false),
            (json!({"hold": {"reason": "awaiting-evidence"}}), false),
            (json!({"hold": {"reason": "cooldown"}}), false),
            (json!({"hold": {"reason": "holder-suspect"}}), true),
            (json!({"hold": {"reason": "agent-silent"}}), true),
            (json!({"hold": {"reason": "no-candidate"}}), true),
            (json!({"hold": {"reason": "foreign-holder"}}), true),
            (json!({"hold": {"reason": "budget-spent"}}), true),
            (json!({"hold": {"reason": "cannot-vacate"}}), true),
            (json!({"hold": {"reason": "two-primaries"}}), true),
            (json!({"hold": {"reason": "of-a-later-version"}}), true),
            (json!({"move": {"to": "b", "kind": "failover"}}), true),
        ];
        for (choice, degraded) in cases {
            let state: ServiceState = serde_json::from_value(json!({
                "service": "redis", "vip": "10.0.0.9", "holder": "nobody", "last_move": null,
                "choice": choice, "of a later version": 1,
            }))
            .expect("it is a state");
            assert_eq!(state.is_degraded(), degraded, "{choice}");
        }
    }
}

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
    /// That only its metrics say so, and have not for long.
    #[serde(default)]
    pub contested: bool,
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
    /// Whether the function says that no other node could take the VIP.
    fn has_no_standby(&self) -> bool {
        self.standby.as_deref() == Some("missing")
    }

    /// What a person should look at: a move that is due; a reason that alerts, if only when it
    /// lasts, or is unheard of; a holder that is not up by its own report; or one that is alone.
    pub fn trouble(&self) -> Option<String> {
        let reason = match &self.choice {
            due @ Choice::Move { .. } => return Some(format!("is due to {due}")),
            Choice::Hold { reason } => reason,
        };
        let is_quiet = |known: &HoldReason| !known.alerts() && !known.may_pass();
        if !HoldReason::ALL.iter().any(|known| is_quiet(known) && says(*known, reason)) {
            return Some(format!("needs attention: {reason}"));
        }
        let Holder::Node(node) = &self.holder else {
            return Some(format!("is held by {}", self.holder));
        };
        match self.judgements.get(node) {
            Some(Judgement::Up(basis)) if basis == OWN_REPORT && self.has_no_standby() => {
                Some("has no standby: no other node could take it now".to_owned())
            }
            Some(Judgement::Up(basis)) if basis == OWN_REPORT => None,
            Some(judgement) => Some(format!("needs attention: its holder {node} is {judgement}")),
            None => Some(format!("needs attention: nothing is known of its holder {node}")),
        }
    }
}

/// The basis of a judgement that rests on the node's own report, and that nobody contradicts.
const OWN_REPORT: &str = "own-word";

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
    use serde_json::{Value, json};

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

    fn state(holder: &Value, on_a: &Value, choice: &Value) -> ServiceState {
        serde_json::from_value(json!({
            "service": "redis", "vip": "10.0.0.9", "holder": holder, "last_move": null,
            "judgements": { "a": on_a }, "choice": choice, "of a later version": 1,
        }))
        .expect("it is a state")
    }

    #[test]
    fn a_holder_that_is_up_and_alone_is_trouble() {
        for (standby, is_trouble) in
            [(json!("missing"), true), (json!("ready"), false), (json!(null), false)]
        {
            let state: ServiceState = serde_json::from_value(json!({
                "service": "redis", "vip": "10.0.0.9", "holder": {"node": "a"}, "last_move": null,
                "judgements": {"a": {"up": "own-word"}},
                "choice": {"hold": {"reason": "holder-up"}}, "standby": standby,
            }))
            .expect("it is a state");
            assert_eq!(state.trouble().is_some(), is_trouble, "{standby}");
        }
    }

    #[test]
    fn all_but_a_holder_that_is_up_for_sure_is_trouble() {
        let (a, up) = (json!({"node": "a"}), json!({"up": "own-word"}));
        let cases = [
            (json!({"hold": {"reason": "holder-up"}}), false),
            (json!({"hold": {"reason": "cooldown"}}), false),
            (json!({"hold": {"reason": "awaiting-evidence"}}), true),
            (json!({"hold": {"reason": "move-in-flight"}}), true),
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
        for (choice, is_trouble) in cases {
            assert_eq!(state(&a, &up, &choice).trouble().is_some(), is_trouble, "{choice}");
        }
        let hold = |reason: &str| json!({"hold": {"reason": reason}});
        for (holder, on_a, reason, trouble) in [
            (&a, json!({"up": "peers-only"}), "cooldown", "its holder a is up (peers-only)"),
            (&a, json!("unknown"), "holder-up", "its holder a is unknown"),
            (&a, json!({"down": "own-word"}), "holder-up", "its holder a is down (own-word)"),
            (&json!({"node": "b"}), up.clone(), "holder-up", "nothing is known of its holder b"),
            (&json!("nobody"), up.clone(), "holder-up", "is held by nobody"),
        ] {
            let told = state(holder, &on_a, &hold(reason)).trouble().expect("trouble");
            assert!(told.ends_with(trouble), "{told}");
        }
    }
}

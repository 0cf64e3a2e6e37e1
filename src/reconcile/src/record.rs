//! What the function says of each VIP: one JSON line that is decision record and, by the embedded
//! metric format, metrics in one; and notices for people's own rules.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vipward_core::decide::{Choice, Decision};
use vipward_core::evidence::millis;
use vipward_core::name::ServiceName;
use vipward_core::signals::{ALERT_DETAIL_TYPE, MOVE_DETAIL_TYPE};
use vipward_core::{Config, NodeName};

use crate::execute::{MoveOutcome, Proof};
use crate::ports::PortError;

/// What an alert is about, and its kind: the same one is not told twice in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// A service, or an agent.
    pub subject: String,
    /// In one word.
    pub kind: String,
}

/// An event for people's own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `None`: it tells of a move.
    pub alert: Option<Alert>,
    /// `Vipward Move` or `Vipward Alert`.
    pub detail_type: &'static str,
    /// The decision record without its metrics.
    pub detail: Value,
}

/// One VIP's decision and what became of it. Where EC2 refused it a node, another follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What woke the function, in one word.
    pub wake: &'static str,
    /// When the function was woken.
    pub woken: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
    /// What was decided.
    pub decision: Decision,
    /// What became of a move; `None` for a hold, and for a move that is only observed.
    pub outcome: Option<MoveOutcome>,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The VIP stays, as decided.
    Held,
    /// It would move, but the file says to observe.
    Observed,
    /// It moved, and EC2 says so.
    Moved,
    /// Somebody else moved it first.
    Overtaken,
    /// EC2 accepted, and did not say so in time.
    Unproven,
    /// EC2 did not accept.
    Failed,
}

impl Record {
    /// The outcome in one word.
    pub fn outcome(&self) -> Outcome {
        match (&self.decision.choice, &self.outcome) {
            (Choice::Hold { .. }, _) => Outcome::Held,
            (Choice::Move { .. }, None) => Outcome::Observed,
            (_, Some(MoveOutcome::Moved(_))) => Outcome::Moved,
            (_, Some(MoveOutcome::Overtaken)) => Outcome::Overtaken,
            (_, Some(MoveOutcome::Unproven)) => Outcome::Unproven,
            (_, Some(MoveOutcome::Refused(_) | MoveOutcome::Failed(_))) => Outcome::Failed,
        }
    }

    fn proof(&self) -> Option<Proof> {
        match self.outcome {
            Some(MoveOutcome::Moved(proof)) => Some(proof),
            _ => None,
        }
    }

    /// The VIP's service and the node to which EC2 would not bring it, now or later: it is not there.
    pub fn refusal(&self) -> Option<(ServiceName, NodeName)> {
        match (&self.decision.choice, &self.outcome) {
            (Choice::Move { to, .. }, Some(MoveOutcome::Refused(_))) => {
                Some((self.decision.service.clone(), to.clone()))
            }
            _ => None,
        }
    }

    /// What a person should look at, in one word; `None` when all is well.
    pub fn alert(&self) -> Option<String> {
        match (&self.decision.choice, self.outcome()) {
            (Choice::Hold { reason }, _) if reason.alerts() && !reason.may_pass() => {
                Some(word(reason))
            }
            (_, outcome @ (Outcome::Unproven | Outcome::Failed | Outcome::Observed)) => {
                Some(word(&outcome))
            }
            _ if self.proof().is_some_and(|proof| !proof.recorded) => {
                Some("move-not-recorded".to_owned())
            }
            _ => None,
        }
    }

    /// What may be over in a moment, in one word: only when it lasts a person should look.
    pub fn passing(&self) -> Option<String> {
        match &self.decision.choice {
            Choice::Hold { reason } if reason.may_pass() => Some(word(reason)),
            _ => None,
        }
    }

    /// The decision record.
    pub fn detail(&self, config: &Config) -> Value {
        let mut detail = json!({
            "record": "decision",
            "cluster": config.cluster,
            "config_digest": config.digest(),
            "mode": config.policy.mode,
            "wake": self.wake,
            "woken": self.woken,
            "decided": self.decided,
            "outcome": self.outcome(),
        });
        let fields = detail.as_object_mut().expect("it is an object");
        if let Value::Object(decision) = json!(self.decision) {
            fields.extend(decision);
        }
        if let Some(proof) = self.proof() {
            fields.insert("assigned".to_owned(), json!(proof.assigned));
            fields.insert("proven".to_owned(), json!(proof.proven));
        }
        if let Some(MoveOutcome::Refused(error) | MoveOutcome::Failed(error)) = &self.outcome {
            fields.insert("error".to_owned(), json!(error.to_string()));
        }
        detail
    }

    /// The log line: the decision record with its metrics embedded.
    pub fn line(&self, config: &Config) -> Value {
        let (dimensions, metrics) = self.metrics();
        let definitions: Vec<_> = metrics
            .keys()
            .map(|name| {
                let unit = if name.ends_with("Time") { "Milliseconds" } else { "Count" };
                json!({ "Name": name, "Unit": unit })
            })
            .collect();
        let mut line = self.detail(config);
        let fields = line.as_object_mut().expect("it is an object");
        let names: Vec<_> = dimensions.keys().cloned().collect();
        fields.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.decided.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": format!("Vipward/{}", config.cluster),
                    "Dimensions": [names],
                    "Metrics": definitions,
                }],
            }),
        );
        fields.extend(dimensions);
        fields.extend(metrics);
        line
    }

    fn metrics(&self) -> (Map<String, Value>, Map<String, Value>) {
        let mut dimensions = object(json!({ "Service": self.decision.service }));
        let decision_time = millis(self.decided.duration_since(self.woken));
        let metrics = match (&self.decision.choice, self.proof()) {
            (Choice::Hold { reason }, _) => {
                dimensions.insert("Reason".to_owned(), json!(reason));
                json!({ "Holds": 1 })
            }
            (Choice::Move { .. }, Some(proof)) => json!({
                "Moves": 1,
                "DecisionTime": decision_time,
                "AssignTime": millis(proof.assigned.duration_since(self.decided)),
                "ProofTime": millis(proof.proven.duration_since(proof.assigned)),
            }),
            (Choice::Move { .. }, None) => {
                dimensions.insert("Outcome".to_owned(), json!(self.outcome()));
                json!({ "MovesNotMade": 1, "DecisionTime": decision_time })
            }
        };
        (dimensions, object(metrics))
    }

    /// The event about a proven move.
    pub fn move_notice(&self, config: &Config) -> Option<Notice> {
        self.proof()?;
        Some(Notice { alert: None, detail_type: MOVE_DETAIL_TYPE, detail: self.detail(config) })
    }

    /// The event that asks for a person's look.
    pub fn alert_notice(&self, config: &Config, alert: &str) -> Notice {
        let mut detail = self.detail(config);
        detail["alert"] = json!(alert);
        let (subject, kind) = (self.decision.service.to_string(), alert.to_owned());
        let alert = Some(Alert { subject, kind });
        Notice { alert, detail_type: ALERT_DETAIL_TYPE, detail }
    }
}

/// The log line, with its metric, about `count` notices that could not be sent.
pub fn notices_lost(config: &Config, count: usize, error: &PortError, now: Timestamp) -> Value {
    json!({
        "record": "notices-lost",
        "error": error.to_string(),
        "NoticesLost": count,
        "Cluster": config.cluster,
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": format!("Vipward/{}", config.cluster),
                "Dimensions": [["Cluster"]],
                "Metrics": [{ "Name": "NoticesLost", "Unit": "Count" }],
            }],
        },
    })
}

/// One record for each decision, in their order.
pub fn records(
    wake: &'static str,
    woken: Timestamp,
    decided: Timestamp,
    decisions: Vec<Decision>,
    mut outcomes: BTreeMap<ServiceName, MoveOutcome>,
) -> Vec<Record> {
    decisions
        .into_iter()
        .map(|decision| {
            let outcome = outcomes.remove(&decision.service);
            Record { wake, woken, decided, decision, outcome }
        })
        .collect()
}

fn word(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

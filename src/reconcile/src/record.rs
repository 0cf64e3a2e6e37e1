//! What the function says of each VIP: one JSON line that is decision record and, by the embedded
//! metric format, metrics in one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vipward_core::Config;
use vipward_core::decide::{Choice, Decision, HoldReason, Standby};
use vipward_core::evidence::{Evidence, Snapshot};
use vipward_core::observed::millis;
use vipward_core::telemetry::function_namespace;

use crate::arrival;
use crate::basis::Basis;
use crate::concern::Concern;
use crate::execute::{MoveOutcome, Proof};
use crate::invocation::Invocation;
use crate::ports::PortError;
use crate::wake::WakeKind;

/// How many times `stale_after` what may pass may last before a person should look: by then it is
/// no transition but a blackout, probes that cannot judge, or servers that do not agree.
const LONG_WAIT: u32 = 2;
/// How many times `stale_after` a holder that is up may be without a standby: as long as a node
/// takes to boot.
const ALONE: u32 = 4;
/// How long a holder has to be suspect before a person should look: a host that died is left 2 s
/// after the others have missed it.
const SUSPECT_FOR: Duration = Duration::from_secs(3);

/// One VIP's decision and what became of it. Where EC2 refused it a node, another follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What woke the function.
    pub wake: WakeKind,
    /// When the function was woken.
    pub woken: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
    /// What was decided.
    pub decision: Decision,
    /// What became of a move; `None` for a hold, and for a move that is only observed.
    pub outcome: Option<MoveOutcome>,
    /// How many calls the invocation had sent for it by then.
    pub calls: u32,
    /// What it rested on.
    pub evidence: Arc<Evidence>,
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
    /// The record of a decision from which nothing has come yet.
    pub fn new<P>(
        invocation: &Invocation<'_, P>,
        decided: Timestamp,
        decision: &Decision,
        evidence: Arc<Evidence>,
    ) -> Self {
        let (wake, woken) = (invocation.wake, invocation.woken);
        let (decision, outcome, calls) = (decision.clone(), None, 0);
        Self { wake, woken, decided, decision, outcome, calls, evidence }
    }

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

    /// How its move went, once EC2 has named the new holder.
    pub fn proof(&self) -> Option<Proof> {
        match self.outcome {
            Some(MoveOutcome::Moved(proof)) => Some(proof),
            _ => None,
        }
    }

    /// What EC2 said to the last call for it, if it did not take that.
    pub fn error(&self) -> Option<&PortError> {
        match &self.outcome {
            Some(MoveOutcome::Refused(error) | MoveOutcome::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// What a person may have to look at: what was decided; and as far as that is known, whether
    /// there is a standby, and whether the VIP has come. None hides another.
    pub fn concerns(&self, config: &Config) -> Vec<Concern> {
        let stale_after = config.policy.stale_after;
        let subject = self.decision.service.to_string();
        let patience = self.patience(stale_after);
        let decided = Concern { subject, alert: self.alert(), patience };
        let snapshot = Snapshot { config, evidence: &self.evidence, now: self.decided };
        let arrived = arrival::concern(snapshot, &self.decision);
        let others = [self.standby(stale_after), arrived];
        std::iter::once(decided).chain(others.into_iter().flatten()).collect()
    }

    fn standby(&self, stale_after: Duration) -> Option<Concern> {
        let (alert, patience) = match self.decision.standby {
            Standby::Unknown => return None,
            Standby::Ready => (None, Duration::ZERO),
            Standby::Missing => (Some("no-standby".to_owned()), stale_after * ALONE),
        };
        let subject = format!("standby of {}", self.decision.service);
        Some(Concern { subject, alert, patience })
    }

    fn alert(&self) -> Option<String> {
        match (&self.decision.choice, self.outcome()) {
            (Choice::Hold { reason }, _) if reason.alerts() || reason.may_pass() => {
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

    fn patience(&self, stale_after: Duration) -> Duration {
        match &self.decision.choice {
            Choice::Hold { reason } if reason.may_pass() => stale_after * LONG_WAIT,
            Choice::Hold { reason: HoldReason::HolderSuspect } => SUSPECT_FOR,
            Choice::Hold { .. } | Choice::Move { .. } => Duration::ZERO,
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
        if self.calls > 0 {
            fields.insert("calls".to_owned(), json!(self.calls));
        }
        if let Some(error) = self.error() {
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
        if let Some(service) = config.service(&self.decision.service) {
            line["evidence"] = json!(Basis::of(config, &self.evidence, service, self.decided));
        }
        let fields = line.as_object_mut().expect("it is an object");
        let names: Vec<_> = dimensions.keys().cloned().collect();
        fields.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.decided.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": function_namespace(&config.cluster),
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
}

pub(crate) fn word(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

//! The failover function's reply to an order. Unknown fields are ignored: a newer function may say
//! more.

use std::fmt;

use serde::Deserialize;

use crate::answer::{Choice, Holder};

/// What the function says to an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// It would not be safe.
    Refused {
        /// Why, a sentence.
        refused: String,
    },
    /// It was carried out.
    Done(Done),
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Done {
    /// What was done, a sentence.
    #[serde(rename = "done")]
    pub what: String,
    /// `act` or `observe`.
    pub mode: String,
    /// The VIPs that were looked at thereupon; of one service the last entry counts.
    pub vips: Vec<VipOutcome>,
    /// Why they could not be looked at.
    pub unread: Option<String>,
}

/// What came of one VIP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VipOutcome {
    /// The service.
    pub service: String,
    /// Who had it when that was decided.
    pub holder: Holder,
    /// What was decided.
    pub choice: Choice,
    /// Why, a sentence.
    pub because: String,
    /// `moved`, `held`, `observed`, `overtaken`, `unproven` or `failed`.
    pub outcome: String,
    /// From the order until EC2 named the new holder.
    pub took_ms: Option<u64>,
    /// What EC2 said to the last call.
    pub error: Option<String>,
}

impl Done {
    /// What came of each VIP in the end.
    pub fn last(&self) -> impl Iterator<Item = &VipOutcome> {
        let is_last = |place: usize, vip: &VipOutcome| {
            !self.vips[place + 1..].iter().any(|later| later.service == vip.service)
        };
        self.vips.iter().enumerate().filter(move |(at, vip)| is_last(*at, vip)).map(|(_, vip)| vip)
    }
}

impl VipOutcome {
    /// Whether EC2 has named the new holder.
    pub fn has_moved(&self) -> bool {
        self.outcome == "moved"
    }

    /// Whether it was to move, and may not have.
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome.as_str(), "failed" | "unproven")
    }

    /// Whether there is more to say than that its holder is up.
    pub fn is_news(&self) -> bool {
        !matches!(&self.choice, Choice::Hold { reason } if reason == "holder-up")
    }

    /// Whether it may still be on `node`: only a proven move takes it away.
    pub fn may_be_on(&self, node: &str) -> bool {
        match (&self.choice, &self.holder) {
            (Choice::Move { to, .. }, _) if self.has_moved() => to == node,
            (_, Holder::Node(holder)) => holder == node,
            (_, Holder::Several(holders)) => holders.iter().any(|holder| holder == node),
            (_, Holder::Foreign(_) | Holder::Nobody) => false,
        }
    }
}

impl fmt::Display for VipOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, holder, because, outcome, took_ms, error, .. } = self;
        let Choice::Move { to, .. } = &self.choice else {
            return write!(f, "{service}: stays on {holder}: {because}");
        };
        match outcome.as_str() {
            "moved" => {
                write!(f, "{service}: moved from {holder} to {to}")?;
                if let Some(ms) = took_ms {
                    write!(f, " in {}.{:02} s", ms / 1000, ms % 1000 / 10)?;
                }
                write!(f, ", proven: EC2 names {to}")
            }
            "observed" => write!(
                f,
                "{service}: stays on {holder}: mode = \"observe\" moves nothing; it would move to {to}"
            ),
            "overtaken" => write!(f, "{service}: not moved to {to}: somebody else moved it first"),
            "unproven" => write!(
                f,
                "{service}: EC2 accepted the move from {holder} to {to}, and has not named {to} yet"
            ),
            "failed" => {
                let error = error.as_deref().unwrap_or("EC2 did not accept it");
                write!(f, "{service}: not moved from {holder} to {to}: {error}")
            }
            other => write!(f, "{service}: {other}: from {holder} to {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn vip(holder: &Value, outcome: &str) -> VipOutcome {
        let choice = match outcome {
            "held" => json!({ "hold": { "reason": "cannot-vacate" } }),
            _ => json!({ "move": { "to": "b", "kind": "vacate" } }),
        };
        serde_json::from_value(json!({
            "service": "redis", "vip": "10.0.0.9", "holder": holder, "choice": choice,
            "because": "there is no other", "outcome": outcome, "of a later version": 1,
        }))
        .expect("it is an outcome")
    }

    #[test]
    fn each_outcome_is_a_sentence() {
        let a = json!({ "node": "a" });
        let moved = VipOutcome { took_ms: Some(412), ..vip(&a, "moved") };
        let throttled = Some("AssignPrivateIpAddresses failed for now: throttled".to_owned());
        let failed = VipOutcome { error: throttled, ..vip(&a, "failed") };
        for (vip, sentence) in [
            (moved, "redis: moved from a to b in 0.41 s, proven: EC2 names b"),
            (vip(&json!("nobody"), "moved"), "redis: moved from nobody to b, proven: EC2 names b"),
            (vip(&a, "held"), "redis: stays on a: there is no other"),
            (
                vip(&a, "observed"),
                "redis: stays on a: mode = \"observe\" moves nothing; it would move to b",
            ),
            (vip(&a, "overtaken"), "redis: not moved to b: somebody else moved it first"),
            (
                vip(&a, "unproven"),
                "redis: EC2 accepted the move from a to b, and has not named b yet",
            ),
            (
                failed,
                "redis: not moved from a to b: AssignPrivateIpAddresses failed for now: throttled",
            ),
        ] {
            assert_eq!(vip.to_string(), sentence);
        }
    }

    #[test]
    fn only_a_proven_move_or_another_holder_frees_a_node() {
        let (a, both) = (json!({ "node": "a" }), json!({ "several": ["a", "b"] }));
        assert!(!vip(&a, "moved").may_be_on("a") && vip(&a, "moved").may_be_on("b"));
        for outcome in ["held", "observed", "overtaken", "unproven", "failed", "of a later version"]
        {
            assert!(vip(&a, outcome).may_be_on("a"), "{outcome}");
        }
        assert!(vip(&both, "held").may_be_on("a") && !vip(&both, "held").may_be_on("c"));
        let foreign = json!({ "foreign": "eni-0f" });
        assert!(
            !vip(&foreign, "held").may_be_on("a") && !vip(&json!("nobody"), "held").may_be_on("a")
        );
    }

    #[test]
    fn of_one_service_the_last_entry_counts() {
        let a = json!({ "node": "a" });
        let (failed, moved) = (vip(&a, "failed"), vip(&a, "moved"));
        let vips = vec![failed, moved.clone()];
        let done =
            Done { what: "it is done".to_owned(), mode: "act".to_owned(), vips, unread: None };
        assert_eq!(done.last().collect::<Vec<_>>(), [&moved]);
    }

    #[test]
    fn a_reply_without_the_vips_is_none() {
        let old = json!({ "done": "a is drained", "outcomes": {} });
        assert!(serde_json::from_value::<Reply>(old).is_err(), "it may hide one");
    }
}

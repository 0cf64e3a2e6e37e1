//! What an operator is told of an order that was carried out, as data.

use serde::Serialize;
use vipward_core::config::Mode;
use vipward_core::decide::Choice;
use vipward_core::evidence::{Holder, Snapshot};
use vipward_core::observed::millis;
use vipward_core::{Config, ServiceName, VipAddr};

use crate::because::because;
use crate::ports::PortError;
use crate::record::{Outcome, Record};

/// What came of an order.
#[derive(Debug, Serialize)]
pub struct Reply {
    /// What was done, a sentence.
    done: String,
    /// While vipward only observes, it moves nothing whatever is ordered.
    mode: Mode,
    /// The VIPs that were looked at thereupon; of one that EC2 refused somewhere more than one
    /// entry, the last being what came of it in the end.
    vips: Vec<VipReply>,
    /// Why they could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

/// What came of one VIP.
#[derive(Debug, Serialize)]
struct VipReply {
    service: ServiceName,
    vip: VipAddr,
    /// Who had it when that was decided.
    holder: Holder,
    choice: Choice,
    /// Why, a sentence.
    because: String,
    /// `moved` is proven: EC2 names the new holder.
    outcome: Outcome,
    /// From the order until EC2 named the new holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<i64>,
    /// What EC2 said to the last call.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Reply {
    /// `records` are of the look that followed, which `unread` says could not be had.
    pub fn new(
        config: &Config,
        done: String,
        records: &[Record],
        unread: Option<&PortError>,
    ) -> Self {
        let vips = records.iter().map(|record| VipReply::new(config, record)).collect();
        Self { done, mode: config.policy.mode, vips, unread: unread.map(ToString::to_string) }
    }
}

impl VipReply {
    fn new(config: &Config, record: &Record) -> Self {
        let Record { decision, evidence, decided, .. } = record;
        let snapshot = Snapshot { config, evidence, now: *decided };
        let took = record.proof().map(|proof| proof.proven.duration_since(record.woken));
        Self {
            service: decision.service.clone(),
            vip: decision.vip,
            holder: decision.holder.clone(),
            choice: decision.choice.clone(),
            because: because(snapshot, decision),
            outcome: record.outcome(),
            took_ms: took.map(millis),
            error: record.error().map(ToString::to_string),
        }
    }
}

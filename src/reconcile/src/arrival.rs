//! Whether a VIP has come to where EC2 says that it is. EC2's answer proves a move; the metadata
//! of the instance itself confirm it at the host. Its agent reads them, and tells by hints.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vipward_core::decide::{Choice, Decision};
use vipward_core::evidence::Snapshot;
use vipward_core::observed::{age, millis};
use vipward_core::{Config, NodeName, ServiceName};

use crate::concern::Concern;
use crate::wake::HeardHint;

/// For so long after a move its VIP may be under way: several times as long as metadata may lag.
const UNDER_WAY: Duration = Duration::from_mins(1);
/// What came longer ago is not told any more.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// That the metadata of the holder, whose agent is heard, do not name its VIP; `None` where nothing
/// is known of that.
pub fn concern(snapshot: Snapshot<'_>, decision: &Decision) -> Option<Concern> {
    let Choice::Hold { .. } = decision.choice else { return None };
    let service = snapshot.config.service(&decision.service)?;
    let has_arrived = snapshot.has_arrived(service, decision.holder.node()?)?;
    let moved = snapshot.ledger(&service.name).last_move();
    let is_late = moved.is_none_or(|moved| age(moved, snapshot.now) >= UNDER_WAY);
    // Somebody else may have moved it, of which the ledger knows nothing.
    let (alert, patience) = if has_arrived || !is_late {
        (None, Duration::ZERO)
    } else {
        (Some("not-arrived".to_owned()), UNDER_WAY)
    };
    Some(Concern { subject: format!("arrival of {}", service.name), alert, patience })
}

/// A VIP that has come to a node, as the agent there says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Whose VIP.
    pub service: ServiceName,
    /// Where.
    pub node: NodeName,
    /// When.
    pub came: Timestamp,
}

/// The VIPs that have lately come to the agent that hints.
pub fn arrivals(config: &Config, heard: &HeardHint) -> Vec<Arrival> {
    let own = heard.hint.observations.iter().filter(|said| {
        said.subject == heard.observer
            && config.node(&said.subject).is_some()
            && config.service(&said.service).is_some()
    });
    let arrival = |(service, ms): (&ServiceName, u64)| {
        let ago = SignedDuration::from_millis(i64::try_from(ms).ok()?);
        let (node, service) = (heard.observer.clone(), service.clone());
        let came = heard.at.checked_sub(ago).ok().filter(|_| ago <= TOLD_WITHIN)?;
        Some(Arrival { service, node, came })
    };
    own.filter_map(|said| arrival((&said.service, said.arrived_ms?))).collect()
}

impl Arrival {
    /// The log line about the arrival after a move that the ledger has at `moved`.
    pub fn line(&self, config: &Config, moved: Timestamp) -> Value {
        json!({
            "record": "stage",
            "stage": "arrived",
            "cluster": config.cluster,
            "service": self.service,
            "node": self.node,
            "moved": moved,
            "arrived": self.came,
            "milliseconds": millis(self.came.duration_since(moved)).max(0),
        })
    }
}

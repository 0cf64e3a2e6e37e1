//! What an agent says: a verdict on each service of each node it sees, and the hint that carries
//! them ahead of the metrics.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::{ClusterName, NodeName, ServiceName};

/// The version of [`Hint`] that this build writes and reads.
pub const HINT_VERSION: u32 = 1;

/// The lag of a service that should follow a primary and does not: some thirty years, beyond any
/// `max_lag`.
pub const NOT_REPLICATING: Duration = Duration::from_secs(1_000_000_000);

/// A probe's debounced outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `rise` passes in a row.
    Healthy,
    /// `fall` failures in a row.
    Unhealthy,
    /// No verdict yet, or the probe itself cannot judge. Calls for an alert, never for a move.
    Unknown,
}

/// A verdict of the observer that sends it about one service on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintEntry {
    /// The node it is about. The observer itself: a self observation.
    pub subject: NodeName,
    /// The service it is about.
    pub service: ServiceName,
    /// What was seen.
    pub verdict: Verdict,
    /// For how many milliseconds that has been so, as of sending.
    pub held_ms: u64,
    /// Why the last probe did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How many milliseconds the observer's own service is behind its primary, where that matters;
    /// [`NOT_REPLICATING`] when it follows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    /// Whether the observer's own service is a primary, where the VIP follows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    /// Whether the observer's own service will soon be gone, however well it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// For how many milliseconds the observer's own service, well as it is, could not be served at
    /// the VIP: its address is missing there, or the last `on_acquire` failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready_ms: Option<u64>,
    /// Whether the metadata of the observer's own instance name the VIP: it has arrived there.
    /// Absent while they do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<bool>,
    /// For how many milliseconds they have named it, where the observer saw it come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_ms: Option<u64>,
}

/// The detail of a `Vipward Observation` event: an agent's whole view at one moment. The observer
/// is not in it: the event's source names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// [`HINT_VERSION`].
    pub version: u32,
    /// The cluster it speaks of.
    pub cluster: ClusterName,
    /// Random for each start of the agent.
    pub start_id: String,
    /// Grows by one with each hint of one start.
    pub sequence: u64,
    /// [`crate::Config::digest`] of the agent's file.
    pub config_digest: String,
    /// For how many milliseconds nobody has taken the agent's metrics, if it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_failing_ms: Option<u64>,
    /// One for each service and node that the agent probes.
    pub observations: Vec<HintEntry>,
}

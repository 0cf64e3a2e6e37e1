//! What the agent knows, as a document: on the status socket as JSON, on a terminal as text.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::{ClusterName, NodeName, ServiceName, Verdict};

use crate::columns::{NOTHING, aligned, span};
use crate::tally::Tally;

/// Characters of the configuration's digest that people compare.
const SHORT_DIGEST: usize = 12;

/// What one agent knows at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Who this is.
    pub node: NodeName,
    /// Of which cluster.
    pub cluster: ClusterName,
    /// Of the file that it runs by.
    pub config_digest: String,
    /// When the agent started.
    pub started: Timestamp,
    /// The moment.
    pub now: Timestamp,
    /// One for each service on each node.
    pub targets: Vec<TargetStatus>,
    /// How publishing metrics goes.
    pub metrics: Tally,
    /// How hinting goes.
    pub hints: Tally,
}

/// What one agent knows about one service on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// The node.
    pub subject: NodeName,
    /// The service.
    pub service: ServiceName,
    /// Whether it is this node's own.
    pub own: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Since when it holds.
    pub since: Timestamp,
    /// Why it is not healthy.
    pub cause: Option<String>,
    /// How long its last probe took, in microseconds.
    pub probe_us: Option<u64>,
}

/// The word for a verdict, as everywhere.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "unhealthy",
        Verdict::Unknown => "unknown",
    }
}

impl Status {
    /// Whether an own service is not healthy.
    pub fn degraded(&self) -> bool {
        self.targets.iter().any(|target| target.own && target.verdict != Verdict::Healthy)
    }

    /// For people.
    pub fn text(&self) -> String {
        let digest: String = self.config_digest.chars().take(SHORT_DIGEST).collect();
        let (node, cluster) = (&self.node, &self.cluster);
        let up = span(self.age(self.started));
        let said = aligned(&[self.said("metrics", &self.metrics), self.said("hints", &self.hints)]);
        let headings = ["SUBJECT", "SERVICE", "VERDICT", "SINCE", "CAUSE"].map(str::to_owned);
        let rows: Vec<_> = [headings.to_vec()]
            .into_iter()
            .chain(self.targets.iter().map(|t| self.row(t)))
            .collect();
        format!(
            "{node} of cluster {cluster}, running for {up}, configuration {digest}\n{said}\n{}",
            aligned(&rows)
        )
    }

    fn said(&self, what: &str, tally: &Tally) -> Vec<String> {
        let sent = match tally.last_sent {
            Some(at) => format!("{} sent, last {} ago", tally.sent, span(self.age(at))),
            None => "none sent".to_owned(),
        };
        let failed = tally.last_failure.as_ref().map(|last| {
            let ago = span(self.age(last.at));
            format!("{} failed, last {ago} ago: {}", tally.failed, last.error)
        });
        vec![what.to_owned(), sent, failed.unwrap_or_else(|| "none failed".to_owned())]
    }

    fn row(&self, target: &TargetStatus) -> Vec<String> {
        let own = if target.own { " (own)" } else { "" };
        vec![
            format!("{}{own}", target.subject),
            target.service.to_string(),
            word(target.verdict).to_owned(),
            format!("{} ago", span(self.age(target.since))),
            target.cause.clone().unwrap_or_else(|| NOTHING.to_owned()),
        ]
    }

    fn age(&self, at: Timestamp) -> Duration {
        Duration::try_from(self.now.duration_since(at)).unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests;

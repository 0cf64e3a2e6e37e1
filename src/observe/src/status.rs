//! What the agent knows, as a document: on the status socket as JSON, on a terminal as text.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::text::{NOTHING, aligned, span};
use vipward_core::{ClusterName, NodeName, ServiceName, Verdict};

use crate::hooks::LastRun;
use crate::leaving::Departure;
use crate::send_stats::Tally;

/// Characters of the configuration's digest that people compare.
const SHORT_DIGEST: usize = 12;

/// What one agent knows at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Who this is.
    pub node: NodeName,
    /// Its cluster.
    pub cluster: ClusterName,
    /// The digest of the file that it runs by.
    pub config_digest: String,
    /// When the agent started.
    pub started: Timestamp,
    /// When it was asked.
    pub now: Timestamp,
    /// One for each service on each node.
    pub targets: Vec<TargetStatus>,
    /// The publications of metrics.
    pub metrics: Tally,
    /// The hints.
    pub hints: Tally,
    /// The own services that leave this node.
    #[serde(default)]
    pub leaving: Vec<LeavingStatus>,
    /// What own services lack that could not be served at their VIPs.
    #[serde(default)]
    pub unready: Vec<UnreadyStatus>,
    /// The VIPs of a node; a witness has none.
    #[serde(default)]
    pub vips: Vec<VipStatus>,
    /// The hooks of a node.
    #[serde(default)]
    pub hooks: Vec<HookStatus>,
}

/// An own service that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavingStatus {
    /// The service.
    pub service: ServiceName,
    /// Since when, and why.
    pub departure: Departure,
}

/// What an own service lacks that could not be served at its VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadyStatus {
    /// The service.
    pub service: ServiceName,
    /// Since when it could not be.
    pub since: Timestamp,
    /// What it lacks, a sentence.
    pub cause: String,
}

/// Whether a VIP is on this node's interface, as the instance's metadata say. They are asked while
/// there are hooks, or something leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VipStatus {
    /// The service.
    pub service: ServiceName,
    /// The unit that runs it, as the file says.
    pub unit: Option<String>,
    /// Its VIP.
    pub vip: Ipv4Addr,
    /// Whether it is here; `None` when that is not known.
    pub here: Option<bool>,
    /// When that was last asked.
    pub looked: Option<Timestamp>,
}

/// What the hooks of a service did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookStatus {
    /// The service.
    pub service: ServiceName,
    /// The event of the hook that runs now.
    pub running: Option<String>,
    /// The last run.
    pub last: Option<LastRun>,
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
    /// Whether an own service is not healthy, could not be served at its VIP, or its last hook
    /// failed.
    pub fn degraded(&self) -> bool {
        let failed = |hook: &HookStatus| hook.last.as_ref().is_some_and(|l| l.failure.is_some());
        !self.unready.is_empty()
            || self.targets.iter().any(|target| target.own && target.verdict != Verdict::Healthy)
            || self.hooks.iter().any(failed)
    }

    /// For people.
    pub fn text(&self) -> String {
        let digest: String = self.config_digest.chars().take(SHORT_DIGEST).collect();
        let (node, cluster) = (&self.node, &self.cluster);
        let up = span(self.age(self.started));
        let sent =
            aligned(&[self.sent("metrics", &self.metrics), self.sent("hints", &self.hints)], "");
        let headings = ["SUBJECT", "SERVICE", "VERDICT", "SINCE", "CAUSE"].map(str::to_owned);
        let rows: Vec<_> = [headings.to_vec()]
            .into_iter()
            .chain(self.targets.iter().map(|t| self.row(t)))
            .collect();
        format!(
            "{node} of cluster {cluster}, running for {up}, configuration {digest}\n{sent}\n{}{}",
            aligned(&rows, ""),
            self.lifecycle()
        )
    }

    /// What leaves or is unready, where the VIPs are known to be, and what hooks did.
    fn lifecycle(&self) -> String {
        let ago = |at: Timestamp| format!("{} ago", span(self.age(at)));
        let leaving = self.leaving.iter().map(|LeavingStatus { service, departure }| {
            vec![service.to_string(), ago(departure.since), departure.reason.clone()]
        });
        let vips =
            self.vips.iter().filter_map(|VipStatus { service, vip, here, looked, .. }| {
                let here = if (*here)? { "yes" } else { "no" };
                Some(vec![vip.to_string(), service.to_string(), here.to_owned(), ago((*looked)?)])
            });
        let hooks = self.hooks.iter().map(|HookStatus { service, running, last }| {
            let (what, when, how) = match last {
                Some(LastRun { occasion, ended, failure }) => {
                    let how = failure.clone().unwrap_or_else(|| "done".to_owned());
                    (occasion.word().to_owned(), ago(*ended), how)
                }
                None => (NOTHING.to_owned(), NOTHING.to_owned(), NOTHING.to_owned()),
            };
            let running = running.clone().unwrap_or_else(|| NOTHING.to_owned());
            vec![service.to_string(), running, what, when, how]
        });
        let unready = self.unready.iter().map(|UnreadyStatus { service, since, cause }| {
            vec![service.to_string(), ago(*since), cause.clone()]
        });
        table(&["LEAVING", "SINCE", "REASON"], leaving.collect())
            + &table(&["UNREADY", "SINCE", "CAUSE"], unready.collect())
            + &table(&["VIP", "SERVICE", "HERE", "LOOKED"], vips.collect())
            + &table(&["HOOKS", "RUNNING", "LAST", "ENDED", "RESULT"], hooks.collect())
    }

    fn sent(&self, channel: &str, tally: &Tally) -> Vec<String> {
        let sent = match tally.last_sent {
            Some(at) => format!("{} sent, last {} ago", tally.sent, span(self.age(at))),
            None => "none sent".to_owned(),
        };
        let failed = tally.last_failure.as_ref().map(|last| {
            let ago = span(self.age(last.at));
            format!("{} failed, last {ago} ago: {}", tally.failed, last.error)
        });
        vec![channel.to_owned(), sent, failed.unwrap_or_else(|| "none failed".to_owned())]
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

fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rows: Vec<_> = [headings].into_iter().chain(rows).collect();
    format!("\n{}", aligned(&rows, ""))
}

#[cfg(test)]
pub(crate) mod tests;

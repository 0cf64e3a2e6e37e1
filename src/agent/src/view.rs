//! All that this agent knows: its verdict on each target, since when, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::signals::{PEER_HEALTH, REPLICA_LAG, SELF_HEALTH};
use vipward_core::{NodeName, Observation, ServiceName, Verdict};

use crate::status::TargetStatus;
use crate::target::TargetKey;
use crate::verdict::Change;

/// A change of the verdict on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The node it is about.
    pub subject: NodeName,
    /// The service it is about.
    pub service: ServiceName,
    /// What changed.
    pub change: Change,
}

/// One value for CloudWatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric it belongs to.
    pub metric: &'static str,
    /// The service it is about.
    pub service: ServiceName,
    /// The node it is about; `None` for the agent's own.
    pub subject: Option<NodeName>,
    /// In the metric's unit.
    pub value: f64,
}

impl Datum {
    /// Healthy is 1, unhealthy 0.
    pub fn health(service: ServiceName, subject: Option<NodeName>, healthy: bool) -> Self {
        let metric = if subject.is_none() { SELF_HEALTH } else { PEER_HEALTH };
        Self { metric, service, subject, value: if healthy { 1.0 } else { 0.0 } }
    }

    /// By how many seconds an own service is behind its primary.
    pub fn lag(service: ServiceName, lag: Duration) -> Self {
        Self { metric: REPLICA_LAG, service, subject: None, value: lag.as_secs_f64() }
    }
}

/// The whole view of one agent.
#[derive(Debug, Clone)]
pub struct View {
    me: NodeName,
    held: BTreeMap<TargetKey, Held>,
    /// Of this node's own services, where it matters and is known.
    lags: BTreeMap<ServiceName, Duration>,
}

#[derive(Debug, Clone)]
struct Held {
    verdict: Verdict,
    since: Timestamp,
    cause: Option<String>,
}

impl Held {
    fn unknown(since: Timestamp) -> Self {
        Self { verdict: Verdict::Unknown, since, cause: None }
    }
}

impl View {
    /// The view of `me` before the first verdict on any of the targets.
    pub fn new(me: NodeName, targets: impl IntoIterator<Item = TargetKey>, now: Timestamp) -> Self {
        let unknown = |target| (target, Held::unknown(now));
        Self { me, held: targets.into_iter().map(unknown).collect(), lags: BTreeMap::new() }
    }

    /// Forgets every verdict, as at the start.
    pub fn forget(&mut self, now: Timestamp) {
        self.held.values_mut().for_each(|held| *held = Held::unknown(now));
    }

    /// From now on it is about these targets; what is known is kept of those in `kept` only.
    pub fn retarget(
        &mut self,
        targets: impl IntoIterator<Item = TargetKey>,
        kept: &BTreeSet<TargetKey>,
        now: Timestamp,
    ) {
        let mut old = std::mem::take(&mut self.held);
        let held = |target: TargetKey| {
            let known = old.remove(&target).filter(|_| kept.contains(&target));
            (target, known.unwrap_or_else(|| Held::unknown(now)))
        };
        self.held = targets.into_iter().map(held).collect();
    }

    /// Takes a change in.
    pub fn apply(&mut self, now: Timestamp, sighting: &Sighting) {
        let Change { to, cause, .. } = &sighting.change;
        let held = Held { verdict: *to, since: now, cause: cause.clone() };
        self.held.insert((sighting.subject.clone(), sighting.service.clone()), held);
    }

    /// Takes in how far the own services are behind their primaries.
    pub fn see_lags(&mut self, lags: BTreeMap<ServiceName, Duration>) {
        self.lags = lags;
    }

    /// Whether any service, of this node or another, is unhealthy.
    pub fn trouble(&self) -> bool {
        self.held.values().any(|held| held.verdict == Verdict::Unhealthy)
    }

    /// Whether the sighting is about this node's own service.
    pub fn is_own(&self, sighting: &Sighting) -> bool {
        sighting.subject == self.me
    }

    /// The view as a hint carries it.
    pub fn observations(&self, now: Timestamp) -> Vec<Observation> {
        let observation = |((subject, service), held): (&TargetKey, &Held)| {
            let held_ms = now.duration_since(held.since).as_millis();
            let lag = self.lags.get(service).filter(|_| *subject == self.me);
            Observation {
                lag_ms: lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
                primary: None,
                leaving: false,
                subject: subject.clone(),
                service: service.clone(),
                verdict: held.verdict,
                held_ms: u64::try_from(held_ms).unwrap_or(0),
                cause: held.cause.clone(),
            }
        };
        self.held.iter().map(observation).collect()
    }

    /// The view as the metrics carry it: on what is unknown, silence.
    pub fn data(&self) -> Vec<Datum> {
        let datum = |((subject, service), held): (&TargetKey, &Held)| {
            let healthy = match held.verdict {
                Verdict::Healthy => true,
                Verdict::Unhealthy => false,
                Verdict::Unknown => return None,
            };
            let subject = (*subject != self.me).then(|| subject.clone());
            Some(Datum::health(service.clone(), subject, healthy))
        };
        let lag = |(service, lag): (&ServiceName, &Duration)| Datum::lag(service.clone(), *lag);
        self.held.iter().filter_map(datum).chain(self.lags.iter().map(lag)).collect()
    }

    /// The view as the status shows it, but for how long probes took.
    pub fn statuses(&self) -> Vec<TargetStatus> {
        let status = |((subject, service), held): (&TargetKey, &Held)| TargetStatus {
            subject: subject.clone(),
            service: service.clone(),
            own: *subject == self.me,
            verdict: held.verdict,
            since: held.since,
            cause: held.cause.clone(),
            probe_us: None,
        };
        self.held.iter().map(status).collect()
    }

    /// One line for the service manager: how many targets stand how.
    pub fn summary(&self) -> String {
        let count = |verdict| self.held.values().filter(|held| held.verdict == verdict).count();
        format!(
            "{} healthy, {} unhealthy, {} unknown",
            count(Verdict::Healthy),
            count(Verdict::Unhealthy),
            count(Verdict::Unknown)
        )
    }
}

#[cfg(test)]
mod tests;

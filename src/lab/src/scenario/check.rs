//! Looking at a running cluster: whether it meets an expectation.

use std::time::Duration;

use tokio::time::Instant;
use vipward_core::telemetry::{ALERT_DETAIL_TYPE, MOVE_DETAIL_TYPE};
use vipward_core::{NodeName, ServiceName};

use super::Expectation;
use super::words::seconds;
use crate::cluster::{Cluster, ClusterError};
use crate::console::Console;
use crate::layout::ServicePlan;
use crate::observed::{self, Answer, Decision};
use crate::record::Record;

/// What was seen, or what was seen instead.
pub type CheckResult = Result<String, String>;

/// Why a wait ended without what it was for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Unmet {
    #[error("not within {0:?}")]
    TimedOut(Duration),
    #[error("{0}")]
    Crashed(String),
}

/// A running cluster that is looked at.
pub struct Check<'s> {
    pub cluster: &'s Cluster,
    /// Decisions before this mark are about what was before the last action.
    pub since: usize,
    pub console: &'s mut Console,
}

impl Check<'_> {
    /// Looks whether the cluster meets an expectation, waiting as long as that allows.
    pub async fn run(&mut self, expectation: &Expectation) -> Result<CheckResult, ClusterError> {
        Ok(match expectation {
            Expectation::Holder(service, node, within) => self.holder(service, node, *within).await,
            Expectation::Served(service, node, within) => self.served(service, node, *within).await,
            Expectation::Alias { service, node, present, within } => {
                let deadline = Instant::now() + *within;
                if self.cluster.alias_comes_to_be(service, node, *present, deadline).await? {
                    Ok(if *present { "there" } else { "not there" }.to_owned())
                } else {
                    Err(Unmet::TimedOut(*within).to_string())
                }
            }
            Expectation::Hold(service, reason, within) => {
                let held = |one: &Decision| one.hold.as_ref() == Some(reason);
                self.decision(service, *within, held).await
            }
            Expectation::Observation { service, node, verdict, within } => {
                let known = |one: &Decision| one.self_observation(node) == Some(verdict.as_str());
                self.decision(service, *within, known).await
            }
            Expectation::Decision(service, outcome, within) => {
                self.decision(service, *within, |one| one.outcome == *outcome).await
            }
            Expectation::Fault { on, kind, times, within } => {
                self.fault(on, kind, *times, *within).await
            }
            Expectation::Hook(occasion, service, node, within) => {
                self.hook(occasion, service, node, *within).await
            }
            Expectation::Denied(host, action, within) => self.denied(host, action, *within).await,
            Expectation::Moves(service, count) => self.moves(service, *count),
            Expectation::Notices(count) => {
                self.notices(&[ALERT_DETAIL_TYPE, MOVE_DETAIL_TYPE], *count)
            }
            Expectation::Alerts(count) => self.notices(&[ALERT_DETAIL_TYPE], *count),
            Expectation::Alert(kind, within) => self.alert(kind, *within).await,
            Expectation::NoMove(service, time) => self.no_move(service, *time).await,
        })
    }

    fn plan(&self, service: &ServiceName) -> ServicePlan {
        let plan = self.cluster.layout.service(service);
        plan.expect("the parser knows the cluster's services").clone()
    }

    async fn holder(
        &mut self,
        service: &ServiceName,
        node: &NodeName,
        within: Duration,
    ) -> CheckResult {
        let (plan, cluster) = (self.plan(service), self.cluster);
        let holder = |records: &[Record]| {
            cluster.holder(&plan, records).map(|holder| holder.name.to_string())
        };
        let wanted = |records: &[Record]| holder(records).filter(|name| *name == node.as_str());
        let seen = self.until(within, wanted).await;
        let instead = || cluster.log.read(holder).unwrap_or("nobody".to_owned());
        seen.map_err(|unmet| format!("{unmet}; held by {}", instead()))
    }

    async fn served(
        &mut self,
        service: &ServiceName,
        node: &NodeName,
        within: Duration,
    ) -> CheckResult {
        let cluster = self.cluster;
        let answer = |records: &[Record]| observed::answer(records, service.as_str());
        let wanted = Some(Answer::Served(node.to_string()));
        let wanted = |records: &[Record]| (answer(records) == wanted).then(|| "served".to_owned());
        let seen = self.until(within, wanted).await;
        let told = || cluster.log.read(answer).map(|answer| answer.to_string());
        let instead = || told().unwrap_or("nobody was asked".to_owned());
        seen.map_err(|unmet| format!("{unmet}; instead {}", instead()))
    }

    async fn fault(&mut self, on: &str, kind: &str, times: usize, within: Duration) -> CheckResult {
        let cluster = self.cluster;
        let hits = |records: &[Record]| observed::faults(&records[cluster.ready_at()..], on, kind);
        let seen = self.until(within, |all| (hits(all) >= times).then(String::new)).await;
        let instead = || cluster.log.read(hits);
        seen.map_err(|unmet| format!("{unmet}; took effect {} times", instead()))
    }

    async fn hook(
        &mut self,
        occasion: &str,
        service: &ServiceName,
        node: &NodeName,
        within: Duration,
    ) -> CheckResult {
        let (since, by) = (self.since, format!("agent {node}"));
        let done = |record: &Record| {
            record.is(&by, "hook done")
                && record.text("service") == Some(service.as_str())
                && record.text("occasion") == Some(occasion)
        };
        let done = |all: &[Record]| all[since..].iter().any(done);
        let seen = self.until(within, |all| done(all).then(String::new)).await;
        seen.map_err(|unmet| unmet.to_string())
    }

    async fn denied(&mut self, host: &NodeName, action: &str, within: Duration) -> CheckResult {
        let (since, layout) = (self.since, &self.cluster.layout);
        let plan = layout.host(host).expect("the parser knows the cluster's hosts");
        let wanted = (plan.access_key.clone(), action.to_owned());
        let denied = |all: &[Record]| observed::denials(&all[since..]).contains(&wanted);
        let seen = self.until(within, |all| denied(all).then(String::new)).await;
        seen.map_err(|unmet| unmet.to_string())
    }

    /// How often the VIP changed hands since the cluster was ready.
    fn moves(&self, service: &ServiceName, count: usize) -> CheckResult {
        let (vip, ready_at) = (self.plan(service).vip, self.cluster.ready_at());
        let moves = self.cluster.log.read(|records| observed::moves(records, vip));
        match moves.iter().filter(|one| one.index >= ready_at).count() {
            found if found == count => Ok(String::new()),
            found => Err(format!("{found} moves")),
        }
    }

    /// What people got of the function's events since the cluster was ready.
    fn notices(&self, kinds: &[&str], count: usize) -> CheckResult {
        let ready_at = self.cluster.ready_at();
        let put = |kind: &str| {
            self.cluster.log.read(|records| observed::notices(&records[ready_at..], kind))
        };
        let put: Vec<_> = kinds.iter().map(|kind| (put(kind), kind)).collect();
        if put.iter().map(|(found, _)| found).sum::<usize>() == count {
            return Ok(String::new());
        }
        let told: Vec<_> = put.iter().map(|(found, kind)| format!("{found} of {kind}")).collect();
        Err(told.join(", "))
    }

    async fn alert(&mut self, kind: &str, within: Duration) -> CheckResult {
        let told = |records: &[Record]| observed::alerts(records);
        let has_come = |all: &[Record]| told(all).iter().any(|one| one == kind);
        let seen = self.until(within, |all| has_come(all).then(String::new)).await;
        let instead = || self.cluster.log.read(told).join(", ");
        seen.map_err(|unmet| format!("{unmet}; alerts: [{}]", instead()))
    }

    async fn no_move(&mut self, service: &ServiceName, time: Duration) -> CheckResult {
        let (vip, cluster) = (self.plan(service).vip, self.cluster);
        let before = cluster.log.read(|records| observed::moves(records, vip).len());
        let moved = |records: &[Record]| {
            let moves = observed::moves(records, vip);
            moves.get(before).map(|one| format!("moved to {}", one.eni))
        };
        match self.until(time, moved).await {
            Ok(moved) => Err(moved),
            Err(Unmet::TimedOut(_)) => Ok("none".to_owned()),
            Err(crashed @ Unmet::Crashed(_)) => Err(crashed.to_string()),
        }
    }

    async fn decision(
        &mut self,
        service: &ServiceName,
        within: Duration,
        wanted: impl Fn(&Decision) -> bool,
    ) -> CheckResult {
        let since = self.since;
        let decisions =
            |records: &[Record]| observed::decisions(&records[since..], service.as_str());
        let seen = self
            .until(within, |records| decisions(records).iter().any(&wanted).then(String::new))
            .await;
        let instead = || {
            let made = self.cluster.log.read(decisions);
            let told = made.iter().map(|one| one.hold.clone().unwrap_or(one.outcome.clone()));
            told.collect::<Vec<_>>().join(", ")
        };
        seen.map_err(|unmet| format!("{unmet}; decisions since: [{}]", instead()))
    }

    /// Waits until something is seen. A process that falls over ends the wait: nothing after it
    /// means much.
    async fn until(
        &mut self,
        within: Duration,
        mut look: impl FnMut(&[Record]) -> Option<String>,
    ) -> Result<String, Unmet> {
        let began = Instant::now();
        let deadline = began + within;
        loop {
            let tick = deadline.min(Instant::now() + self.console.tick());
            let seen = self.cluster.log.wait(tick, |records| match look(records) {
                Some(seen) => Some(Ok(seen)),
                None => observed::crashed(records).map(|crashed| Err(Unmet::Crashed(crashed))),
            });
            if let Some(seen) = seen.await {
                self.console.waited();
                let after = seconds(began.elapsed());
                return seen.map(|seen| format!("{seen} after {after}").trim_start().to_owned());
            }
            if Instant::now() >= deadline {
                return Err(Unmet::TimedOut(within));
            }
            self.console
                .waiting(&format!("for at most {} more", seconds(deadline - Instant::now())));
        }
    }
}

//! Looking at a running cluster: whether it meets an expectation.

use std::time::Duration;

use tokio::time::Instant;
use vipward_core::ServiceName;

use super::Expectation;
use super::play::seconds;
use crate::cluster::{Cluster, ClusterError};
use crate::layout::ServicePlan;
use crate::observed::{self, Answer};
use crate::record::Record;
use crate::talk::Talk;

/// A running cluster that is looked at. What was seen is `Ok`, what was seen instead `Err`.
pub struct Stage<'s> {
    pub cluster: &'s Cluster,
    /// Decisions before this mark are about what was before the last action.
    pub since: usize,
    pub talk: &'s mut Talk,
}

impl Stage<'_> {
    /// Looks whether the cluster meets an expectation, waiting as long as that allows.
    pub async fn see(
        &mut self,
        expectation: &Expectation,
    ) -> Result<Result<String, String>, ClusterError> {
        Ok(match expectation {
            Expectation::Holder(service, node, within) => {
                let plan = self.plan(service);
                let cluster = self.cluster;
                let holder = |records: &[Record]| {
                    cluster
                        .holder(&plan, records)
                        .map(|holder| holder.name.to_string())
                };
                let wanted =
                    |records: &[Record]| holder(records).filter(|name| *name == node.as_str());
                let seen = self.until(*within, wanted).await;
                let instead = || cluster.log.read(holder).unwrap_or("nobody".to_owned());
                seen.map_err(|late| format!("{late}; held by {}", instead()))
            }
            Expectation::Served(service, node, within) => {
                let wanted = Some(Answer::Served(node.to_string()));
                let answer = |records: &[Record]| observed::answer(records, service.as_str());
                let seen = self
                    .until(*within, |records| {
                        (answer(records) == wanted).then(|| "served".to_owned())
                    })
                    .await;
                let instead = || format!("{:?}", self.cluster.log.read(answer));
                seen.map_err(|late| format!("{late}; instead {}", instead()))
            }
            Expectation::Alias(service, node, within) => {
                let deadline = Instant::now() + *within;
                if self.cluster.alias_comes(service, node, deadline).await? {
                    Ok("there".to_owned())
                } else {
                    Err(format!("not there within {within:?}"))
                }
            }
            Expectation::Hold(service, reason, within) => {
                let held = |one: &observed::Decided| one.hold.as_ref() == Some(reason);
                self.decision(service, *within, held).await
            }
            Expectation::Decision(service, outcome, within) => {
                self.decision(service, *within, |one| one.outcome == *outcome)
                    .await
            }
            Expectation::Moves(service, count) => {
                let moved = self.moves(service);
                if moved == *count {
                    Ok(String::new())
                } else {
                    Err(format!("{moved} moves"))
                }
            }
            Expectation::NoMove(service, time) => self.no_move(service, *time).await,
        })
    }

    fn plan(&self, service: &ServiceName) -> ServicePlan {
        let plan = self.cluster.layout.service(service);
        plan.expect("the parser knows the cluster's services")
            .clone()
    }

    /// How often the VIP changed hands since the cluster was ready.
    fn moves(&self, service: &ServiceName) -> usize {
        let (vip, ready_at) = (self.plan(service).vip, self.cluster.ready_at());
        self.cluster
            .log
            .read(|records| observed::moves(&records[ready_at..], vip).len())
    }

    async fn no_move(&mut self, service: &ServiceName, time: Duration) -> Result<String, String> {
        let (vip, before) = (self.plan(service).vip, self.moves(service));
        let ready_at = self.cluster.ready_at();
        let moved = self
            .until(time, |records| {
                let moves = observed::moves(&records[ready_at..], vip);
                moves.get(before).map(|one| format!("moved to {}", one.eni))
            })
            .await;
        match moved {
            Ok(moved) => Err(moved),
            Err(_) => Ok("none".to_owned()),
        }
    }

    async fn decision(
        &mut self,
        service: &ServiceName,
        within: Duration,
        wanted: impl Fn(&observed::Decided) -> bool,
    ) -> Result<String, String> {
        let since = self.since;
        let decisions =
            |records: &[Record]| observed::decisions(&records[since..], service.as_str());
        let seen = self
            .until(within, |records| {
                decisions(records).iter().any(&wanted).then(String::new)
            })
            .await;
        let instead = || {
            let made = self.cluster.log.read(decisions);
            let told = made
                .iter()
                .map(|one| one.hold.clone().unwrap_or(one.outcome.clone()));
            told.collect::<Vec<_>>().join(", ")
        };
        seen.map_err(|late| format!("{late}; decisions since: [{}]", instead()))
    }

    /// Waits until something is seen. A process that falls over ends the wait: nothing after it means much.
    async fn until(
        &mut self,
        within: Duration,
        mut look: impl FnMut(&[Record]) -> Option<String>,
    ) -> Result<String, String> {
        let began = Instant::now();
        let deadline = began + within;
        loop {
            let tick = deadline.min(Instant::now() + self.talk.tick());
            let seen = self.cluster.log.wait(tick, |records| match look(records) {
                Some(seen) => Some(Ok(seen)),
                None => observed::fallen(records).map(Err),
            });
            if let Some(seen) = seen.await {
                self.talk.waited();
                let after = seconds(began.elapsed());
                return seen.map(|seen| format!("{seen} after {after}").trim_start().to_owned());
            }
            if Instant::now() >= deadline {
                return Err(format!("not within {within:?}"));
            }
            self.talk.waiting(&format!(
                "at most {} more",
                seconds(deadline - Instant::now())
            ));
        }
    }
}

//! One pass: evidence, decisions, plan, execution, records. Level-triggered: what woke the
//! function decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::audit::vet;
use vipward_core::decide::{Choice, Decision, decide};
use vipward_core::evidence::Evidence;
use vipward_core::plan::plan;

use crate::backoff::bounded;
use crate::execute::execute;
use crate::gather::{Look, gather};
use crate::memory::Memory;
use crate::ports::{PortError, Ports};
use crate::record::{Notice, Record, records};

/// How many times `stale_after` what may pass may last before a person should look: by then it is
/// no transition but a blackout, probes that cannot judge, or servers that do not agree.
const LONG_WAIT: u32 = 2;

/// Reconciles every VIP of the cluster; `deadline` is when the invocation must be over.
///
/// # Errors
/// When EC2 could not be read. Then nothing was done; the next wake-up tries afresh.
pub async fn reconcile(
    config: &Config,
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    wake: &'static str,
    deadline: Timestamp,
) -> Result<Vec<Record>, PortError> {
    let woken = ports.now();
    let hints = locked(memory).testimony(config, woken);
    let evidence = gather(config, ports, hints, Look::WhereNeeded, deadline).await?;
    let instances = evidence.inventory.enis.iter().filter(|(id, _)| config.node_of(id).is_some());
    let instances = instances.filter_map(|(_, eni)| eni.instance.clone()).collect();
    locked(memory).learn_instances(instances);
    let decided = ports.now();
    let decisions = decide(config, &evidence, decided);
    let moment = Moment { wake, woken, decided, deadline };
    let records = carry_out(config, ports, &evidence, decisions, moment).await;
    Ok(go_elsewhere(config, ports, evidence, records, moment).await)
}

/// What EC2 refused one node, an interface without room perhaps, goes to the next best: until it is
/// taken or nobody is left. Adds the records of that.
async fn go_elsewhere(
    config: &Config,
    ports: &impl Ports,
    mut evidence: Evidence,
    mut records: Vec<Record>,
    first: Moment,
) -> Vec<Record> {
    let deadline = first.deadline.min(first.decided + config.policy.stale_after);
    let mut refused: BTreeSet<_> = records.iter().filter_map(Record::refusal).collect();
    while !refused.is_empty() {
        let services = refused.iter().filter_map(|(service, _)| config.service(service));
        let homeless: BTreeSet<_> =
            services.flat_map(|service| config.companions(service)).map(|s| &s.name).collect();
        evidence.refusals.append(&mut refused);
        let decided = ports.now();
        let mut decisions = decide(config, &evidence, decided);
        decisions.retain(|decision| {
            let moves = matches!(decision.choice, Choice::Move { .. });
            moves && homeless.contains(&decision.service)
        });
        let moment = Moment { decided, deadline, ..first };
        let next = carry_out(config, ports, &evidence, decisions, moment).await;
        refused = next.iter().filter_map(Record::refusal).collect();
        records.extend(next);
    }
    records
}

/// When and why was decided, and when all must be over.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// What woke the function, in one word.
    pub wake: &'static str,
    /// When it was woken.
    pub woken: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
    /// When the invocation must be over.
    pub deadline: Timestamp,
}

/// Audits the decisions, carries out what they plan, and records it.
pub async fn carry_out(
    config: &Config,
    ports: &impl Ports,
    evidence: &Evidence,
    decisions: Vec<Decision>,
    moment: Moment,
) -> Vec<Record> {
    let Moment { wake, woken, decided, deadline } = moment;
    let (decisions, refused) = vet(config, evidence, decisions, decided);
    for (decision, breach) in refused {
        tracing::error!(service = %decision.service, %breach, "decision refused by the audit");
    }
    // Evidence that has gone stale while trying again must not move anything.
    let deadline = deadline.min(decided + config.policy.stale_after);
    let steps = plan(config, &decisions)
        .into_iter()
        .zip(1..)
        .map(|(step, place)| execute(config, ports, step, place, deadline));
    let outcomes: BTreeMap<_, _> =
        futures::future::join_all(steps).await.into_iter().flatten().collect();
    records(wake, woken, decided, decisions, outcomes)
}

/// What people's own rules should hear of: moves, and what is worth a look and news. With each
/// alert its subject, under which it counts as told once it was sent.
pub fn notices(
    config: &Config,
    memory: &Mutex<Memory>,
    records: &[Record],
    now: Timestamp,
) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    let mut memory = locked(memory);
    for record in records {
        notices.extend(record.move_notice(config));
        let service = &record.decision.service;
        let passing = record.passing();
        let waiting = memory.waiting(service, passing.is_some(), now);
        let overdue = waiting >= config.policy.stale_after * LONG_WAIT;
        let alert = record.alert().or_else(|| passing.filter(|_| overdue));
        match alert {
            Some(alert) => {
                let notice = record.alert_notice(config, &alert);
                // Of what EC2 refuses on each of several nodes there are as many records.
                let is_told = notices.iter().any(|told| told.alert == notice.alert);
                if !is_told && memory.is_news(service.as_str(), &alert, now) {
                    notices.push(notice);
                }
            }
            None => memory.settle(service.as_str()),
        }
    }
    notices
}

/// Tells people's own rules; what could not be told is news the next time, too.
///
/// # Errors
/// When EventBridge did not take them all.
pub async fn announce(
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    notices: &[Notice],
    deadline: Timestamp,
) -> Result<(), PortError> {
    if notices.is_empty() {
        return Ok(());
    }
    bounded(ports, deadline, ports.announce(notices)).await?;
    let now = ports.now();
    for alert in notices.iter().filter_map(|notice| notice.alert.as_ref()) {
        locked(memory).told(&alert.subject, &alert.kind, now);
    }
    Ok(())
}

/// The memory, whoever panicked with it: it is only an accelerator.
pub(crate) fn locked(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

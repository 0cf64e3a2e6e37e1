//! One pass: evidence, decisions, plan, execution, records. Level-triggered: what woke the
//! function decides nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::decide::decide;
use vipward_core::plan::plan;

use crate::execute::execute;
use crate::gather::{Look, gather};
use crate::memory::Memory;
use crate::ports::{PortError, Ports};
use crate::record::{Notice, Record, records};

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
    let decided = ports.now();
    let decisions = decide(config, &evidence, decided);
    // Evidence that has gone stale while trying again must not move anything.
    let deadline = deadline.min(decided + config.policy.stale_after);
    let steps =
        plan(config, &decisions).into_iter().map(|step| execute(config, ports, step, deadline));
    let outcomes: BTreeMap<_, _> =
        futures::future::join_all(steps).await.into_iter().flatten().collect();
    Ok(records(wake, woken, decided, decisions, outcomes))
}

/// Tells people's own rules of `notices`, of moves, and of what they should look at, without
/// repeating itself.
pub async fn announce(
    config: &Config,
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    records: &[Record],
    mut notices: Vec<Notice>,
) {
    for record in records {
        notices.extend(record.move_notice(config));
        let service = record.decision.service.as_str();
        match record.alert() {
            Some(alert) if locked(memory).should_alert(service, &alert, ports.now()) => {
                notices.push(record.alert_notice(config, &alert));
            }
            Some(_) => {}
            None => locked(memory).settle(service),
        }
    }
    if notices.is_empty() {
        return;
    }
    if let Err(error) = ports.announce(&notices).await {
        tracing::error!(%error, "notices not sent");
    }
}

fn locked(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    // A poisoned memory is still only an accelerator.
    memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

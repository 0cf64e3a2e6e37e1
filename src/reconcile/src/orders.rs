//! What operators order: a switchover, a node's drain and its end, a budget made whole. Each is one
//! tag or one move, and safe to repeat.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use vipward_core::config::Mode;
use vipward_core::decide::switchover;
use vipward_core::drain::Drain;
use vipward_core::evidence::age;
use vipward_core::ledger::Ledger;
use vipward_core::{Config, NodeName, ServiceName};

use crate::backoff::retry;
use crate::gather::{Look, gather};
use crate::memory::Memory;
use crate::own_tags::OwnTags;
use crate::ports::{PortError, Ports};
use crate::reconcile::{Moment, carry_out, locked, reconcile};
use crate::record::Record;
use crate::wake::Command;

/// Whoever forgets a drain gets the node back, whatever program ordered it.
const LONGEST_DRAIN: u32 = 14 * 24 * 60 * 60;

/// So long after a move a switchover that names no node may be the one that brought it about, given
/// again because its answer was lost: to obey would undo it.
const REPEATED: Duration = Duration::from_mins(3);

/// What woke the function, in records.
const WAKE: &str = "command";

/// What came of an order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obeyed {
    /// It was carried out.
    #[serde(skip)]
    Done {
        /// What, as a sentence.
        what: String,
        /// The decisions that it brought about, to be logged.
        records: Vec<Record>,
    },
    /// It would not be safe, for this reason: nothing was done.
    Refused(String),
}

/// Carries an order out by `deadline`; a question is refused.
///
/// # Errors
/// When EC2 could not be read, or did not take the tag.
pub async fn obey(
    config: &Config,
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    command: &Command,
    deadline: Timestamp,
) -> Result<Obeyed, PortError> {
    let ports = &OwnTags::new(ports);
    let office = Office { config, ports, memory, deadline };
    match command {
        Command::Switchover { service, to } => office.switch_over(service, to.as_ref()).await,
        Command::Drain { seconds, .. } if !(1..=LONGEST_DRAIN).contains(seconds) => {
            let why = format!("a drain lasts from 1 to {LONGEST_DRAIN} seconds, not {seconds}");
            Ok(Obeyed::Refused(why))
        }
        Command::Drain { node, seconds, owner, reason } => {
            let until = ports.now() + SignedDuration::from_secs(i64::from(*seconds));
            let drain = Drain::new(until, owner, reason);
            let what = format!("{node} is drained until {}", whole_seconds(until));
            office.drain(node, &drain, what).await
        }
        Command::Resume { node } => {
            let drain = Drain::new(ports.now(), "", "resumed");
            office.drain(node, &drain, format!("{node} may hold VIPs again")).await
        }
        Command::Unfreeze { service } => office.unfreeze(service).await,
        Command::Status | Command::Explain { .. } => {
            Ok(Obeyed::Refused("it is a question, not an order".to_owned()))
        }
    }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

struct Office<'o, P> {
    config: &'o Config,
    ports: &'o P,
    memory: &'o Mutex<Memory>,
    deadline: Timestamp,
}

impl<P: Ports> Office<'_, P> {
    async fn switch_over(
        &self,
        service: &ServiceName,
        to: Option<&NodeName>,
    ) -> Result<Obeyed, PortError> {
        let (config, ports, deadline) = (self.config, self.ports, self.deadline);
        if config.policy.mode == Mode::Observe {
            return Ok(Obeyed::Refused("the file says to observe only".to_owned()));
        }
        let Some(service) = config.service(service) else {
            return Ok(Obeyed::Refused(format!("service {service} is not in the file")));
        };
        let woken = ports.now();
        let hints = locked(self.memory).testimony(config, woken);
        let evidence = gather(config, ports, hints, Look::Everywhere, deadline).await?;
        let decided = ports.now();
        let last = evidence.inventory.ledger(config, &service.name).last_move();
        let rest = last.map(|last| age(last, decided)).filter(|_| to.is_none());
        if let Some(rest) = rest.filter(|rest| *rest < REPEATED) {
            return Ok(Obeyed::Refused(format!(
                "the VIP moved {} s ago, perhaps by this very order; to move it again, name the node",
                rest.as_secs()
            )));
        }
        let decisions = match switchover(config, &evidence, service, to, decided) {
            Ok(decisions) => decisions,
            Err(why) => return Ok(Obeyed::Refused(why.to_string())),
        };
        let moment = Moment { wake: WAKE, woken, decided, deadline };
        let records = carry_out(config, ports, &evidence, decisions, moment).await;
        Ok(Obeyed::Done { what: format!("switchover of {}", service.name), records })
    }

    /// Writes the tag, then looks at once: what the node holds goes where another can take it.
    async fn drain(
        &self,
        node: &NodeName,
        drain: &Drain,
        what: String,
    ) -> Result<Obeyed, PortError> {
        let Some(node) = self.config.node(node) else {
            return Ok(Obeyed::Refused(format!("node {node} is not in the file")));
        };
        let key = Drain::tag_key(&self.config.cluster);
        let tags = BTreeMap::from([(key, drain.to_string())]);
        retry(self.ports, self.deadline, || self.ports.tag(&node.eni, &tags)).await?;
        // The tag stands; should the look fail, the next minute's does not.
        let looked = reconcile(self.config, self.ports, self.memory, WAKE, self.deadline).await;
        Ok(Obeyed::Done { what, records: looked.unwrap_or_default() })
    }

    async fn unfreeze(&self, service: &ServiceName) -> Result<Obeyed, PortError> {
        let inventory =
            retry(self.ports, self.deadline, || self.ports.inventory(self.config)).await?;
        if let Some(keeper) = inventory.ledger_keeper(self.config, service) {
            let ledger = inventory.ledger(self.config, service).unfrozen();
            let key = Ledger::tag_key(&self.config.cluster, service);
            let tags = BTreeMap::from([(key, ledger.to_string())]);
            retry(self.ports, self.deadline, || self.ports.tag(keeper, &tags)).await?;
        }
        let looked = reconcile(self.config, self.ports, self.memory, WAKE, self.deadline).await;
        let what = format!("the move budget of {service} is whole again");
        Ok(Obeyed::Done { what, records: looked.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests;

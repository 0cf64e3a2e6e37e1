//! What operators order: a switchover, a node's drain and its end, a budget made whole. Each is one
//! tag or one move, and safe to repeat.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use vipward_core::config::{Mode, Service};
use vipward_core::decide::{Choice, Decision, switchover};
use vipward_core::drain::Drain;
use vipward_core::evidence::Snapshot;
use vipward_core::ledger::Ledger;
use vipward_core::observed::age;
use vipward_core::{NodeName, ServiceName};

use crate::backoff::retry;
use crate::gather::Scope;
use crate::invocation::Invocation;
use crate::own_tags::OwnTags;
use crate::ports::{PortError, Ports};
use crate::reconcile::{Stopped, pursue, reconcile};
use crate::record::Record;
use crate::wake::Command;

/// Whoever forgets a drain gets the node back, whatever program ordered it.
const LONGEST_DRAIN: u32 = 14 * 24 * 60 * 60;

/// So long after a move a switchover that names no node may be the one that brought it about, given
/// again because its answer was lost: running it would undo it.
const REPEATED: Duration = Duration::from_mins(3);

/// What came of an order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderOutcome {
    /// It was carried out.
    #[serde(skip)]
    Done {
        /// What, as a sentence.
        what: String,
        /// The decisions that it brought about, to be logged.
        records: Vec<Record>,
        /// Why nothing could be decided thereupon.
        unread: Option<PortError>,
    },
    /// It would not be safe, for this reason: nothing was done.
    Refused(String),
}

/// Carries an order out; a question is refused.
///
/// # Errors
/// When EC2 could not be read, or did not take the tag.
pub async fn run_order<P: Ports>(
    invocation: &Invocation<'_, P>,
    command: &Command,
) -> Result<OrderOutcome, PortError> {
    let ports = &OwnTags::new(invocation.ports);
    let invocation = invocation.through(ports);
    let operator = Operator { invocation };
    match command {
        Command::Switchover { service, to } => operator.switch_over(service, to.as_ref()).await,
        Command::Drain { seconds, .. } if !(1..=LONGEST_DRAIN).contains(seconds) => {
            let why = format!("a drain lasts from 1 to {LONGEST_DRAIN} seconds, not {seconds}");
            Ok(OrderOutcome::Refused(why))
        }
        Command::Drain { node, seconds, owner, reason } => {
            let until = ports.now() + SignedDuration::from_secs(i64::from(*seconds));
            let drain = Drain::new(until, owner, reason);
            let what = format!("{node} is drained until {}", whole_seconds(until));
            operator.drain(node, &drain, what).await
        }
        Command::Resume { node } => {
            let drain = Drain::new(ports.now(), "", "resumed");
            operator.drain(node, &drain, format!("{node} may hold VIPs again")).await
        }
        Command::Unfreeze { service } => operator.unfreeze(service).await,
        Command::Status | Command::Explain { .. } => {
            Ok(OrderOutcome::Refused("this is a question, not an order".to_owned()))
        }
    }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

struct Operator<'o, P> {
    invocation: Invocation<'o, P>,
}

/// The decisions of a switchover, pass by pass: the same node in each, once one was chosen.
struct Switchover<'s> {
    service: &'s Service,
    to: Option<NodeName>,
}

impl Switchover<'_> {
    fn decisions(&mut self, snapshot: Snapshot<'_>) -> Result<Vec<Decision>, String> {
        let Self { service, to } = self;
        let last = snapshot.ledger(&service.name).last_move();
        let rest = last.map(|last| age(last, snapshot.now)).filter(|_| to.is_none());
        if let Some(rest) = rest.filter(|rest| *rest < REPEATED) {
            return Err(format!(
                "the VIP moved {} s ago, perhaps by this order: name the node to move it again",
                rest.as_secs()
            ));
        }
        let decisions =
            switchover(snapshot, service, to.as_ref()).map_err(|why| why.to_string())?;
        let target = decisions.iter().find_map(|decision| match &decision.choice {
            Choice::Move { to, .. } => Some(to.clone()),
            Choice::Hold { .. } => None,
        });
        *to = target.or_else(|| to.take());
        Ok(decisions)
    }
}

impl<P: Ports> Operator<'_, P> {
    async fn switch_over(
        &self,
        service: &ServiceName,
        to: Option<&NodeName>,
    ) -> Result<OrderOutcome, PortError> {
        let config = self.invocation.config;
        if config.policy.mode == Mode::Observe {
            return Ok(OrderOutcome::Refused(
                "the configuration says mode = \"observe\": vipward moves nothing".to_owned(),
            ));
        }
        let Some(service) = config.service(service) else {
            return Ok(OrderOutcome::Refused(format!(
                "service {service} is not in the configuration"
            )));
        };
        let mut order = Switchover { service, to: to.cloned() };
        let goal = |snapshot: Snapshot<'_>| order.decisions(snapshot);
        match pursue(&self.invocation, Scope::All, goal).await {
            Ok(records) => {
                let what = format!("switchover of {}", service.name);
                Ok(OrderOutcome::Done { what, records, unread: None })
            }
            Err(Stopped::NotAllowed(why)) => Ok(OrderOutcome::Refused(why)),
            Err(Stopped::Unread(error)) => Err(error),
        }
    }

    /// Writes the tag, then looks at once: what the node holds goes where another can take it.
    async fn drain(
        &self,
        node: &NodeName,
        drain: &Drain,
        what: String,
    ) -> Result<OrderOutcome, PortError> {
        let Invocation { config, ports, deadline, .. } = self.invocation;
        let Some(node) = config.node(node) else {
            return Ok(OrderOutcome::Refused(format!("node {node} is not in the configuration")));
        };
        let key = Drain::tag_key(&config.cluster);
        let tags = BTreeMap::from([(key, drain.to_string())]);
        retry(ports, deadline, || ports.tag(&node.eni, &tags)).await?;
        // The tag stands; should the look fail, the next minute's does not.
        Ok(self.look(what).await)
    }

    async fn look(&self, what: String) -> OrderOutcome {
        match reconcile(&self.invocation).await {
            Ok(records) => OrderOutcome::Done { what, records, unread: None },
            Err(error) => OrderOutcome::Done { what, records: Vec::new(), unread: Some(error) },
        }
    }

    async fn unfreeze(&self, service: &ServiceName) -> Result<OrderOutcome, PortError> {
        let Invocation { config, ports, deadline, .. } = self.invocation;
        let inventory = retry(ports, deadline, || ports.inventory(config)).await?;
        if let Some(keeper) = inventory.ledger_keeper(config, service) {
            let ledger = inventory.ledger(config, service).unfrozen();
            let key = Ledger::tag_key(&config.cluster, service);
            let tags = BTreeMap::from([(key, ledger.to_string())]);
            retry(ports, deadline, || ports.tag(keeper, &tags)).await?;
        }
        Ok(self.look(format!("the move budget of {service} is restored")).await)
    }
}

#[cfg(test)]
mod tests;

//! Orders to the failover function, and what came of them.

use serde::Serialize;
use serde_json::json;
use vipward_core::{Config, Exit, NodeName, ServiceName};
use vipward_render::function_name;

use crate::failure::Failure;
use crate::invoke::invoke;
use crate::load;
use crate::options::OrderOptions;
use crate::reply::{Done, Reply, VipOutcome};
use crate::said::Said;

/// What is ordered, as the function reads it.
#[derive(Debug, Serialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Order<'o> {
    /// Bring the VIP elsewhere.
    Switchover {
        /// The service.
        service: &'o ServiceName,
        /// The node.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<&'o NodeName>,
    },
    /// Take the node out.
    Drain {
        /// The node.
        node: &'o NodeName,
        /// For how long.
        seconds: u32,
        /// Who asks.
        owner: &'o str,
        /// Why.
        reason: &'o str,
    },
    /// Put the node back.
    Resume {
        /// The node.
        node: &'o NodeName,
    },
    /// Make the budget whole.
    Unfreeze {
        /// The service.
        service: &'o ServiceName,
    },
}

/// Whoever takes orders.
pub trait Orders {
    /// Gives the order; what came of it.
    ///
    /// # Errors
    /// No reply, or none that is understood.
    async fn give(&self, order: &Order<'_>) -> Result<Reply, Failure>;
}

/// The failover function.
#[derive(Debug)]
pub struct FailoverFunction(String);

impl FailoverFunction {
    /// The one that the options name; by a file, everything that is ordered has to be in it.
    ///
    /// # Errors
    /// A bad file, or a name that is not in it.
    pub fn of(options: &OrderOptions, order: &Order<'_>) -> Result<Self, Failure> {
        if let Some(function) = &options.function {
            return Ok(Self(function.clone()));
        }
        let config = load(&options.config)?;
        order.names_what_is_in(&config)?;
        Ok(Self(function_name(&config, "failover")))
    }
}

impl Orders for FailoverFunction {
    async fn give(&self, order: &Order<'_>) -> Result<Reply, Failure> {
        let payload = invoke(&self.0, &json!(order)).await?;
        let unread = |source| Failure::Answer { function: self.0.clone(), source };
        serde_json::from_slice(&payload).map_err(unread)
    }
}

/// Gives the order once and says what came of it.
///
/// # Errors
/// A bad file, a name that is not in it, or no answer.
pub async fn give(options: &OrderOptions, order: Order<'_>) -> Result<Said, Failure> {
    let reply = FailoverFunction::of(options, &order)?.give(&order).await?;
    Ok(match reply {
        Reply::Refused { refused } => Said::refused(&refused),
        Reply::Done(done) => said(&order, &done),
    })
}

/// A switchover is about moves alone: it is not done while one is not.
fn said(order: &Order<'_>, done: &Done) -> Said {
    let failed = |vip: &VipOutcome| match order {
        Order::Switchover { .. } => !vip.has_moved(),
        _ => vip.has_failed(),
    };
    let exit = if done.last().any(failed) { Exit::Degraded } else { Exit::Fine };
    let data = format!("{}\n", done.what) + &listed(done.vips.iter().filter(|vip| vip.is_news()));
    let talk = done.unread.iter().map(|why| format!("warning: no VIP could be looked at: {why}\n"));
    Said { data, talk: talk.collect(), exit }
}

/// A line for each.
pub fn listed<'v>(vips: impl Iterator<Item = &'v VipOutcome>) -> String {
    vips.map(|vip| format!("  {vip}\n")).collect::<Vec<_>>().concat()
}

impl Order<'_> {
    fn names_what_is_in(&self, config: &Config) -> Result<(), Failure> {
        let (service, node) = match self {
            Self::Switchover { service, to } => (Some(*service), *to),
            Self::Unfreeze { service } => (Some(*service), None),
            Self::Drain { node, .. } | Self::Resume { node } => (None, Some(*node)),
        };
        if let Some(service) = service.filter(|service| config.service(service).is_none()) {
            return Err(Failure::no_such_service(config, service));
        }
        if let Some(node) = node.filter(|node| config.node(node).is_none()) {
            let known = config.nodes.iter().map(|known| known.name.clone()).collect();
            let node = node.clone();
            return Err(if config.witnesses.iter().any(|witness| witness.name == node) {
                Failure::Witness { witness: node, nodes: known }
            } else {
                Failure::NoSuchNode { node, known }
            });
        }
        Ok(())
    }
}

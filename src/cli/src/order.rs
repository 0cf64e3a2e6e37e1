//! Orders to the failover function, and what came of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;
use vipward_core::{Config, Exit, NodeName, ServiceName};
use vipward_render::function_name;

use crate::failure::Failure;
use crate::invoke::invoke;
use crate::load;
use crate::options::OrderOptions;
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

/// What the function says to an order.
#[derive(Debug, Deserialize)]
struct Reply {
    /// It would not be safe.
    refused: Option<String>,
    /// What was done.
    done: Option<String>,
    /// What came of the services that were looked at thereupon.
    #[serde(default)]
    outcomes: BTreeMap<String, String>,
}

/// Gives the order and says what came of it.
///
/// # Errors
/// A bad file, a name that is not in it, or no answer.
pub async fn give(options: &OrderOptions, order: Order<'_>) -> Result<Said, Failure> {
    let function = if let Some(function) = &options.function {
        function.clone()
    } else {
        let config = load(&options.config)?;
        order.names_what_is_in(&config)?;
        function_name(&config, "failover")
    };
    let payload = invoke(&function, &json!(order)).await?;
    let reply: Reply =
        serde_json::from_slice(&payload).map_err(|source| Failure::Answer { function, source })?;
    Ok(said(reply))
}

fn said(reply: Reply) -> Said {
    if let Some(why) = reply.refused {
        return Said { talk: format!("refused: {why}\n"), exit: Exit::Refused, ..Said::default() };
    }
    let mut data = format!("{}\n", reply.done.unwrap_or_default());
    for (service, outcome) in &reply.outcomes {
        let _ = writeln!(data, "  {service}: {outcome}");
    }
    let failed =
        reply.outcomes.values().any(|outcome| outcome == "failed" || outcome == "unproven");
    let exit = if failed { Exit::Degraded } else { Exit::Fine };
    Said { data, exit, ..Said::default() }
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

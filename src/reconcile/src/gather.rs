//! Gathering the evidence: little while all is quiet, everything where a move is on the table.

use std::collections::BTreeSet;

use jiff::Timestamp;
use vipward_core::config::Node;
use vipward_core::evidence::{Evidence, Inventory, Observed, Statement, Testimony, Topic};
use vipward_core::glance::calls_for_closer_look;
use vipward_core::{Config, NodeName, ServiceName};

use crate::backoff::{bounded, retry};
use crate::ports::{PortError, Ports, Published};

/// How many times `stale_after` the metrics are read back: enough to see how long something has
/// been said, and when a silent node last spoke.
const LOOK_BACK: u32 = 4;

/// At what the metrics are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At what calls for it.
    WhereNeeded,
    /// At every service.
    Everywhere,
}

/// Reads the world, with what hints have said already.
///
/// # Errors
/// Only when EC2 cannot be read: without the holders there is nothing to decide. What CloudWatch
/// cannot answer is missing from the evidence, which never reads as silence.
pub async fn gather(
    config: &Config,
    ports: &impl Ports,
    hints: Testimony,
    look: Look,
    deadline: Timestamp,
) -> Result<Evidence, PortError> {
    let inventory = retry(ports, deadline, || ports.inventory(config));
    let stopped = bounded(ports, deadline, ports.stopped_instances(config));
    let alarms = bounded(ports, deadline, ports.quiet_alarms(config));
    let (inventory, stopped, alarms) = futures::join!(inventory, stopped, alarms);
    let mut inventory = inventory?;
    match stopped {
        Ok(stopped) => inventory.stopped = nodes_on(config, &inventory, &stopped),
        Err(error) => tracing::warn!(%error, "instance states not read"),
    }
    let quiet_alarms = alarms.inspect_err(|error| tracing::warn!(%error, "alarms not read")).ok();
    let mut evidence =
        Evidence { inventory, quiet_alarms, testimony: hints, ..Evidence::default() };
    let services = services_to_read(config, &evidence, look, ports.now());
    if services.is_empty() {
        return Ok(evidence);
    }
    let since = ports.now() - config.policy.stale_after * LOOK_BACK;
    match bounded(ports, deadline, ports.words(config, &services, since)).await {
        Ok(Published { words, lags, primaries }) => {
            evidence.testimony.read = flowing(config, &words, ports.now());
            for (topic, word) in words {
                evidence.testimony.hear(topic, word);
            }
            for (node, service, lag) in lags {
                evidence.testimony.hear_lag(node, service, lag);
            }
            for (node, service, is) in primaries {
                evidence.testimony.hear_primary(node, service, is);
            }
        }
        Err(error) => tracing::warn!(%error, "metrics not read"),
    }
    Ok(evidence)
}

/// The services of which the metrics hold something fresh from somebody. Where they hold nothing
/// fresh from anybody, it may be CloudWatch that is late: no silence of a node can be told.
fn flowing(
    config: &Config,
    words: &[(Topic, Observed<Statement>)],
    now: Timestamp,
) -> BTreeSet<ServiceName> {
    let fresh =
        words.iter().filter(|(_, word)| word.fresh(now, config.policy.stale_after).is_some());
    fresh.map(|(topic, _)| topic.service.clone()).collect()
}

fn nodes_on(
    config: &Config,
    inventory: &Inventory,
    instances: &BTreeSet<String>,
) -> BTreeSet<NodeName> {
    let is_on_one = |node: &&Node| {
        let instance = inventory.enis.get(&node.eni).and_then(|eni| eni.instance.as_ref());
        instance.is_some_and(|instance| instances.contains(instance))
    };
    config.nodes.iter().filter(is_on_one).map(|node| node.name.clone()).collect()
}

fn services_to_read(
    config: &Config,
    evidence: &Evidence,
    look: Look,
    now: Timestamp,
) -> BTreeSet<ServiceName> {
    let services = config.services.iter().filter(|service| {
        look == Look::Everywhere || calls_for_closer_look(config, evidence, service, now)
    });
    services.map(|service| service.name.clone()).collect()
}

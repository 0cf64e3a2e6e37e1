//! Gathering the evidence: little while all is quiet, everything where a move is on the table.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use vipward_core::config::Node;
use vipward_core::evidence::{Evidence, Inventory, Observed, Statement, Testimony, Topic, age};
use vipward_core::glance::calls_for_closer_look;
use vipward_core::signals::INGESTION;
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

/// The services by whose metrics a silence can be told. They hold something fresh from somebody; and
/// whoever's last word has gone stale has been quiet for nearly `stale_after` by the newest metrics of
/// others, not by the clock: while CloudWatch is late with everybody, the last words of two nodes that
/// are well lie up to a publish interval apart, and the older is stale before the newer.
///
/// Metrics that are later than [`INGESTION`] thus delay the verdict on a node that is silent indeed, at
/// most until the next hint or alarm; they were taken for the silence of a node that is well.
fn flowing(
    config: &Config,
    words: &[(Topic, Observed<Statement>)],
    now: Timestamp,
) -> BTreeSet<ServiceName> {
    let mut last: BTreeMap<&ServiceName, BTreeMap<&NodeName, Timestamp>> = BTreeMap::new();
    for (topic, word) in words {
        let by_observer = last.entry(&topic.service).or_default();
        let spoke = by_observer.entry(&topic.observer).or_insert(word.at);
        *spoke = word.at.max(*spoke);
    }
    let stale_after = config.policy.stale_after;
    let silence = stale_after.saturating_sub(INGESTION);
    let flows = |spoke: &BTreeMap<&NodeName, Timestamp>| {
        let is_fresh = |at: Timestamp| age(at, now) < stale_after;
        let newest = spoke.values().copied().max().filter(|at| is_fresh(*at));
        newest.is_some_and(|newest| {
            spoke.values().all(|at| is_fresh(*at) || age(*at, newest) >= silence)
        })
    };
    last.into_iter().filter(|(_, spoke)| flows(spoke)).map(|(service, _)| service.clone()).collect()
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

//! Gathering the evidence: little while all is quiet, everything where a move is on the table.

use std::collections::BTreeSet;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::evidence::{Evidence, Testimony};
use vipward_core::glance::calls_for_closer_look;
use vipward_core::name::ServiceName;

use crate::backoff::retry;
use crate::ports::{PortError, Ports};

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
    let (inventory, alarms) = futures::join!(inventory, ports.troubled_alarms(config));
    let mut evidence = Evidence {
        inventory: inventory?,
        troubled_alarms: alarms.inspect_err(|error| tracing::warn!(%error, "alarms not read")).ok(),
        testimony: hints,
    };
    let services = services_to_read(config, &evidence, look, ports.now());
    if services.is_empty() {
        return Ok(evidence);
    }
    let since = ports.now() - config.policy.stale_after * LOOK_BACK;
    match ports.words(config, &services, since).await {
        Ok(words) => {
            for (topic, word) in words {
                evidence.testimony.hear(topic, word);
            }
            evidence.testimony.read = services;
        }
        Err(error) => tracing::warn!(%error, "metrics not read"),
    }
    Ok(evidence)
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

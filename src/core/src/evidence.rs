//! All that is known when a decision is made, each piece with its age.
//!
//! Ages come from AWS's time (of metric buckets and events), which agents know by its answers: the
//! hosts' clocks do not matter.

mod inventory;
mod observations;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

pub use inventory::{Eni, Holder, Inventory, Presence};
pub use observations::{Observation, ObservationKey, Observations};
pub use snapshot::Snapshot;

use crate::config::Config;
use crate::name::{NodeName, ServiceName};
use crate::telemetry::{AlarmKind, AlarmName};

/// What a decision rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Who holds what.
    pub inventory: Inventory,
    /// The alarms in `OK`; `None` when they could not be read.
    pub quiet_alarms: Option<BTreeSet<AlarmName>>,
    /// What the agents observed.
    pub observations: Observations,
    /// Where EC2 has just refused to bring which service's VIP: an interface without room, say.
    pub refusals: BTreeSet<(ServiceName, NodeName)>,
    /// Where calls to EC2 that have no certain answer, or whose effect does not show yet, may bring
    /// a service's VIP.
    pub in_flight: BTreeMap<ServiceName, BTreeSet<NodeName>>,
    /// The services about which no agent was heard just now: what is known of them is remembered,
    /// and no move may rest on it.
    pub unheard: BTreeSet<ServiceName>,
}

impl Evidence {
    /// The alarms of the file about `service` that are in `ALARM` or `INSUFFICIENT_DATA`, or are
    /// not there at all; all of them when they could not be read.
    pub fn troubled_alarms(
        &self,
        config: &Config,
        service: &ServiceName,
    ) -> impl Iterator<Item = AlarmName> {
        let quiet = self.quiet_alarms.as_ref();
        AlarmName::all(config).filter(move |alarm| {
            let is_about = alarm.service.as_ref() == Some(service);
            is_about && quiet.is_none_or(|quiet| !quiet.contains(alarm))
        })
    }

    /// Whether a host's hints fail, by the alarms; so it may be where these could not be read.
    pub fn hints_may_fail(&self, config: &Config) -> bool {
        let quiet = self.quiet_alarms.as_ref();
        AlarmName::all(config)
            .filter(|alarm| alarm.kind == AlarmKind::Hints)
            .any(|alarm| quiet.is_none_or(|quiet| !quiet.contains(&alarm)))
    }
}

#[cfg(test)]
mod tests;

//! What goes wrong on a host itself, around the alias unit: with the instance metadata, with the
//! interface's addresses, with the unit. It changes nothing for the agents and the function.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, What};
use crate::truth::Truth;

/// What goes wrong with the host's side of the VIPs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HostFault {
    /// The alias unit is gone; when it is over it is started again.
    UnitCrash,
    /// The metadata's lists are older by this.
    MetadataLate { ms: u64 },
    /// The metadata refuse to answer: too many requests.
    MetadataThrottled,
    /// The metadata do not answer.
    MetadataSilent,
    /// The metadata's list is empty.
    MetadataEmpty,
    /// The metadata's list lacks some addresses: the VIPs and the node's own in turn.
    MetadataPartial,
    /// A network daemon takes the address of the VIP off the interface.
    AliasRemoved { service: String },
    /// A network daemon empties the interface; the node's own address comes back when it is over.
    NetworkReload,
    /// Something adds the VIP with the subnet's prefix, as it was at the first boot.
    AliasReturns { service: String },
    /// Somebody adds an address of their own, and takes it away when it is over.
    ForeignAddress { last: u8 },
}

impl HostFault {
    /// The kind in words, as tables show it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnitCrash => "alias unit crash",
            Self::MetadataLate { .. } => "instance metadata late",
            Self::MetadataThrottled => "instance metadata throttled",
            Self::MetadataSilent => "instance metadata silent",
            Self::MetadataEmpty => "instance metadata empty",
            Self::MetadataPartial => "instance metadata partial",
            Self::AliasRemoved { .. } => "alias removed by a daemon",
            Self::NetworkReload => "interface emptied by a daemon",
            Self::AliasReturns { .. } => "alias put back by a daemon",
            Self::ForeignAddress { .. } => "foreign address comes and goes",
        }
    }

    /// The service that it names.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::AliasRemoved { service } | Self::AliasReturns { service } => Some(service),
            _ => None,
        }
    }

    /// Whether the metadata say nothing to be relied on while it lasts.
    pub fn silences_metadata(&self) -> bool {
        matches!(
            self,
            Self::MetadataThrottled
                | Self::MetadataSilent
                | Self::MetadataEmpty
                | Self::MetadataPartial
        )
    }
}

impl Fault {
    fn on_host(&self, host: &str) -> Option<&HostFault> {
        match &self.what {
            What::OnHost { host: of, fault } if of == host => Some(fault),
            _ => None,
        }
    }
}

impl Truth {
    /// What is wrong on the host's side at that moment.
    pub fn ails(&self, host: &str, moment: Duration) -> impl Iterator<Item = &HostFault> {
        self.lasting(moment).filter_map(move |fault| fault.on_host(host))
    }

    /// Whether the alias unit's process is there.
    pub fn unit_runs(&self, host: &str, moment: Duration) -> bool {
        self.runs(host, moment)
            && !self.ails(host, moment).any(|fault| *fault == HostFault::UnitCrash)
    }

    /// By how much more than usual the metadata's lists lag behind.
    pub fn metadata_lag(&self, host: &str, moment: Duration) -> Duration {
        let lags = self.ails(host, moment).filter_map(|fault| match fault {
            HostFault::MetadataLate { ms } => Some(Duration::from_millis(*ms)),
            _ => None,
        });
        lags.max().unwrap_or_default()
    }

    /// Since when the metadata of the host can be relied on, lag and all; `None` while they cannot.
    pub fn metadata_well_since(&self, host: &str, moment: Duration) -> Option<Duration> {
        if self.ails(host, moment).any(HostFault::silences_metadata) {
            return None;
        }
        let over = self.all().filter(|fault| fault.ends() <= moment).filter(|fault| {
            fault.on_host(host).is_some_and(|fault| {
                fault.silences_metadata() || matches!(fault, HostFault::MetadataLate { .. })
            })
        });
        Some(over.map(Fault::ends).max().unwrap_or_default())
    }
}

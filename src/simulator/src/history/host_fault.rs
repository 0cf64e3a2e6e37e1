//! What goes wrong on a host itself, around the alias unit: with the instance metadata, with the
//! interface's addresses, with the unit. It changes nothing for the agents and the function.

use serde::{Deserialize, Serialize};
use vipward_core::ServiceName;

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
    AliasRemoved { service: ServiceName },
    /// A network daemon empties the interface; the node's own address comes back when it is over.
    NetworkReload,
    /// Something adds the VIP with the subnet's prefix, as it was at the first boot.
    AliasReturns { service: ServiceName },
    /// Somebody adds an address of their own, and takes it away when it is over.
    ForeignAddress { last: u8 },
}

impl HostFault {
    /// The kind in words, as tables show it.
    pub fn name(&self) -> &'static str {
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
    pub fn service(&self) -> Option<&ServiceName> {
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

//! What is wrong on the hosts' side.

use std::time::Duration;

use vipward_core::NodeName;

use crate::history::fault::{Fault, FaultKind};
use crate::history::host_fault::HostFault;
use crate::history::truth::Truth;

impl Fault {
    fn on_host(&self, host: &NodeName) -> Option<&HostFault> {
        match &self.what {
            FaultKind::OnHost { host: of, fault } if of == host => Some(fault),
            _ => None,
        }
    }
}

impl Truth {
    /// What is wrong on the host's side at that moment.
    pub fn ails(&self, host: &NodeName, moment: Duration) -> impl Iterator<Item = &HostFault> {
        self.lasting(moment).filter_map(move |fault| fault.on_host(host))
    }

    /// Whether the alias unit's process is there.
    pub fn unit_runs(&self, host: &NodeName, moment: Duration) -> bool {
        self.runs(host, moment)
            && !self.ails(host, moment).any(|fault| *fault == HostFault::UnitCrash)
    }

    /// By how much more than usual the metadata's lists lag behind.
    pub fn metadata_lag(&self, host: &NodeName, moment: Duration) -> Duration {
        let lags = self.ails(host, moment).filter_map(|fault| match fault {
            HostFault::MetadataLate { ms } => Some(Duration::from_millis(*ms)),
            _ => None,
        });
        lags.max().unwrap_or_default()
    }

    /// Since when the metadata of the host can be relied on, lag and all; `None` while they cannot.
    pub fn metadata_well_since(&self, host: &NodeName, moment: Duration) -> Option<Duration> {
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

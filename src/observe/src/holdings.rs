//! Which of the cluster's VIPs are on this node's interface, as the instance's metadata say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use vipward_core::{Config, ServiceName};

use crate::ports::MetadataError;

/// The last look at the interface.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    vips: BTreeMap<ServiceName, Ipv4Addr>,
    /// When the last look began, and the addresses; `None` while they are not known.
    seen: Option<(Timestamp, BTreeSet<Ipv4Addr>)>,
    failing: bool,
}

impl Holdings {
    /// Of these services; nothing is known yet.
    pub fn of(config: &Config) -> Self {
        let mut holdings = Self::default();
        holdings.on_config(config);
        holdings
    }

    /// The file has changed.
    pub fn on_config(&mut self, config: &Config) {
        self.vips = config.services.iter().map(|s| (s.name.clone(), s.vip.0)).collect();
    }

    /// What a look that began at `at` found; the fault to log, the first time that it is met.
    pub fn on_addresses(
        &mut self,
        at: Timestamp,
        found: Result<BTreeSet<Ipv4Addr>, MetadataError>,
    ) -> Option<MetadataError> {
        let (seen, fault) = match found {
            Ok(addresses) => (Some((at, addresses)), None),
            Err(error) => (None, Some(error)),
        };
        let met = std::mem::replace(&mut self.failing, fault.is_some());
        self.seen = seen;
        fault.filter(|_| !met)
    }

    /// The services with their VIPs.
    pub fn vips(&self) -> impl Iterator<Item = (&ServiceName, Ipv4Addr)> {
        self.vips.iter().map(|(service, vip)| (service, *vip))
    }

    /// The service's VIP.
    pub fn vip(&self, service: &ServiceName) -> Option<Ipv4Addr> {
        self.vips.get(service).copied()
    }

    /// Whether the VIP is here; `None` when that is not known.
    pub fn here(&self, service: &ServiceName) -> Option<bool> {
        let (_, addresses) = self.seen.as_ref()?;
        Some(addresses.contains(self.vips.get(service)?))
    }

    /// When it was last looked.
    pub fn looked(&self) -> Option<Timestamp> {
        self.seen.as_ref().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::config;

    #[test]
    fn a_vip_is_here_or_not_or_nobody_knows() {
        let service = "web".parse().expect("a name");
        let mut holdings = Holdings::of(&config(80));
        assert_eq!(holdings.here(&service), None);
        let vip: Ipv4Addr = "127.77.0.200".parse().expect("an address");
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(holdings.on_addresses(at, Ok(BTreeSet::from([vip]))), None);
        assert_eq!((holdings.here(&service), holdings.looked()), (Some(true), Some(at)));
        assert_eq!(holdings.on_addresses(at, Ok(BTreeSet::new())), None);
        assert_eq!(holdings.here(&service), Some(false));
        let late = || Err(MetadataError("late".to_owned()));
        assert!(holdings.on_addresses(at, late()).is_some());
        assert_eq!(holdings.here(&service), None, "what was seen before proves nothing now");
        assert!(holdings.on_addresses(at, late()).is_none(), "told once");
    }
}

//! Which of the cluster's VIPs are on this node's interface, as the instance's metadata say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use vipward_core::{Config, EniId, ServiceName};

use crate::metadata::{Metadata, MetadataError};

const MACS: &str = "network/interfaces/macs/";

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
        holdings.adopt(config);
        holdings
    }

    /// The file has changed.
    pub fn adopt(&mut self, config: &Config) {
        self.vips = config.services.iter().map(|s| (s.name.clone(), s.vip.0)).collect();
    }

    /// What a look that began at `at` found; the fault to log, the first time that it is met.
    pub fn see(
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

/// The hardware address of the interface, once it has been found.
#[derive(Debug, Default)]
pub struct OwnInterface(Option<String>);

impl OwnInterface {
    /// The addresses of the interface `eni` of this instance.
    ///
    /// # Errors
    /// When they cannot be read in full, or the instance has no such interface.
    pub async fn addresses(
        &mut self,
        eni: &EniId,
        metadata: &impl Metadata,
    ) -> Result<BTreeSet<Ipv4Addr>, MetadataError> {
        let mac = match self.0.take() {
            Some(mac) => mac,
            None => find(eni, metadata).await?,
        };
        let text = metadata.get(&format!("{MACS}{mac}/local-ipv4s")).await?;
        let listed = text.as_deref().unwrap_or_default().lines().map(str::trim);
        let addresses: Result<BTreeSet<Ipv4Addr>, _> = listed.map(str::parse).collect();
        match addresses {
            // The primary address is always there: an empty list is no answer.
            Ok(addresses) if !addresses.is_empty() => {
                self.0 = Some(mac);
                Ok(addresses)
            }
            _ => Err(MetadataError(format!("the addresses of {eni} are not told: {text:?}"))),
        }
    }
}

async fn find(eni: &EniId, metadata: &impl Metadata) -> Result<String, MetadataError> {
    let macs = metadata.get(MACS).await?.unwrap_or_default();
    for mac in macs.lines().map(|line| line.trim().trim_end_matches('/')) {
        let id = metadata.get(&format!("{MACS}{mac}/interface-id")).await?;
        if id.is_some_and(|id| id.trim() == eni.as_str()) {
            return Ok(mac.to_owned());
        }
    }
    Err(MetadataError(format!("this instance has no interface {eni}")))
}

#[cfg(test)]
pub(crate) mod tests;

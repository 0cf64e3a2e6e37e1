//! Ports that read what they wrote: EC2's answers may lack for a while a tag that it has just
//! taken, and an order is to be seen by the very pass that follows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::evidence::Inventory;
use vipward_core::name::ServiceName;
use vipward_core::plan::Reassign;
use vipward_core::telemetry::AlarmName;
use vipward_core::{Config, EniId, VipAddr};

use crate::notice::Notice;
use crate::ports::{PortError, Ports, Published};

/// Tags by their keys, of each interface.
type Tags = BTreeMap<EniId, BTreeMap<String, String>>;

/// For one invocation: by the next somebody else may have written.
pub struct OwnTags<'p, P> {
    ports: &'p P,
    written: Mutex<Tags>,
}

impl<'p, P: Ports> OwnTags<'p, P> {
    /// The ports, through which nothing was written yet.
    pub fn new(ports: &'p P) -> Self {
        Self { ports, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, Tags> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Ports> Ports for OwnTags<'_, P> {
    fn now(&self) -> Timestamp {
        self.ports.now()
    }

    async fn pause(&self, duration: Duration) {
        self.ports.pause(duration).await;
    }

    async fn inventory(&self, config: &Config) -> Result<Inventory, PortError> {
        let mut inventory = self.ports.inventory(config).await?;
        for (id, tags) in self.written().iter() {
            if let Some(eni) = inventory.enis.get_mut(id) {
                eni.tags.extend(tags.clone());
            }
        }
        Ok(inventory)
    }

    async fn stopped_instances(&self, config: &Config) -> Result<BTreeSet<String>, PortError> {
        self.ports.stopped_instances(config).await
    }

    async fn quiet_alarms(&self, config: &Config) -> Result<BTreeSet<AlarmName>, PortError> {
        self.ports.quiet_alarms(config).await
    }

    async fn metrics(
        &self,
        config: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> Result<Published, PortError> {
        self.ports.metrics(config, services, since).await
    }

    async fn assign(
        &self,
        eni: &EniId,
        vips: &[VipAddr],
        reassign: Reassign,
    ) -> Result<(), PortError> {
        self.ports.assign(eni, vips, reassign).await
    }

    async fn tag(&self, eni: &EniId, tags: &BTreeMap<String, String>) -> Result<(), PortError> {
        self.ports.tag(eni, tags).await?;
        self.written().entry(eni.clone()).or_default().extend(tags.clone());
        Ok(())
    }

    async fn announce(&self, notice: &Notice) -> Result<(), PortError> {
        self.ports.announce(notice).await
    }
}

//! AWS behind the ports. SDK types stop here.

mod clients;
mod cloudwatch;
mod ec2;
mod events;
mod failure;
#[cfg(test)]
mod fixture;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::evidence::Inventory;
use vipward_core::name::ServiceName;
use vipward_core::plan::Reassign;
use vipward_core::telemetry::AlarmName;
use vipward_core::{Config, EniId, VipAddr};

use vipward_reconcile::notice::Notice;
use vipward_reconcile::ports::{PortError, Ports, Published};

/// The three clients that the function needs.
#[derive(Debug, Clone)]
pub struct Aws {
    ec2: aws_sdk_ec2::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    events: aws_sdk_eventbridge::Client,
}

impl Ports for Aws {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one adapter")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn inventory(&self, config: &Config) -> Result<Inventory, PortError> {
        // Boxed, as the SDK's futures nest deeper than the compiler follows.
        Box::pin(ec2::inventory(&self.ec2, config)).await
    }

    async fn stopped_instances(&self, config: &Config) -> Result<BTreeSet<String>, PortError> {
        Box::pin(ec2::stopped_instances(&self.ec2, config)).await
    }

    async fn quiet_alarms(&self, config: &Config) -> Result<BTreeSet<AlarmName>, PortError> {
        Box::pin(cloudwatch::quiet_alarms(&self.cloudwatch, config)).await
    }

    async fn metrics(
        &self,
        config: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> Result<Published, PortError> {
        Box::pin(cloudwatch::metrics(&self.cloudwatch, config, services, since, self.now())).await
    }

    async fn assign(
        &self,
        eni: &EniId,
        vips: &[VipAddr],
        reassign: Reassign,
    ) -> Result<(), PortError> {
        Box::pin(ec2::assign(&self.ec2, eni, vips, reassign)).await
    }

    async fn tag(&self, eni: &EniId, tags: &BTreeMap<String, String>) -> Result<(), PortError> {
        Box::pin(ec2::tag(&self.ec2, eni, tags)).await
    }

    async fn announce(&self, notice: &Notice) -> Result<(), PortError> {
        Box::pin(events::put(&self.events, notice)).await
    }
}

//! One value for CloudWatch.

use std::time::Duration;

use vipward_core::telemetry::{
    ARRIVED, IS_PRIMARY, PEER_HEALTH, REPLICA_LAG, SELF_HEALTH, SelfHealth,
};
use vipward_core::{NodeName, ServiceName};

/// One value for CloudWatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric it belongs to.
    pub metric: &'static str,
    /// The service it is about; `None` for the host.
    pub service: Option<ServiceName>,
    /// The node it is about; `None` for the agent's own.
    pub subject: Option<NodeName>,
    /// In the metric's unit.
    pub value: f64,
}

impl Datum {
    /// The health of an own service.
    pub fn self_health(service: ServiceName, health: SelfHealth) -> Self {
        let service = Some(service);
        Self { metric: SELF_HEALTH, service, subject: None, value: health.value() }
    }

    /// Whether another node's service is reached: 1, or 0.
    pub fn peer_health(service: ServiceName, subject: NodeName, healthy: bool) -> Self {
        let value = f64::from(u8::from(healthy));
        Self { metric: PEER_HEALTH, service: Some(service), subject: Some(subject), value }
    }

    /// Whether an own service is a primary.
    pub fn primary(service: ServiceName, is: bool) -> Self {
        let (service, value) = (Some(service), f64::from(u8::from(is)));
        Self { metric: IS_PRIMARY, service, subject: None, value }
    }

    /// Whether there is that trouble with a service, or anywhere on the host.
    pub fn trouble(metric: &'static str, service: Option<ServiceName>, is: bool) -> Self {
        Self { metric, service, subject: None, value: f64::from(u8::from(is)) }
    }

    /// That the VIP has come to this node.
    pub fn arrived(service: ServiceName) -> Self {
        Self { metric: ARRIVED, service: Some(service), subject: None, value: 1.0 }
    }

    /// By how many seconds an own service is behind its primary.
    pub fn lag(service: ServiceName, lag: Duration) -> Self {
        let (service, value) = (Some(service), lag.as_secs_f64());
        Self { metric: REPLICA_LAG, service, subject: None, value }
    }
}

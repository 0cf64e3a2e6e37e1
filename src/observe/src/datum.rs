//! One value for CloudWatch.

use std::time::Duration;

use vipward_core::telemetry::{
    HOOK_FAILING, IS_PRIMARY, LEAVING_HEALTH, PEER_HEALTH, REPLICA_LAG, SELF_HEALTH,
};
use vipward_core::{NodeName, ServiceName};

/// One value for CloudWatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric it belongs to.
    pub metric: &'static str,
    /// The service it is about.
    pub service: ServiceName,
    /// The node it is about; `None` for the agent's own.
    pub subject: Option<NodeName>,
    /// In the metric's unit.
    pub value: f64,
}

impl Datum {
    /// Healthy is 1, unhealthy 0.
    pub fn health(service: ServiceName, subject: Option<NodeName>, healthy: bool) -> Self {
        let metric = if subject.is_none() { SELF_HEALTH } else { PEER_HEALTH };
        Self { metric, service, subject, value: f64::from(u8::from(healthy)) }
    }

    /// An own service is healthy and will soon be gone.
    pub fn leaving(service: ServiceName) -> Self {
        Self { metric: SELF_HEALTH, service, subject: None, value: LEAVING_HEALTH }
    }

    /// Whether an own service is a primary.
    pub fn primary(service: ServiceName, is: bool) -> Self {
        Self { metric: IS_PRIMARY, service, subject: None, value: f64::from(u8::from(is)) }
    }

    /// Whether the last run of a hook of that service failed.
    pub fn hook_failing(service: ServiceName, failing: bool) -> Self {
        Self { metric: HOOK_FAILING, service, subject: None, value: f64::from(u8::from(failing)) }
    }

    /// By how many seconds an own service is behind its primary.
    pub fn lag(service: ServiceName, lag: Duration) -> Self {
        Self { metric: REPLICA_LAG, service, subject: None, value: lag.as_secs_f64() }
    }
}

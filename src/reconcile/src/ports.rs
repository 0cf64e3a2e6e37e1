//! What the function needs of the world, in the domain's words. No SDK type passes here.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::evidence::{Inventory, Observation, ObservationKey};
use vipward_core::name::ServiceName;
use vipward_core::observed::Observed;
use vipward_core::plan::Reassign;
use vipward_core::telemetry::AlarmName;
use vipward_core::{Config, EniId, NodeName, VipAddr};

use crate::notice::Notice;

/// Why a call to AWS did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// It had no effect and may succeed when tried again: throttling.
    #[error("{call} failed for now: {cause}")]
    Transient {
        /// The call, as AWS names it.
        call: &'static str,
        /// Code and message.
        cause: String,
    },
    /// No answer came, or an error of AWS's own: the call may take effect yet.
    #[error("{call} has no certain answer: {cause}")]
    Uncertain {
        /// The call, as AWS names it.
        call: &'static str,
        /// Code and message, or why no answer came.
        cause: String,
    },
    /// An interface has one of the addresses, and the call was not to take it from any.
    #[error("{call} found an address taken: {cause}")]
    Taken {
        /// The call, as AWS names it.
        call: &'static str,
        /// Code and message.
        cause: String,
    },
    /// It will not succeed by trying again: denied, invalid, no room on the interface.
    #[error("{call} was refused: {cause}")]
    Refused {
        /// The call, as AWS names it.
        call: &'static str,
        /// Code and message.
        cause: String,
    },
}

/// Codes that say "later, nothing was done", whatever their HTTP status.
const LATER: [&str; 8] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ServiceUnavailable",
    "Unavailable",
];

/// How EC2 says that an address has a holder and `AllowReassignment` was not given. The code,
/// `InvalidParameterValue`, is that of many other faults.
const TAKEN: &str = "assigned, but move is not allowed";

impl PortError {
    /// AWS answered `call` with an error of that code and HTTP status.
    pub fn answered(call: &'static str, status: u16, code: &str, cause: String) -> Self {
        if LATER.contains(&code) {
            Self::Transient { call, cause }
        } else if status >= 500 || matches!(code, "InternalError" | "InternalFailure") {
            Self::Uncertain { call, cause }
        } else if cause.contains(TAKEN) {
            Self::Taken { call, cause }
        } else {
            Self::Refused { call, cause }
        }
    }

    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::Uncertain { .. })
    }
}

/// What the agents published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The newest observation under each key.
    pub observations: Vec<(ObservationKey, Observed<Observation>)>,
    /// What only its metrics say against a node's service.
    pub contested: Vec<(NodeName, ServiceName, Observed<Observation>)>,
    /// How far nodes are behind, where that matters.
    pub lags: Vec<(NodeName, ServiceName, Observed<Duration>)>,
    /// Who is a primary, where the VIP follows one.
    pub primaries: Vec<(NodeName, ServiceName, Observed<bool>)>,
    /// The services about which CloudWatch did not give all: nothing is told of them, since what is
    /// missing would pass for silence.
    pub incomplete: BTreeSet<ServiceName>,
}

impl Published {
    /// Adds what another call answered.
    pub fn extend(&mut self, more: Self) {
        self.observations.extend(more.observations);
        self.contested.extend(more.contested);
        self.lags.extend(more.lags);
        self.primaries.extend(more.primaries);
    }

    /// Tells nothing of that service.
    pub fn leave_out(&mut self, service: &ServiceName) {
        self.observations.retain(|(key, _)| key.service != *service);
        self.contested.retain(|(_, of, _)| of != service);
        self.lags.retain(|(_, of, _)| of != service);
        self.primaries.retain(|(_, of, _)| of != service);
        self.incomplete.insert(service.clone());
    }
}

/// The world as the function meets it: AWS's, a test's or a simulator's.
pub trait Ports: Sync {
    /// The time now, by the function's clock.
    fn now(&self) -> Timestamp;

    /// Lets that much time pass.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// The cluster's interfaces and whoever has its VIPs. It leaves open which instances run.
    fn inventory(
        &self,
        config: &Config,
    ) -> impl Future<Output = Result<Inventory, PortError>> + Send;

    /// The instances of the cluster that are stopping, stopped, shutting down or terminated.
    fn stopped_instances(
        &self,
        config: &Config,
    ) -> impl Future<Output = Result<BTreeSet<String>, PortError>> + Send;

    /// The cluster's alarms in `OK`.
    fn quiet_alarms(
        &self,
        config: &Config,
    ) -> impl Future<Output = Result<BTreeSet<AlarmName>, PortError>> + Send;

    /// The newest that the metrics hold of `services`, looking back to `since`.
    fn metrics(
        &self,
        config: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> impl Future<Output = Result<Published, PortError>> + Send;

    /// Brings the VIPs to the interface: all of them or none. Where that is forbidden, none is
    /// taken from an interface that has it.
    fn assign(
        &self,
        eni: &EniId,
        vips: &[VipAddr],
        reassign: Reassign,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Sets tags on the interface.
    fn tag(
        &self,
        eni: &EniId,
        tags: &BTreeMap<String, String>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Tells people's own rules.
    fn announce(&self, notice: &Notice) -> impl Future<Output = Result<(), PortError>> + Send;
}

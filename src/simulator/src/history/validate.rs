//! What a fault names, and whether that is there.

use vipward_core::{Config, NodeName, ServiceName};

use crate::history::fault::FaultKind;

/// What a fault names, in the order in which it does.
#[derive(Debug, Default)]
pub struct Names<'f> {
    /// Nodes or witnesses.
    pub hosts: Vec<&'f NodeName>,
    /// Nodes alone.
    pub nodes: Vec<&'f NodeName>,
    pub services: Vec<&'f ServiceName>,
}

impl FaultKind {
    /// A host, node or service that the cluster does not have.
    pub fn unknown_name(&self, config: &Config) -> Option<&str> {
        let Names { hosts, nodes, services } = self.names();
        let host = hosts.into_iter().find(|host| !config.members().any(|member| member == *host));
        let node = nodes.into_iter().find(|node| config.node(node).is_none());
        let service = services.into_iter().find(|service| config.service(service).is_none());
        host.or(node).map(NodeName::as_str).or(service.map(ServiceName::as_str))
    }

    /// Whether it names that host, and agents or function could notice.
    pub fn names_host(&self, host: &NodeName) -> bool {
        let Names { hosts, nodes, .. } = self.names();
        !self.is_on_host() && hosts.into_iter().chain(nodes).any(|name| name == host)
    }

    /// All names in it.
    pub fn names(&self) -> Names<'_> {
        let none = Names::default;
        match self {
            Self::HostCrash { host }
            | Self::HostStall { host }
            | Self::Clock { host, .. }
            | Self::AgentCrash { host }
            | Self::OtherFile { host }
            | Self::Loss { host, .. }
            | Self::NoAws { host } => Names { hosts: vec![host], ..none() },
            Self::ProbeError { host, service } => {
                Names { hosts: vec![host], services: vec![service], ..none() }
            }
            Self::ForeignMetric { node, service, .. }
            | Self::ServiceCrash { node, service }
            | Self::ServiceHang { node, service }
            | Self::ServiceFlap { node, service, .. }
            | Self::ServiceSlow { node, service, .. }
            | Self::TwoPrimaries { node, service }
            | Self::ServiceLag { node, service, .. } => {
                Names { nodes: vec![node], services: vec![service], ..none() }
            }
            Self::Cut { from, to } => Names { hosts: vec![from, to], ..none() },
            Self::Partition { side } => Names { hosts: side.iter().collect(), ..none() },
            Self::InstanceStopped { node }
            | Self::Drain { node }
            | Self::Resume { node }
            | Self::Announced { node, .. } => Names { nodes: vec![node], ..none() },
            Self::Leave { node, service } => {
                Names { nodes: vec![node], services: service.iter().collect(), ..none() }
            }
            Self::VipTaken { service }
            | Self::VipReleased { service }
            | Self::Unfreeze { service } => Names { services: vec![service], ..none() },
            Self::OnHost { host, fault } => Names {
                nodes: vec![host],
                services: fault.service().into_iter().collect(),
                ..none()
            },
            Self::Switchover { service, to } | Self::PrimaryMoves { service, to } => {
                Names { nodes: vec![to], services: vec![service], ..none() }
            }
            Self::Aws { .. }
            | Self::MetricsLate { .. }
            | Self::MetricsLost
            | Self::RuleDisabled { .. }
            | Self::FunctionKilled
            | Self::FunctionThrottled
            | Self::FunctionSlow { .. } => none(),
        }
    }
}

//! Whether what a fault names is there.

use vipward_core::Config;

use crate::history::fault::What;

impl What {
    /// A host, node or service that the cluster does not have.
    pub fn unknown_name<'w>(&'w self, config: &Config) -> Option<&'w str> {
        let is_host = |name: &str| config.members().any(|member| member.as_str() == name);
        let is_node = |name: &str| config.nodes.iter().any(|node| node.name.as_str() == name);
        let is_service = |name: &str| config.services.iter().any(|s| s.name.as_str() == name);
        let (hosts, nodes, services) = self.names();
        let host = hosts.into_iter().find(|name| !is_host(name));
        let node = nodes.into_iter().find(|name| !is_node(name));
        let service = services.into_iter().find(|name| !is_service(name));
        host.or(node).or(service)
    }

    /// Hosts, nodes and services.
    pub fn names(&self) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
        match self {
            Self::HostCrash { host }
            | Self::HostStall { host }
            | Self::Clock { host, .. }
            | Self::AgentCrash { host }
            | Self::OtherFile { host }
            | Self::Loss { host, .. }
            | Self::NoAws { host } => (vec![host], vec![], vec![]),
            Self::ProbeError { host, service } => (vec![host], vec![], vec![service]),
            Self::ServiceCrash { node, service }
            | Self::ServiceHang { node, service }
            | Self::ServiceFlap { node, service, .. }
            | Self::ServiceSlow { node, service, .. }
            | Self::TwoPrimaries { node, service }
            | Self::ServiceLag { node, service, .. } => (vec![], vec![node], vec![service]),
            Self::Cut { from, to } => (vec![from, to], vec![], vec![]),
            Self::Partition { side } => (side.iter().map(String::as_str).collect(), vec![], vec![]),
            Self::InstanceStopped { node }
            | Self::Drain { node }
            | Self::Resume { node }
            | Self::Announced { node, .. } => (vec![], vec![node], vec![]),
            Self::Leave { node, service } => {
                (vec![], vec![node], service.iter().map(String::as_str).collect())
            }
            Self::VipTaken { service }
            | Self::VipReleased { service }
            | Self::Unfreeze { service } => (vec![], vec![], vec![service]),
            Self::OnHost { host, fault } => {
                (vec![], vec![host], fault.service().into_iter().collect())
            }
            Self::Switchover { service, to } | Self::PrimaryMoves { service, to } => {
                (vec![], vec![to], vec![service])
            }
            Self::Aws { .. }
            | Self::MetricsLate { .. }
            | Self::MetricsLost
            | Self::FunctionKilled
            | Self::FunctionThrottled
            | Self::FunctionSlow { .. } => (vec![], vec![], vec![]),
        }
    }
}

impl What {
    /// Whether it names that host, and agents or function could notice.
    pub fn names_host(&self, host: &str) -> bool {
        if self.is_on_host() {
            return false;
        }
        let (hosts, nodes, _) = self.names();
        hosts.iter().chain(&nodes).any(|name| *name == host)
    }
}

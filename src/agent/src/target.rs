//! What is probed: each service on each node.

use std::net::SocketAddr;

use vipward_core::config::Check;
use vipward_core::{Config, NodeName, ServiceName};

/// What tells targets apart: the node that is probed, and the service.
pub type TargetKey = (NodeName, ServiceName);

/// One service on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The node that is probed.
    pub subject: NodeName,
    /// The service that is probed there.
    pub service: ServiceName,
    /// The node's own address (never the VIP) and the check's port; 0 where it has none.
    pub address: SocketAddr,
    /// How.
    pub check: Check,
}

impl Target {
    /// What tells it from the others.
    pub fn key(&self) -> TargetKey {
        (self.subject.clone(), self.service.clone())
    }
}

/// Every service on every node of the file. For a node that includes itself, for a witness all
/// are others.
pub fn targets(config: &Config) -> Vec<Target> {
    let of_node = |node: &vipward_core::config::Node| {
        let (subject, address) = (node.name.clone(), node.address);
        config.services.iter().map(move |service| Target {
            subject: subject.clone(),
            service: service.name.clone(),
            address: (address, service.check.port.unwrap_or(0)).into(),
            check: service.check.clone(),
        })
    };
    config.nodes.iter().flat_map(of_node).collect()
}

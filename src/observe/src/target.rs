//! What is probed: each service on each node.

use std::net::SocketAddr;
use std::time::Duration;

use vipward_core::config::{Check, CheckKind, Role};
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
    /// From one knock at its host to the next; `None` where that is this host.
    pub knock_interval: Option<Duration>,
    /// Whether its VIP follows the primary.
    pub follows_primary: bool,
}

impl Target {
    /// What tells it from the others.
    pub fn key(&self) -> TargetKey {
        (self.subject.clone(), self.service.clone())
    }
}

/// Every service on every node of the file, as `me` sees it. For a node that includes itself, for a
/// witness all are others.
pub fn targets(config: &Config, me: &NodeName) -> Vec<Target> {
    let of_node = |node: &vipward_core::config::Node| {
        let (subject, address, own) = (node.name.clone(), node.address, node.name == *me);
        config.services.iter().map(move |service| Target {
            subject: subject.clone(),
            service: service.name.clone(),
            address: (address, service.check.port.unwrap_or(0)).into(),
            check: if own { seen_at_home(&service.check) } else { seen_by_others(&service.check) },
            knock_interval: (!own).then(|| config.policy.knock_interval()),
            follows_primary: service.role == Role::Primary,
        })
    };
    config.nodes.iter().flat_map(of_node).collect()
}

/// On its own host no death is to be told from slowness.
fn seen_at_home(check: &Check) -> Check {
    Check { connect_timeout: check.timeout, ..check.clone() }
}

/// Another host's units cannot be asked for, but its ports can. What is said of it is whether it is
/// reached: one pass takes it back, whatever the service needs to count as well.
fn seen_by_others(check: &Check) -> Check {
    let kind = match &check.kind {
        CheckKind::Systemd { .. } => CheckKind::Tcp,
        kind => kind.clone(),
    };
    Check { kind, rise: 1, ..check.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_given_less_time_to_connect_and_asked_for_ports_only() {
        let mut config = crate::fixture::config(80);
        config.services[0].check.kind = CheckKind::Systemd { unit: "nginx.service".to_owned() };
        let [own, other] = &targets(&config, &"a".parse().expect("a name"))[..] else {
            panic!("two nodes")
        };
        assert_eq!((own.check.kind.name(), own.knock_interval), ("systemd", None));
        assert_eq!(own.check.connect_timeout, Duration::from_millis(800));
        assert_eq!(other.check.kind, CheckKind::Tcp);
        assert_eq!((own.check.rise, other.check.rise), (3, 1));
        assert_eq!(other.knock_interval, Some(Duration::from_millis(300)));
        assert_eq!(other.check.connect_timeout, Duration::from_millis(200));
        let of_witness = targets(&config, &"w".parse().expect("a name"));
        assert!(of_witness.iter().all(|target| target.knock_interval.is_some()));
    }
}

//! From what a run asks for to names, addresses and ports: the cluster on paper.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use vipward_core::config::Role;
use vipward_core::telemetry::{AlarmKind, AlarmName};
use vipward_core::{ClusterName, EniId, GroupName, NodeName, ServiceName};

use crate::fabric_kind::FabricKind;
use crate::service::ServiceKind;

/// Most nodes and most witnesses: the numbers below leave room for as many.
pub const MOST: u8 = 9;
/// Most services: the largest instance of the lab takes as many VIPs.
pub const MOST_SERVICES: u8 = 14;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    pub nodes: u8,
    pub witnesses: u8,
    /// The services, each with a VIP.
    pub services: Vec<ServiceName>,
    pub kind: ServiceKind,
    pub hints: bool,
    /// Which nodes may hold VIPs: with [`Role::Primary`] the first node's service is it at
    /// first, and the others replicate it.
    pub follow: Role,
    /// The group that the services are, if they are one.
    pub group: Option<GroupName>,
    /// Whether the nodes have hooks, which do nothing.
    pub hooks: bool,
    /// Whether the first node holds every VIP from the start; otherwise nobody does.
    pub placed: bool,
    /// Further settings of `[policy]`, as in `vipward.toml`.
    pub policy: Vec<(String, String)>,
    /// Settings of the region's `[delays]`.
    pub delays: Vec<(String, String)>,
    /// Settings of the region's `[answers]`.
    pub answers: Vec<(String, String)>,
}

impl Default for ClusterSpec {
    fn default() -> Self {
        Self {
            nodes: 2,
            witnesses: 0,
            services: vec![name("svc")],
            kind: ServiceKind::Builtin,
            hints: true,
            follow: Role::Any,
            group: None,
            hooks: false,
            placed: true,
            policy: Vec::new(),
            delays: Vec::new(),
            answers: Vec::new(),
        }
    }
}

impl ClusterSpec {
    /// The names of its nodes, then its witnesses.
    pub fn members(&self) -> Vec<NodeName> {
        let nodes = (1..=self.nodes).map(|n| format!("node-{n}"));
        let witnesses = (1..=self.witnesses).map(|n| format!("witness-{n}"));
        nodes.chain(witnesses).map(|text| name(&text)).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// Runs the services, an agent and an alias unit.
    Node,
    /// Runs an agent.
    Witness,
    /// Runs the client.
    Client,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    pub name: NodeName,
    pub kind: HostKind,
    /// Its primary address.
    pub address: Ipv4Addr,
    pub eni: EniId,
    pub instance: String,
    /// The hardware address of its interface.
    pub mac: String,
    /// The access key that its calls to AWS carry.
    pub access_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePlan {
    pub name: ServiceName,
    pub vip: Ipv4Addr,
    /// Its port on every node.
    pub port: u16,
}

impl ServicePlan {
    pub fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.vip, self.port)
    }
}

/// The cluster on paper.
#[derive(Debug, Clone)]
pub struct Layout {
    pub spec: ClusterSpec,
    /// The subnet as `address/bits`.
    pub subnet: String,
    /// Nodes, witnesses, the client.
    pub hosts: Vec<HostPlan>,
    pub services: Vec<ServicePlan>,
}

impl Layout {
    pub fn new(spec: ClusterSpec, fabric: FabricKind) -> Self {
        let (base, bits) = fabric.subnet();
        let [a, b, c, _] = base.octets();
        let at = |last: u8| Ipv4Addr::new(a, b, c, last);
        let mut hosts = Vec::new();
        let mut add =
            |name: NodeName, kind: HostKind, last: u8| hosts.push(host(name, kind, at(last)));
        for n in 1..=spec.nodes {
            add(name(&format!("node-{n}")), HostKind::Node, 10 + n);
        }
        for n in 1..=spec.witnesses {
            add(name(&format!("witness-{n}")), HostKind::Witness, 30 + n);
        }
        add(name("client"), HostKind::Client, 50);
        let first_port = match spec.kind {
            ServiceKind::Builtin => 7001,
            ServiceKind::Redis => 6379,
        };
        let services = spec.services.iter().zip(0..).map(|(name, n)| ServicePlan {
            name: name.clone(),
            vip: at(201 + n),
            port: first_port + u16::from(n),
        });
        Self { services: services.collect(), subnet: format!("{base}/{bits}"), hosts, spec }
    }

    pub fn cluster() -> ClusterName {
        name("lab")
    }

    pub fn host(&self, name: &NodeName) -> Option<&HostPlan> {
        self.hosts.iter().find(|host| host.name == *name)
    }

    pub fn service(&self, name: &ServiceName) -> Option<&ServicePlan> {
        self.services.iter().find(|service| service.name == *name)
    }

    pub fn node_of(&self, eni: &str) -> Option<&NodeName> {
        self.hosts.iter().find(|host| host.eni.as_str() == eni).map(|host| &host.name)
    }

    pub fn of(&self, kind: HostKind) -> impl Iterator<Item = &HostPlan> {
        self.hosts.iter().filter(move |host| host.kind == kind)
    }

    /// The node that holds every VIP from the start, when one does.
    pub fn first_holder(&self) -> Option<&HostPlan> {
        self.of(HostKind::Node).next().filter(|_| self.spec.placed)
    }

    /// The alarms on the nodes' own word, which must be OK before anything is broken.
    pub fn alarms(&self) -> Vec<String> {
        let pairs =
            self.of(HostKind::Node).flat_map(|node| self.services.iter().map(move |s| (node, s)));
        pairs
            .map(|(node, service)| AlarmName {
                cluster: Self::cluster(),
                service: Some(service.name.clone()),
                node: node.name.clone(),
                kind: AlarmKind::SelfHealth,
            })
            .map(|alarm| alarm.to_string())
            .collect()
    }

    pub fn vipward_toml(&self) -> String {
        let mut text = format!("cluster = \"{}\"\nsubnet = \"{}\"\n", Self::cluster(), self.subnet);
        self.write_to(&mut text).expect("a String takes everything");
        text
    }

    fn write_to(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "\n[policy]\nhints = {}", self.spec.hints)?;
        for (key, value) in &self.spec.policy {
            match value.as_str() {
                "on" => writeln!(text, "{key} = true")?,
                "off" => writeln!(text, "{key} = false")?,
                value => writeln!(text, "{key} = \"{value}\"")?,
            }
        }
        for (node, rank) in self.of(HostKind::Node).zip(0_u8..) {
            let HostPlan { name, address, eni, .. } = node;
            let priority = 100 - 10 * rank;
            writeln!(
                text,
                "\n[[node]]\nname = \"{name}\"\naddress = \"{address}\"\neni = \"{eni}\"\npriority = {priority}"
            )?;
        }
        for HostPlan { name, address, .. } in self.of(HostKind::Witness) {
            writeln!(text, "\n[[witness]]\nname = \"{name}\"\naddress = \"{address}\"")?;
        }
        let kind = match self.spec.kind {
            ServiceKind::Builtin => "tcp",
            ServiceKind::Redis => "redis",
        };
        for ServicePlan { name, vip, port } in &self.services {
            writeln!(
                text,
                "\n[[service]]\nname = \"{name}\"\nvip = \"{vip}\"\ncheck = {{ kind = \"{kind}\", port = {port} }}"
            )?;
            if self.spec.follow == Role::Primary {
                writeln!(text, "role = \"primary\"")?;
            }
            if let Some(group) = &self.spec.group {
                writeln!(text, "group = \"{group}\"")?;
            }
            for key in ["on_acquire", "on_release", "on_fault"].iter().filter(|_| self.spec.hooks) {
                writeln!(text, "{key} = {{ command = [\"/bin/true\"] }}")?;
            }
        }
        Ok(())
    }
}

fn host(name: NodeName, kind: HostKind, address: Ipv4Addr) -> HostPlan {
    let [.., last] = address.octets();
    let letters = name.as_str().chars().filter(char::is_ascii_alphanumeric);
    HostPlan {
        kind,
        address,
        eni: format!("eni-0a1b2c3d4e5f60{last:03x}").parse().expect("17 hexadecimal digits"),
        instance: format!("i-0a00000000000{last:04x}"),
        mac: format!("02:00:00:00:00:{last:02x}"),
        access_key: format!("AKIALAB{}", letters.collect::<String>().to_ascii_uppercase()),
        name,
    }
}

/// A name that the lab itself makes.
fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the lab's own names are plain")
}

#[cfg(test)]
mod tests {
    use vipward_core::Config;

    use super::*;

    #[test]
    fn what_is_laid_out_is_a_right_configuration_on_either_fabric() {
        let most = ClusterSpec {
            nodes: MOST,
            witnesses: MOST,
            services: (0..MOST_SERVICES).map(|n| name(&format!("service-{n}"))).collect(),
            kind: ServiceKind::Redis,
            follow: Role::Primary,
            group: Some(name("db")),
            hooks: true,
            policy: vec![("stale_after".into(), "20s".into()), ("peer_alarms".into(), "on".into())],
            ..ClusterSpec::default()
        };
        for spec in [ClusterSpec::default(), most] {
            for fabric in [FabricKind::Namespaces, FabricKind::Loopback(1)] {
                let layout = Layout::new(spec.clone(), fabric);
                let config = Config::parse("lab", &layout.vipward_toml()).expect("is right");
                assert_eq!(config.services.len(), layout.services.len());
                assert_eq!(config.nodes.len() + config.witnesses.len() + 1, layout.hosts.len());
            }
        }
    }

    #[test]
    fn every_host_has_its_own_of_everything() {
        let spec = ClusterSpec { nodes: MOST, witnesses: MOST, ..ClusterSpec::default() };
        let layout = Layout::new(spec, FabricKind::Namespaces);
        let distinct = |of: fn(&HostPlan) -> String| {
            layout.hosts.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
        };
        for of in [
            |host: &HostPlan| host.address.to_string(),
            |host: &HostPlan| host.eni.to_string(),
            |host: &HostPlan| host.instance.clone(),
            |host: &HostPlan| host.mac.clone(),
            |host: &HostPlan| host.access_key.clone(),
        ] {
            assert_eq!(distinct(of), layout.hosts.len());
        }
    }
}

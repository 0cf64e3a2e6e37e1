//! What must hold across the tables of the file.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::placed::Placed;
use super::table::{Findings, Wrong};
use super::{Node, Service, Witness};

/// Addresses at the start of a subnet that AWS keeps: network, router, DNS, future use.
const RESERVED_AT_START: u32 = 4;
/// Services of a cluster: each may put a tag on one ENI, which holds 50, and people have their own.
const MOST_SERVICES: usize = 40;

pub(super) struct Checks<'c, 't> {
    pub findings: &'c Findings<'t>,
    pub subnet: Option<Ipv4Net>,
    pub nodes: &'c [Placed<Node>],
    pub witnesses: &'c [Placed<Witness>],
}

/// There is something to keep and somewhere to move it.
pub(super) fn counts(findings: &Findings<'_>, nodes: usize, services: usize) {
    if nodes < 2 {
        let cure = "add a [[node]] for each host of the pair";
        findings.add(1, Wrong::new("the configuration has fewer than two nodes", cure));
    }
    if services == 0 {
        let cure = "add a [[service]] with name, vip and check";
        findings.add(1, Wrong::new("the configuration has no service", cure));
    } else if services > MOST_SERVICES {
        let what = format!("the configuration has {services} services");
        let cure = format!("split the cluster: an ENI has room for the tags of {MOST_SERVICES}");
        findings.add(1, Wrong::new(what, cure));
    }
}

impl Checks<'_, '_> {
    /// Names, addresses and ENIs stand for one host each, and nodes lie in the subnet.
    pub fn members(&self) {
        let nodes = self.nodes.iter().map(|n| (n.line, &n.thing.name, n.thing.address));
        let witnesses = self.witnesses.iter().map(|w| (w.line, &w.thing.name, w.thing.address));
        let members: Vec<_> = nodes.chain(witnesses).collect();
        self.unique(
            "name",
            "host",
            members.iter().map(|(line, name, _)| (*line, name.to_string())),
        );
        let addresses = members.iter().map(|(line, _, address)| (*line, address.to_string()));
        self.unique("address", "host", addresses);
        let enis = self.nodes.iter().map(|n| (n.line, n.thing.eni.to_string()));
        self.unique("ENI", "node", enis);
        for node in self.nodes {
            let what = format!("address {} of node {}", node.thing.address, node.thing.name);
            self.in_subnet(node.line, node.thing.address, &what);
        }
    }

    /// Services have names and VIPs of their own, and the VIPs can move between the nodes.
    pub fn services(&self, services: &[Placed<Service>]) {
        self.unique("name", "service", services.iter().map(|s| (s.line, s.thing.name.to_string())));
        self.unique("VIP", "service", services.iter().map(|s| (s.line, s.thing.vip.to_string())));
        for service in services {
            let vip = service.thing.vip;
            let what = format!("VIP {vip} of service {}", service.thing.name);
            self.in_subnet(service.line, vip.0, &what);
            if let Some(node) = self.nodes.iter().find(|node| node.thing.address == vip.0) {
                let what = format!("{what} is the address of node {} itself", node.thing.name);
                let cure = "choose an address that no host has: a primary address cannot move";
                self.findings.add(service.line, Wrong::new(what, cure));
            }
        }
    }

    fn unique(&self, what: &str, of: &str, entries: impl Iterator<Item = (usize, String)>) {
        let mut first_lines = BTreeMap::new();
        for (line, value) in entries {
            if let Some(first) = first_lines.get(&value) {
                let cure = format!("give each {of} its own {what}");
                let what = format!("{what} {value} is already used by the {of} on line {first}");
                self.findings.add(line, Wrong::new(what, cure));
            } else {
                first_lines.insert(value, line);
            }
        }
    }

    fn in_subnet(&self, line: usize, address: Ipv4Addr, what: &str) {
        let Some(subnet) = self.subnet else { return };
        let first = Ipv4Addr::from(u32::from(subnet.network()) + RESERVED_AT_START);
        let last = Ipv4Addr::from(u32::from(subnet.broadcast()).saturating_sub(1));
        let cure = || format!("choose an address from {first} to {last}");
        if !subnet.contains(&address) {
            let wrong = Wrong::new(format!("{what} is outside the subnet {subnet}"), cure());
            self.findings.add(line, wrong);
        } else if !(first..=last).contains(&address) {
            let wrong = Wrong::new(format!("{what} is reserved by AWS in {subnet}"), cure());
            self.findings.add(line, wrong);
        }
    }
}

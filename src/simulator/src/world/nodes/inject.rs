//! What faults do to the nodes' side of the VIPs when they begin, and what is mended when they end.

use std::net::Ipv4Addr;
use std::time::Duration;

use vipward_core::{NodeName, ServiceName};

use crate::history::host_fault::HostFault;
use crate::world::World;
use crate::world::agenda::NodeTask;

/// From a unit's end to its next start, by its systemd unit, in milliseconds.
const RESTART_MS: (u64, u64) = (2_000, 2_500);
/// By then the report of a unit that ended is stale, by the agent's `alias_report`.
pub(super) const REPORT_STALE: Duration = Duration::from_mins(3);
/// From a boot to the interface's address, and to the unit's start, in milliseconds.
const ADDRESS_MS: (u64, u64) = (300, 8_000);
const UNIT_MS: (u64, u64) = (1_000, 15_000);

impl World {
    /// The node of that name, unless it is a witness.
    fn node(&self, name: &NodeName) -> Option<usize> {
        self.config.nodes.iter().position(|node| node.name == *name)
    }

    /// The host is off: its interface and its unit are gone.
    pub fn node_falls(&mut self, host: &NodeName) {
        let Some(index) = self.node(host) else { return };
        self.unit_ends(index);
        let node = &mut self.nodes[index];
        node.boots += 1;
        // The report lies in /run.
        node.unit_gone = None;
        node.interface.is_emptied();
    }

    /// The host boots: a bare interface, which gets its address, and a unit that starts by then or
    /// not.
    pub fn node_rises(&mut self, host: &NodeName) {
        let Some(index) = self.node(host) else { return };
        self.node_falls(host);
        let now = self.now();
        let node = &mut self.nodes[index];
        let address = now + node.chance.millis(ADDRESS_MS.0, ADDRESS_MS.1);
        let unit = now + node.chance.millis(UNIT_MS.0, UNIT_MS.1);
        self.plan_node_task(address, index, NodeTask::Address);
        self.plan_node_task(unit, index, NodeTask::Start);
    }

    fn unit_ends(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let node = &mut self.nodes[index];
        node.generation += 1;
        if node.unit.take().is_some() {
            node.unit_gone = Some(elapsed);
        }
        node.sound_since = None;
        self.plan_node_task(now + REPORT_STALE, index, NodeTask::ReportStale);
    }

    pub(super) fn address_comes(&mut self, index: usize) {
        let elapsed = self.elapsed();
        let name = &self.config.nodes[index].name;
        let emptied = self.truth.ails(name, elapsed).any(|f| *f == HostFault::NetworkReload);
        if emptied || !self.truth.runs(name, elapsed) {
            return;
        }
        let node = &mut self.nodes[index];
        let own = [node.own];
        let all = own.iter().chain(&node.imprinted);
        let (prefix, reversed) = (node.prefix, node.chance.percent(30));
        // Addresses of one subnet go with the oldest of them: which that is depends on the boot.
        let all: Vec<Ipv4Addr> =
            if reversed { all.rev().copied().collect() } else { all.copied().collect() };
        for address in all {
            node.interface.gains(address, prefix);
        }
        node.touches(node.imprinted.clone(), elapsed);
        if node.unit.is_some() {
            node.sound_since.get_or_insert(elapsed);
        }
        self.kernel_tells(index);
    }

    /// A stalled host runs on.
    pub fn node_wakes(&mut self, host: &NodeName) {
        let elapsed = self.elapsed();
        let Some(index) = self.node(host) else { return };
        let node = &mut self.nodes[index];
        node.sound_since = node.sound_since.map(|_| elapsed);
    }

    /// Something goes wrong on the host's side.
    pub fn host_fault_begins(&mut self, host: &NodeName, fault: &HostFault) {
        let elapsed = self.elapsed();
        let Some(index) = self.node(host) else { return };
        let vip = fault.service().and_then(|service| self.vip_of(service));
        let all: Vec<Ipv4Addr> = self.config.services.iter().map(|s| s.vip.0).collect();
        let runs = self.truth.runs(host, elapsed);
        let node = &mut self.nodes[index];
        match (fault, vip) {
            (HostFault::UnitCrash, _) => return self.unit_ends(index),
            (HostFault::AliasRemoved { .. }, Some(vip)) => {
                let along = node.loses(vip);
                node.touches(along.into_iter().chain([vip]), elapsed);
            }
            (HostFault::NetworkReload, _) => {
                node.interface.is_emptied();
                node.touches(all, elapsed);
            }
            (HostFault::AliasReturns { .. }, Some(vip)) if runs => {
                node.interface.gains(vip, node.prefix);
                node.touches([vip], elapsed);
            }
            (HostFault::ForeignAddress { last }, _) if runs => {
                node.interface.gains(foreign(node.own, *last), node.prefix);
            }
            _ => return,
        }
        self.kernel_tells(index);
    }

    /// That is over.
    pub fn host_fault_ends(&mut self, host: &NodeName, fault: &HostFault) {
        let elapsed = self.elapsed();
        let Some(index) = self.node(host) else { return };
        match fault {
            HostFault::UnitCrash => {
                let node = &mut self.nodes[index];
                let at = self.cloud.lock().now + node.chance.millis(RESTART_MS.0, RESTART_MS.1);
                self.plan_node_task(at, index, NodeTask::Start);
            }
            HostFault::NetworkReload => self.address_comes(index),
            HostFault::ForeignAddress { last } => {
                let node = &mut self.nodes[index];
                let along = node.loses(foreign(node.own, *last));
                node.touches(along, elapsed);
                self.kernel_tells(index);
            }
            _ => {}
        }
    }

    fn vip_of(&self, service: &ServiceName) -> Option<Ipv4Addr> {
        self.config.service(service).map(|service| service.vip.0)
    }
}

/// An address of somebody else on the node's interface, in its subnet.
fn foreign(own: Ipv4Addr, last: u8) -> Ipv4Addr {
    let [a, b, c, _] = own.octets();
    Ipv4Addr::new(a, b, c, last)
}

//! What faults do to the nodes' side of the VIPs when they begin, and what is mended when they end.

use std::net::Ipv4Addr;

use vipward_core::{NodeName, ServiceName};

use super::Task;
use crate::history::host_fault::HostFault;
use crate::world::{Event, World};

/// From a unit's end to its next start, by its systemd unit, in milliseconds.
const RESTART_MS: (u64, u64) = (2_000, 2_500);
/// From a boot to the interface's address, and to the unit's start, in milliseconds.
const ADDRESS_MS: (u64, u64) = (300, 8_000);
const UNIT_MS: (u64, u64) = (1_000, 15_000);

impl World {
    /// The node of that name, unless it is a witness.
    fn site(&self, name: &NodeName) -> Option<usize> {
        self.config.nodes.iter().position(|node| node.name == *name)
    }

    /// The host is off: its interface and its unit are gone.
    pub fn site_falls(&mut self, host: &NodeName) {
        let Some(index) = self.site(host) else { return };
        self.unit_ends(index);
        let site = &mut self.sites[index];
        site.boots += 1;
        site.interface.is_emptied();
    }

    /// The host boots: a bare interface, which gets its address, and a unit that starts by then or not.
    pub fn site_rises(&mut self, host: &NodeName) {
        let Some(index) = self.site(host) else { return };
        self.site_falls(host);
        let now = self.now();
        let site = &mut self.sites[index];
        let address = now + site.chance.millis(ADDRESS_MS.0, ADDRESS_MS.1);
        let unit = now + site.chance.millis(UNIT_MS.0, UNIT_MS.1);
        let (boots, generation) = (site.boots, site.generation);
        self.plan(address, Event::Site(index, boots, Task::Address));
        self.plan(unit, Event::Site(index, generation, Task::Start));
    }

    fn unit_ends(&mut self, index: usize) {
        let site = &mut self.sites[index];
        site.generation += 1;
        (site.unit, site.sound_since) = (None, None);
    }

    pub(super) fn address_comes(&mut self, index: usize) {
        let elapsed = self.elapsed();
        let name = &self.config.nodes[index].name;
        let emptied = self.truth.ails(name, elapsed).any(|f| *f == HostFault::NetworkReload);
        if emptied || !self.truth.runs(name, elapsed) {
            return;
        }
        let site = &mut self.sites[index];
        let own = [site.own];
        let all = own.iter().chain(&site.imprinted);
        let (prefix, reversed) = (site.prefix, site.chance.percent(30));
        // Addresses of one subnet go with the oldest of them: which that is depends on the boot.
        let all: Vec<Ipv4Addr> =
            if reversed { all.rev().copied().collect() } else { all.copied().collect() };
        for address in all {
            site.interface.gains(address, prefix);
        }
        site.touches(site.imprinted.clone(), elapsed);
        if site.unit.is_some() {
            site.sound_since.get_or_insert(elapsed);
        }
        self.kernel_tells(index);
    }

    /// A stalled host runs on.
    pub fn site_wakes(&mut self, host: &NodeName) {
        let elapsed = self.elapsed();
        let Some(index) = self.site(host) else { return };
        let site = &mut self.sites[index];
        site.sound_since = site.sound_since.map(|_| elapsed);
    }

    /// Something goes wrong on the host's side.
    pub fn site_ails(&mut self, host: &NodeName, fault: &HostFault) {
        let elapsed = self.elapsed();
        let Some(index) = self.site(host) else { return };
        let vip = fault.service().and_then(|service| self.vip_of(service));
        let all: Vec<Ipv4Addr> = self.config.services.iter().map(|s| s.vip.0).collect();
        let runs = self.truth.runs(host, elapsed);
        let site = &mut self.sites[index];
        match (fault, vip) {
            (HostFault::UnitCrash, _) => return self.unit_ends(index),
            (HostFault::AliasRemoved { .. }, Some(vip)) => {
                let along = site.loses(vip);
                site.touches(along.into_iter().chain([vip]), elapsed);
            }
            (HostFault::NetworkReload, _) => {
                site.interface.is_emptied();
                site.touches(all, elapsed);
            }
            (HostFault::AliasReturns { .. }, Some(vip)) if runs => {
                site.interface.gains(vip, site.prefix);
                site.touches([vip], elapsed);
            }
            (HostFault::ForeignAddress { last }, _) if runs => {
                site.interface.gains(foreign(site.own, *last), site.prefix);
            }
            _ => return,
        }
        self.kernel_tells(index);
    }

    /// That is over.
    pub fn site_recovers(&mut self, host: &NodeName, fault: &HostFault) {
        let elapsed = self.elapsed();
        let Some(index) = self.site(host) else { return };
        match fault {
            HostFault::UnitCrash => {
                let site = &mut self.sites[index];
                let at = self.cloud.lock().now + site.chance.millis(RESTART_MS.0, RESTART_MS.1);
                let generation = site.generation;
                self.plan(at, Event::Site(index, generation, Task::Start));
            }
            HostFault::NetworkReload => self.address_comes(index),
            HostFault::ForeignAddress { last } => {
                let site = &mut self.sites[index];
                let along = site.loses(foreign(site.own, *last));
                site.touches(along, elapsed);
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

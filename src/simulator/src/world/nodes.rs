//! The nodes' side of the VIPs in the world: interfaces, the units that keep them, the instance
//! metadata, and what goes wrong with these.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use vipward_core::Config;
use vipward_region_model::journal::JournalEvent;
use vipward_upkeep::knowledge::{Answer, Subject};

use crate::audit::alias_rules::Standing;
use crate::history::host_fault::HostFault;
use crate::history::random::Stream;
use crate::interface::Interface;
use crate::world::alias_unit::{AliasAction, AliasUnit};
use crate::world::setup::mac;
use crate::world::{Event, World};

mod inject;
mod metadata;

/// One node's interface and its unit.
pub struct Site {
    pub interface: Interface,
    unit: Option<AliasUnit>,
    /// Grows with each start of the unit, and with each boot: what belongs to an earlier one is void.
    generation: u64,
    boots: u64,
    own: Ipv4Addr,
    prefix: u8,
    /// How much further than others' this instance's metadata lag behind.
    late: Duration,
    /// VIPs that the host had at its first boot, and adds at each.
    imprinted: Vec<Ipv4Addr>,
    /// Since when the unit has run undisturbed and known its interface.
    sound_since: Option<Duration>,
    /// When others last touched a VIP on the interface.
    touched: BTreeMap<Ipv4Addr, Duration>,
    /// Questions so far: what the metadata leave out alternates.
    questions: u64,
    chance: Stream,
}

/// What is to do on a node's side.
#[derive(Debug, Clone)]
pub enum Task {
    /// The unit starts.
    Start,
    /// The interface of a host that has booted gets its address.
    Address,
    /// The unit looks at the interface.
    Pass,
    /// The unit asks the metadata.
    Ask,
    /// It is answered; whether the next answer will be the same until something changes.
    Answered(Subject, Answer, bool),
}

impl Site {
    /// The sites of a cluster's nodes, in their order, as the history begins: they are up.
    pub fn all(config: &Config, seed: u64) -> Vec<Self> {
        let vips: Vec<Ipv4Addr> = config.services.iter().map(|service| service.vip.0).collect();
        let nodes = config.nodes.iter().enumerate();
        let site = |(index, node): (usize, &vipward_core::config::Node)| {
            let mut chance = Stream::new(seed, &format!("site {}", node.name));
            let mut interface = Interface::new(mac(index));
            interface.gains(node.address, config.subnet.prefix_len());
            interface.gains(Ipv4Addr::new(192, 168, 7, 1), 24);
            let first = index == 0 && chance.percent(50);
            Self {
                interface,
                unit: None,
                generation: 0,
                boots: 0,
                own: node.address,
                prefix: config.subnet.prefix_len(),
                late: Duration::from_millis(*chance.pick(&[0, 500, 1_000, 4_000])),
                imprinted: if first { vips.clone() } else { Vec::new() },
                sound_since: None,
                touched: BTreeMap::new(),
                questions: 0,
                chance,
            }
        };
        nodes.map(site).collect()
    }

    /// Somebody takes the address away; what went with it. The host's own is put back by its network
    /// manager at once.
    fn loses(&mut self, address: Ipv4Addr) -> Vec<Ipv4Addr> {
        let had = self.interface.has(self.own);
        let along = self.interface.loses(address);
        if had {
            self.interface.gains(self.own, self.prefix);
        }
        along
    }

    fn touches(&mut self, vips: impl IntoIterator<Item = Ipv4Addr>, at: Duration) {
        self.touched.extend(vips.into_iter().map(|vip| (vip, at)));
    }
}

impl World {
    /// The units start with the history.
    pub fn sites_begin(&mut self) {
        for index in 0..self.sites.len() {
            let at = self.now() + self.sites[index].chance.millis(0, 3_000);
            self.plan(at, Event::Site(index, 0, Task::Start));
        }
    }

    /// A task is due, unless what it belongs to is gone since, or the host is stalled.
    pub fn does_task(&mut self, index: usize, generation: u64, task: Task) {
        let elapsed = self.elapsed();
        let name = self.config.nodes[index].name.clone();
        if let Some(until) = self.truth.stalled_until(&name, elapsed) {
            let later = self.start + until + Duration::from_micros(10);
            return self.plan(later, Event::Site(index, generation, task));
        }
        let site = &self.sites[index];
        let current = if matches!(task, Task::Address) { site.boots } else { site.generation };
        if generation != current {
            return;
        }
        let now = self.now();
        match task {
            Task::Start => self.unit_starts(index),
            Task::Address => self.address_comes(index),
            Task::Pass => self.unit_passes(index),
            Task::Ask => self.unit_asks(index),
            Task::Answered(subject, answer, steady) => {
                self.auditor.unit_heard(elapsed, &name, &answer);
                let site = &mut self.sites[index];
                let Some(unit) = site.unit.as_mut() else { return };
                let actions = unit.hears(&subject, answer, steady, now);
                self.grant_unit(index, actions);
            }
        }
    }

    fn unit_starts(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let node = &self.config.nodes[index];
        let site = &mut self.sites[index];
        if site.unit.is_some() || !self.truth.unit_runs(&node.name, elapsed) {
            return;
        }
        site.unit = Some(AliasUnit::start(&self.config, now));
        site.sound_since = site.interface.has(site.own).then_some(elapsed);
        self.auditor.unit_started(elapsed, &node.name);
        self.grant_unit(index, vec![AliasAction::Pass(now)]);
    }

    fn unit_passes(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let site = &mut self.sites[index];
        let Some(unit) = site.unit.as_mut() else { return };
        let (done, actions) = unit.pass(&mut site.interface, now);
        let name = self.config.nodes[index].name.clone();
        for (repair, along) in done {
            self.auditor.unit_repaired(elapsed, &name, &repair, &along);
        }
        self.grant_unit(index, actions);
    }

    fn unit_asks(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let Some(unit) = self.sites[index].unit.as_mut() else { return };
        let Some(subject) = unit.asks(now) else { return };
        let (took, answer) = self.metadata(index, &subject);
        let name = &self.config.nodes[index].name;
        let partial = self.truth.ails(name, elapsed).any(|f| *f == HostFault::MetadataPartial);
        let steady = !partial && elapsed > self.addresses_changed + self.metadata_lag(index);
        let generation = self.sites[index].generation;
        let task = Task::Answered(subject, answer, steady);
        self.plan(now + took, Event::Site(index, generation, task));
    }

    fn grant_unit(&mut self, index: usize, actions: impl IntoIterator<Item = AliasAction>) {
        let generation = self.sites[index].generation;
        for action in actions {
            let (at, task) = match action {
                AliasAction::Pass(at) => (at, Task::Pass),
                AliasAction::Ask(at) => (at, Task::Ask),
            };
            self.plan(at, Event::Site(index, generation, task));
        }
    }

    fn kernel_tells(&mut self, index: usize) {
        let now = self.now();
        let action = self.sites[index].unit.as_mut().map(|unit| unit.wakes(now));
        self.grant_unit(index, action);
    }

    /// Units that rest on the metadata's last answer ask again: something has changed.
    pub fn stir_units(&mut self) {
        let now = self.now();
        for index in 0..self.sites.len() {
            let action = self.sites[index].unit.as_mut().and_then(|unit| unit.stirs(now));
            self.grant_unit(index, action);
        }
    }

    /// EC2 has assigned or unassigned addresses: the metadata will say so.
    pub fn addresses_change(&mut self, happening: &JournalEvent) {
        if matches!(happening, JournalEvent::Assigned { .. } | JournalEvent::Unassigned { .. }) {
            self.addresses_changed = self.elapsed();
            self.stir_units();
        }
    }

    /// How each VIP stands with each node, for the auditor.
    pub fn standings(&self) -> Vec<Standing> {
        let elapsed = self.elapsed();
        let mut standings = Vec::new();
        for (index, (node, site)) in self.config.nodes.iter().zip(&self.sites).enumerate() {
            let name = &node.name;
            let runs = self.truth.unit_runs(name, elapsed);
            let stalled = self.truth.stalled_until(name, elapsed).is_some();
            let sound = site.sound_since.filter(|_| runs && !stalled);
            for service in &self.config.services {
                let vip = service.vip.0;
                let touched = site.touched.get(&vip).copied().unwrap_or_default();
                standings.push(Standing {
                    node: name.clone(),
                    eni: node.eni.to_string(),
                    service: service.name.clone(),
                    vip,
                    mode: service.alias,
                    present: site.interface.has(vip),
                    bound: site.interface.binds_others(vip),
                    sound_since: sound.map(|since| since.max(touched)),
                    metadata_since: self.truth.metadata_well_since(name, elapsed),
                    lag: self.metadata_lag(index),
                });
            }
        }
        standings
    }
}

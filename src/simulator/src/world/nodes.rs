//! The nodes' side of the VIPs in the world: interfaces, the units that keep them, the instance
//! metadata, and what goes wrong with these.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::{Config, config};
use vipward_region_model::journal::JournalEvent;

use crate::audit::alias_rules::Standing;
use crate::history::host_fault::HostFault;
use crate::history::random::Stream;
use crate::interface::Interface;
use crate::world::World;
use crate::world::agenda::{Event, NodeTask};
use crate::world::alias_unit::{AliasAction, AliasUnit};
use crate::world::setup::mac;

mod inject;
mod metadata;
mod watch;

/// Who asks the instance metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    Agent,
    AliasUnit,
}

/// One node's interface and its unit.
pub struct Node {
    pub interface: Interface,
    unit: Option<AliasUnit>,
    /// When the unit ended that is not there.
    unit_gone: Option<Duration>,
    /// Grows with each start of the unit, and with each boot: what belongs to an earlier one is
    /// void.
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
    /// Questions so far by each who asks: what the metadata leave out alternates.
    questions: BTreeMap<Asker, u64>,
    chance: Stream,
}

impl Node {
    /// All of a cluster, in the order of the file, as the history begins: they are up.
    pub fn all(config: &Config, seed: u64) -> Vec<Self> {
        let vips: Vec<Ipv4Addr> = config.services.iter().map(|service| service.vip.0).collect();
        let nodes = config.nodes.iter().enumerate();
        let up = |(index, node): (usize, &config::Node)| {
            // The stream's name is part of what a seed means.
            let mut chance = Stream::new(seed, &format!("site {}", node.name));
            let mut interface = Interface::new(mac(index));
            interface.gains(node.address, config.subnet.prefix_len());
            interface.gains(Ipv4Addr::new(192, 168, 7, 1), 24);
            let first = index == 0 && chance.percent(50);
            Self {
                interface,
                unit: None,
                unit_gone: None,
                generation: 0,
                boots: 0,
                own: node.address,
                prefix: config.subnet.prefix_len(),
                late: Duration::from_millis(*chance.pick(&[0, 500, 1_000, 4_000])),
                imprinted: if first { vips.clone() } else { Vec::new() },
                sound_since: None,
                touched: BTreeMap::new(),
                questions: BTreeMap::new(),
                chance,
            }
        };
        nodes.map(up).collect()
    }

    /// What a task belongs to: the unit's start, or the host's boot.
    fn current(&self, task: &NodeTask) -> u64 {
        if matches!(task, NodeTask::Address) { self.boots } else { self.generation }
    }

    /// Somebody takes the address away; what went with it. The host's own is put back by its
    /// network manager at once.
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
    pub fn start_units(&mut self) {
        for index in 0..self.nodes.len() {
            let at = self.now() + self.nodes[index].chance.millis(0, 3_000);
            self.plan_node_task(at, index, NodeTask::Start);
        }
    }

    /// Puts a task of that node on the agenda, of the unit or the boot that is there now.
    fn plan_node_task(&mut self, at: Timestamp, node: usize, task: NodeTask) {
        let generation = self.nodes[node].current(&task);
        self.plan(at, Event::Node { node, generation, task });
    }

    /// A task is due, unless what it belongs to is gone since, or the host is stalled.
    pub fn run_node_task(&mut self, index: usize, generation: u64, task: NodeTask) {
        let elapsed = self.elapsed();
        let name = self.config.nodes[index].name.clone();
        if generation != self.nodes[index].current(&task) {
            return;
        }
        if let Some(until) = self.truth.stalled_until(&name, elapsed) {
            let later = self.start + until + Duration::from_micros(10);
            return self.plan_node_task(later, index, task);
        }
        let now = self.now();
        match task {
            NodeTask::Start => self.unit_starts(index),
            NodeTask::Address => self.address_comes(index),
            NodeTask::ReportStale => self.resume_look(index),
            NodeTask::Pass => self.unit_passes(index),
            NodeTask::Ask => self.unit_asks(index),
            NodeTask::Answered { subject, answer, steady } => {
                self.auditor.unit_heard(elapsed, &name, &answer);
                let Some(unit) = self.nodes[index].unit.as_mut() else { return };
                let actions = unit.hears(&subject, answer, steady, now);
                self.carry_out_unit(index, actions);
            }
        }
    }

    fn unit_starts(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let name = &self.config.nodes[index].name;
        let node = &mut self.nodes[index];
        if node.unit.is_some() || !self.truth.unit_runs(name, elapsed) {
            return;
        }
        (node.unit, node.unit_gone) = (Some(AliasUnit::start(&self.config, now)), None);
        node.sound_since = node.interface.has(node.own).then_some(elapsed);
        self.auditor.unit_started(elapsed, name);
        self.carry_out_unit(index, vec![AliasAction::Pass(now)]);
    }

    fn unit_passes(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let node = &mut self.nodes[index];
        let Some(unit) = node.unit.as_mut() else { return };
        let (done, actions) = unit.pass(&mut node.interface, now);
        let name = self.config.nodes[index].name.clone();
        if !done.is_empty() {
            self.resume_look(index);
        }
        for (repair, along) in done {
            self.auditor.unit_repaired(elapsed, &name, &repair, &along);
        }
        self.carry_out_unit(index, actions);
    }

    fn unit_asks(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let Some(unit) = self.nodes[index].unit.as_mut() else { return };
        let Some(subject) = unit.asks(now) else { return };
        let (took, answer) = self.metadata(index, Asker::AliasUnit, &subject);
        let name = &self.config.nodes[index].name;
        let partial = self.truth.ails(name, elapsed).any(|f| *f == HostFault::MetadataPartial);
        let steady = !partial && elapsed > self.addresses_changed + self.metadata_lag(index);
        let task = NodeTask::Answered { subject, answer, steady };
        self.plan_node_task(now + took, index, task);
    }

    fn carry_out_unit(&mut self, index: usize, actions: impl IntoIterator<Item = AliasAction>) {
        for action in actions {
            let (at, task) = match action {
                AliasAction::Pass(at) => (at, NodeTask::Pass),
                AliasAction::Ask(at) => (at, NodeTask::Ask),
            };
            self.plan_node_task(at, index, task);
        }
    }

    fn kernel_tells(&mut self, index: usize) {
        let now = self.now();
        let action = self.nodes[index].unit.as_mut().map(|unit| unit.wakes(now));
        self.carry_out_unit(index, action);
        self.resume_look(index);
    }

    /// Units that rest on the metadata's last answer ask again: something has changed.
    pub fn resume_units(&mut self) {
        let now = self.now();
        for index in 0..self.nodes.len() {
            let action = self.nodes[index].unit.as_mut().and_then(|unit| unit.resume(now));
            self.carry_out_unit(index, action);
            self.resume_look(index);
        }
    }

    /// EC2 has assigned or unassigned addresses: the metadata will say so.
    pub fn addresses_change(&mut self, event: &JournalEvent) {
        if matches!(event, JournalEvent::Assigned { .. } | JournalEvent::Unassigned { .. }) {
            self.addresses_changed = self.elapsed();
            self.resume_units();
        }
    }

    /// How each VIP stands with each node, for the auditor.
    pub fn standings(&self) -> Vec<Standing> {
        let elapsed = self.elapsed();
        let mut standings = Vec::new();
        for (index, (named, node)) in self.config.nodes.iter().zip(&self.nodes).enumerate() {
            let name = &named.name;
            let runs = self.truth.unit_runs(name, elapsed);
            let stalled = self.truth.stalled_until(name, elapsed).is_some();
            let sound = node.sound_since.filter(|_| runs && !stalled);
            for service in &self.config.services {
                let vip = service.vip.0;
                let touched = node.touched.get(&vip).copied().unwrap_or_default();
                standings.push(Standing {
                    node: name.clone(),
                    eni: named.eni.to_string(),
                    service: service.name.clone(),
                    vip,
                    mode: service.alias,
                    present: node.interface.has(vip),
                    bound: node.interface.binds_others(vip),
                    sound_since: sound.map(|since| since.max(touched)),
                    metadata_since: self.truth.metadata_well_since(name, elapsed),
                    lag: self.metadata_lag(index),
                });
            }
        }
        standings
    }
}

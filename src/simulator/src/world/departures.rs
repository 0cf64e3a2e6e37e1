//! Nodes that leave by their own word.

use vipward_core::{NodeName, ServiceName};

use crate::world::{AgentTask, Event, World};

/// From one look at the metadata to the next, in milliseconds.
const LOOKS_MS: u64 = 5_000;

impl World {
    /// The agent of the node is told that the service leaves, or all do; or that they stay.
    pub fn is_told(&mut self, node: &NodeName, service: Option<&ServiceName>, leave: bool) {
        let Some(index) = self.host(node) else { return };
        let services = self.config.services.iter().map(|of| of.name.clone());
        let elapsed = self.elapsed();
        let services = services.filter(|of| {
            let meant = service.is_none_or(|name| of == name);
            // Who told it so for another reason does not take that back.
            meant && (leave || !self.truth.is_told_to_leave(node, of, elapsed))
        });
        let (now, generation) = (self.now(), self.hosts[index].generation);
        let told = AgentTask::Told(services.collect(), leave);
        self.plan(now, Event::Agent(index, generation, told));
    }

    /// What the metadata of the node's instance announce has changed: its agent sees it at its next
    /// look.
    pub fn notices_change(&mut self, node: &NodeName) {
        let Some(index) = self.host(node) else { return };
        let at = self.now() + self.chance.millis(0, LOOKS_MS);
        let generation = self.hosts[index].generation;
        self.plan(at, Event::Agent(index, generation, AgentTask::Notices));
    }
}

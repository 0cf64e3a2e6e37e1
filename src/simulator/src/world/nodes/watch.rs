//! What agents find when they look at their own hosts, and what comes of their hooks.

use std::collections::BTreeSet;
use std::time::Duration;

use vipward_observe::hooks::{Due, Occasion};
use vipward_observe::ports::MetadataError;
use vipward_observe::readiness::{self, HostLook};

use vipward_core::knowledge::Answer;
use vipward_upkeep::inventory::Mac;
use vipward_upkeep::subject::Subject;

use crate::history::host_fault::HostFault;
use crate::world::World;
use crate::world::agenda::AgentTask;
use crate::world::host_watch::Found;
use crate::world::nodes::Asker;
use crate::world::nodes::inject::REPORT_STALE;
use crate::world::setup::mac;

/// Two looks of an agent, and a time-out.
const RIGHT_FOR: Duration = Duration::from_secs(6);
/// How long a hook runs, in milliseconds.
const HOOK_MS: (u64, u64) = (50, 1_500);

impl World {
    /// The host or EC2's book has changed: the agent there looks again.
    pub fn resume_look(&mut self, index: usize) {
        let now = self.now();
        let action = self.hosts[index].agent.as_mut().and_then(|agent| agent.resume_look(now));
        self.carry_out(index, action.into_iter().collect());
    }

    /// The agent on that host looks at it.
    pub fn looks_at_host(&mut self, index: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let Some(node) = self.nodes.get(index) else { return };
        let vips = self.config.services.iter().map(|service| service.vip.0);
        let stale = |gone: Duration| elapsed.saturating_sub(gone) >= REPORT_STALE;
        let alias_unit = match (&node.unit, node.unit_gone) {
            (Some(unit), _) if unit.has_interface() => readiness::AliasUnit::Works,
            // Until it is stale its last report is as good as one of a unit that works.
            (None, Some(gone)) if !stale(gone) => readiness::AliasUnit::Works,
            (Some(_), _) | (None, Some(_)) => readiness::AliasUnit::Fails,
            (None, None) => readiness::AliasUnit::Unknown,
        };
        let present: BTreeSet<_> = vips.filter(|vip| node.interface.has(*vip)).collect();
        let config = &self.config.nodes[index];
        self.auditor.host_seen(elapsed, &config.name, &present);
        let host = HostLook { present: Some(present), alias_unit };
        let mac = Mac::from_bytes(&mac(index));
        let subject = mac.map(|mac| Subject { mac, eni: config.eni.clone() });
        let name = config.name.clone();
        let answer = subject.map(|subject| self.metadata(index, Asker::Agent, &subject).1);
        let metadata = match answer {
            Some(Answer::Addresses(addresses)) => Ok(addresses),
            Some(Answer::Unknown(why)) => Err(MetadataError(why)),
            None => Err(MetadataError("no interface".to_owned())),
        };
        let partial = self.truth.ails(&name, elapsed).any(|f| *f == HostFault::MetadataPartial);
        let steady = !partial && elapsed > self.addresses_changed + self.metadata_lag(index);
        let Some(agent) = self.hosts[index].agent.as_mut() else { return };
        let actions = agent.looks_at_host(Found { host, metadata }, steady, now);
        self.carry_out(index, actions);
    }

    /// The agent on that host runs a hook.
    pub fn runs_hook(&mut self, index: usize, due: Due) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let name = &self.config.nodes[index].name;
        // Metadata that were late a moment ago have been right for too short a time.
        let lately = self.metadata_lag_at(index, elapsed.saturating_sub(RIGHT_FOR));
        let lag = self.metadata_lag(index).max(lately);
        self.auditor.hook_runs(elapsed, name, &due.service, due.occasion, lag);
        let broken = HostFault::HookFails { service: due.service.clone() };
        let fails = due.occasion == Occasion::Acquire
            && self.truth.ails(name, elapsed).any(|fault| *fault == broken);
        let failure = fails.then(|| "exit code 1".to_owned());
        let took = self.nodes[index].chance.millis(HOOK_MS.0, HOOK_MS.1);
        self.remember_hooks(index);
        self.plan_agent_task(now + took, index, AgentTask::HookEnded { due, failure });
    }

    /// A hook has ended.
    pub fn hook_ended(&mut self, index: usize, due: &Due, failure: Option<String>) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let name = &self.config.nodes[index].name;
        self.auditor.hook_ended(elapsed, name, &due.service, due.occasion, failure.is_some());
        let Some(agent) = self.hosts[index].agent.as_mut() else { return };
        let actions = agent.hook_ended(&due.service, failure, now);
        self.remember_hooks(index);
        self.carry_out(index, actions);
    }

    fn remember_hooks(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        if let Some(agent) = &host.agent {
            host.remembered = agent.remembered();
        }
    }
}

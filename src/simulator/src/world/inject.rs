//! What a fault does when it begins, and what is mended when it ends. Whatever merely is so while
//! it lasts is the truth's affair.

use crate::history::cluster::FOREIGN_ENI;
use crate::history::fault::{Fault, FaultKind, WakingRule};
use crate::world::World;
use crate::world::agenda::{AgentTask, Event};
use crate::world::setup::instance_of;
use serde_json::{Value, json};
use std::time::Duration;
use vipward_core::{NodeName, ServiceName};
use vipward_region_model::ApiError;
use vipward_region_model::ec2::inventory::InstanceState;
use vipward_region_model::events::RuleSpec;
use vipward_region_model::fault::FaultSpec;

/// From an operator's order that found the function busy to the next try.
const AGAIN: Duration = Duration::from_secs(1);
/// From a knock to the knowledge that it is not answered.
const UNANSWERED: Duration = Duration::from_millis(250);
/// From an agent's look at the notices in the metadata to the next, in milliseconds.
const NOTICE_LOOKS_MS: u64 = 5_000;

impl World {
    /// The fault of that index begins.
    pub fn begins(&mut self, index: usize) {
        let fault = self.scenario.faults[index].clone();
        let elapsed = self.elapsed();
        self.auditor.begins(elapsed, &fault);
        match &fault.what {
            // A host that is off says nothing: no connection breaks.
            FaultKind::HostCrash { host } => {
                self.agent_falls(host);
                self.node_falls(host);
            }
            FaultKind::AgentCrash { host } | FaultKind::OtherFile { host } => {
                self.agent_falls(host);
            }
            FaultKind::HostStall { host } => {
                let now = self.now();
                if let Some(at) = self.host(host) {
                    self.hosts[at].stalled_from.get_or_insert(now);
                }
            }
            FaultKind::ServiceCrash { node, service } => self.connections_break(node, service),
            FaultKind::Aws { fault: spec } => self.ails(spec, fault.for_ms),
            FaultKind::ForeignMetric { node, service, percent } => {
                self.forge_metric(node, service, *percent);
            }
            FaultKind::RuleDisabled { rule } => self.set_rules(*rule, false),
            FaultKind::FunctionKilled => self.environments.kill_all(),
            FaultKind::FunctionThrottled => self.cloud.lock().region.lambda.set_throttled(true),
            FaultKind::InstanceStopped { node } => {
                self.agent_falls(node);
                self.node_falls(node);
                self.set_instance(node, InstanceState::Stopped);
            }
            FaultKind::VipTaken { service } => self.take_vip(service),
            FaultKind::VipReleased { service } => self.release_vip(service),
            FaultKind::Drain { node } | FaultKind::Resume { node } => {
                let seconds = fault.for_ms.div_ceil(1_000);
                self.orders(&json!({
                    "command": "drain", "node": node, "seconds": seconds,
                    "owner": "anna", "reason": "kernel update",
                }));
            }
            FaultKind::Switchover { service, to } => {
                self.orders(&json!({ "command": "switchover", "service": service, "to": to }));
            }
            FaultKind::Unfreeze { service } => {
                self.orders(&json!({ "command": "unfreeze", "service": service }));
            }
            FaultKind::OnHost { host, fault } => self.host_fault_begins(host, fault),
            FaultKind::Leave { node, service } => self.request_leave(node, service.as_ref()),
            FaultKind::Announced { node, .. } => self.notices_change(node),
            _ => {}
        }
        if let FaultKind::OtherFile { host } = &fault.what {
            // It is started again with the other file at once.
            if let Some(at) = self.host(host) {
                self.boots(at, 2_000);
            }
        }
        self.go_unanswered(&fault.what);
        self.resume_all();
    }

    /// Who knocks at a host that no longer answers notices within the interval of the knocks.
    fn go_unanswered(&mut self, what: &FaultKind) {
        let hosts: Vec<NodeName> = match what {
            FaultKind::HostCrash { host } | FaultKind::HostStall { host } => vec![host.clone()],
            FaultKind::InstanceStopped { node } => vec![node.clone()],
            FaultKind::Cut { from, to } => vec![from.clone(), to.clone()],
            FaultKind::Partition { .. } => self.hosts.iter().map(|h| h.name.clone()).collect(),
            _ => return,
        };
        let (now, elapsed) = (self.now(), self.elapsed());
        let interval = self.config.policy.knock_interval();
        let interval = u64::try_from(interval.as_millis()).unwrap_or(0);
        for index in 0..self.hosts.len() {
            let me = self.hosts[index].name.clone();
            for host in hosts.iter().filter(|host| **host != me) {
                let answers = self.truth.runs(host, elapsed)
                    && self.truth.stalled_until(host, elapsed).is_none()
                    && self.truth.passes(&me, host, elapsed)
                    && self.truth.passes(host, &me, elapsed);
                if !answers {
                    let at = now + self.chance.millis(0, interval) + UNANSWERED;
                    self.plan_agent_task(at, index, AgentTask::Silence(host.clone()));
                }
            }
        }
    }

    /// The fault of that index ends.
    pub fn ends(&mut self, index: usize) {
        let fault = self.scenario.faults[index].clone();
        let elapsed = self.elapsed();
        self.auditor.ends_fault(elapsed, &fault);
        match &fault.what {
            FaultKind::HostCrash { host } => self.rises(host),
            FaultKind::InstanceStopped { node } => {
                self.set_instance(node, InstanceState::Running);
                self.rises(node);
            }
            FaultKind::AgentCrash { host } | FaultKind::OtherFile { host } => {
                if let Some(at) = self.host(host) {
                    self.boots(at, 3_000);
                }
            }
            FaultKind::HostStall { host } => self.wakes(host),
            FaultKind::RuleDisabled { rule } => self.set_rules(*rule, true),
            FaultKind::ForeignMetric { node, service, percent } => {
                self.forge_metric(node, service, *percent);
            }
            FaultKind::FunctionThrottled => {
                let throttled = |fault: &Fault| fault.what == FaultKind::FunctionThrottled;
                let still = self.truth.lasting(elapsed).any(throttled);
                self.cloud.lock().region.lambda.set_throttled(still);
            }
            FaultKind::VipTaken { service } => self.release_vip(service),
            FaultKind::Resume { node } => {
                self.orders(&json!({ "command": "resume", "node": node }));
            }
            FaultKind::OnHost { host, fault } => self.host_fault_ends(host, fault),
            FaultKind::Leave { node, service } => self.cancel_leave(node, service.as_ref()),
            FaultKind::Announced { node, .. } => self.notices_change(node),
            _ => {}
        }
        self.resume_all();
    }

    /// An operator orders something of the failover function; while it is busy, again.
    pub fn orders(&mut self, order: &Value) {
        let function = format!("vipward-{}-failover", self.config.cluster);
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        let invoked = cloud.region.lambda.invoke(&function, order.to_string().into_bytes(), now);
        drop(cloud);
        if invoked.is_err() {
            self.plan(now + AGAIN, Event::Order(order.clone()));
        }
    }

    /// Something has changed: agents and units that rest look again.
    pub fn resume_all(&mut self) {
        let now = self.now();
        for index in 0..self.hosts.len() {
            let actions = self.hosts[index].agent.as_mut().map(|agent| agent.resume(now));
            self.carry_out(index, actions.unwrap_or_default());
        }
        self.resume_units();
    }

    /// Somebody enables or disables the rules that wake the function so.
    fn set_rules(&mut self, rule: WakingRule, enabled: bool) {
        let mut cloud = self.cloud.lock();
        let (now, events) = (cloud.now, &mut cloud.region.events);
        let ours = events.rules().filter(|spec| spec.name.starts_with(rule.prefix()));
        for spec in ours.cloned().collect::<Vec<_>>() {
            events.put_rule(RuleSpec { enabled, ..spec }, now);
        }
    }

    /// The index of the host of that name.
    pub fn host(&self, name: &NodeName) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == *name)
    }

    fn agent_falls(&mut self, host: &NodeName) {
        if let Some(at) = self.host(host) {
            self.hosts[at].generation += 1;
            self.hosts[at].agent = None;
        }
    }

    fn rises(&mut self, host: &NodeName) {
        if let Some(at) = self.host(host) {
            self.boots_host(at);
        }
        self.node_rises(host);
    }

    /// A host that was stalled runs on: its agent notices at its first beat.
    fn wakes(&mut self, host: &NodeName) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let Some(at) = self.host(host) else { return };
        if self.truth.stalled_until(host, elapsed).is_some() {
            return;
        }
        self.node_wakes(host);
        let Some(from) = self.hosts[at].stalled_from.take() else { return };
        let Some(agent) = self.hosts[at].agent.as_mut() else { return };
        if let Some(actions) = agent.was_stalled(from, now) {
            // What was on its way belongs to the time before.
            self.hosts[at].generation += 1;
            self.carry_out(at, actions);
        }
    }

    fn connections_break(&mut self, node: &NodeName, service: &ServiceName) {
        let (now, elapsed) = (self.now(), self.elapsed());
        if !self.truth.runs(node, elapsed) {
            return;
        }
        for index in 0..self.hosts.len() {
            let name = self.hosts[index].name.clone();
            if !self.truth.passes(node, &name, elapsed)
                || self.truth.stalled_until(&name, elapsed).is_some()
            {
                continue;
            }
            let agent = self.hosts[index].agent.as_mut();
            let actions = agent.map(|agent| agent.breaks(node, Some(service), now));
            self.carry_out(index, actions.unwrap_or_default());
        }
    }

    /// The agent of the node is told that the service leaves, or all do.
    fn request_leave(&mut self, node: &NodeName, service: Option<&ServiceName>) {
        let Some(host) = self.host(node) else { return };
        let services = self.named_or_all(service);
        self.plan_agent_task(self.now(), host, AgentTask::RequestLeave(services));
    }

    /// It is told that they stay. Who told it so for another reason does not take that back.
    fn cancel_leave(&mut self, node: &NodeName, service: Option<&ServiceName>) {
        let Some(host) = self.host(node) else { return };
        let elapsed = self.elapsed();
        let mut services = self.named_or_all(service);
        services.retain(|service| !self.truth.is_told_to_leave(node, service, elapsed));
        self.plan_agent_task(self.now(), host, AgentTask::CancelLeave(services));
    }

    fn named_or_all(&self, service: Option<&ServiceName>) -> Vec<ServiceName> {
        let all = self.config.services.iter().map(|service| &service.name);
        all.filter(|name| service.is_none_or(|service| service == *name)).cloned().collect()
    }

    /// What the metadata of the node's instance announce has changed: its agent sees it at its next
    /// look.
    fn notices_change(&mut self, node: &NodeName) {
        let Some(host) = self.host(node) else { return };
        let at = self.now() + self.chance.millis(0, NOTICE_LOOKS_MS);
        self.plan_agent_task(at, host, AgentTask::Notices);
    }

    fn ails(&mut self, spec: &FaultSpec, for_ms: u64) {
        let mut spec = spec.clone();
        spec.for_ms = u32::try_from(for_ms).ok();
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        cloud.region.faults.add([spec], now);
    }

    fn set_instance(&mut self, node: &NodeName, to: InstanceState) {
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        let set = cloud.region.set_instance_state(&instance_of(node), to, now);
        drop(cloud);
        self.complain_of(set);
    }

    /// Somebody with keys of their own moves the VIP to a foreign interface.
    fn take_vip(&mut self, service: &ServiceName) {
        let Some(vip) = self.config.service(service).map(|service| service.vip.0) else { return };
        self.auditor.meddles(service);
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        let done = cloud.region.ec2.assign(FOREIGN_ENI, &[vip], true, now);
        drop(cloud);
        self.complain_of(done.map(|_| ()));
    }

    /// Somebody with keys of their own takes the VIP off whichever interface has it.
    fn release_vip(&mut self, service: &ServiceName) {
        let Some(vip) = self.config.service(service).map(|service| service.vip.0) else { return };
        self.auditor.meddles(service);
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        let holder = cloud.region.ec2.present().holder(vip).map(|eni| eni.id.clone());
        let done = holder.map(|holder| cloud.region.ec2.unassign(&holder, &[vip], now));
        drop(cloud);
        self.complain_of(done.unwrap_or(Ok(())));
    }

    fn complain_of(&mut self, done: Result<(), ApiError>) {
        if let Err(error) = done {
            self.auditor.complains(&error.to_string());
        }
    }

    /// How late metrics are to be read now; `None` when never.
    pub fn ingestion(&mut self) -> Option<Duration> {
        let elapsed = self.elapsed();
        let mut late = Duration::ZERO;
        for fault in self.truth.clone().lasting(elapsed) {
            match fault.what {
                FaultKind::MetricsLost => return None,
                FaultKind::MetricsLate { ms } => late = late.max(self.chance.millis(0, ms)),
                _ => {}
            }
        }
        Some(late)
    }
}

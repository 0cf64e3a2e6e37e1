//! One history as it is played: hosts, agents, the region and the function, on one agenda in
//! virtual time.

mod agenda;
mod agent;
mod agent_tasks;
mod alias_unit;
mod cloud;
mod environments;
mod host_clock;
mod host_watch;
mod inject;
mod nodes;
mod ports;
mod setup;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_observe::hooks::Remembered;
use vipward_region_model::Effect;
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::{self, EnvironmentId};

use crate::audit::Auditor;
use crate::audit::call_log::{Assignment, Look};
use crate::history::fault::FaultKind;
use crate::history::random::Stream;
use crate::history::scenario::Scenario;
use crate::history::truth::Truth;
use crate::world::agenda::{Agenda, AgentTask, Event};
use crate::world::agent::{Agent, AgentAction};
use crate::world::cloud::Shared;
use crate::world::environments::Environments;
use crate::world::host_clock::HostClock;
use crate::world::nodes::Node;

/// From one look of the auditor at what lasts too long to the next.
const LOOK: Duration = Duration::from_secs(5);
/// The longest that a host takes to boot, in milliseconds.
const BOOT_MS: u64 = 20_000;
/// More steps than any history takes: it would be a loop.
const MOST_STEPS: u64 = 20_000_000;

/// A host and the agent on it.
pub struct Host {
    pub name: NodeName,
    pub agent: Option<Agent>,
    /// Grows with each start: what belongs to an earlier one is void.
    pub generation: u64,
    /// It did not run from then on.
    pub stalled_from: Option<Timestamp>,
    /// What its agent's hooks did since it booted.
    pub remembered: Remembered,
}

/// A history in play.
pub struct World {
    pub scenario: Scenario,
    pub config: Config,
    pub truth: Truth,
    pub start: Timestamp,
    pub cloud: Shared,
    pub hosts: Vec<Host>,
    /// The nodes' side of the VIPs, in the order of the file.
    pub nodes: Vec<Node>,
    /// When EC2 last assigned or unassigned an address.
    pub addresses_changed: Duration,
    pub environments: Environments,
    pub auditor: Auditor,
    pub chance: Stream,
    agenda: Agenda,
}

impl World {
    /// The history at its start.
    ///
    /// # Errors
    /// When the cluster cannot be deployed.
    pub fn new(scenario: Scenario, told: bool) -> anyhow::Result<Self> {
        let config = scenario.config()?;
        let start = Timestamp::from_second(1_790_000_000)?;
        let cloud = Shared::new(setup::region(&scenario, &config, start)?, start, scenario.seed);
        let truth = Truth::in_cluster(&config, &scenario.faults);
        let hosts = config.members().cloned().map(|name| Host {
            name,
            agent: None,
            generation: 0,
            stalled_from: None,
            remembered: Remembered::new(),
        });
        let mut world = Self {
            hosts: hosts.collect(),
            nodes: Node::all(&config, scenario.seed),
            addresses_changed: Duration::ZERO,
            environments: Environments::new(config.clone(), cloud.clone()),
            auditor: Auditor::new(&config, truth.clone(), start, scenario.unplaced, told),
            chance: Stream::new(scenario.seed, "world"),
            agenda: Agenda::default(),
            scenario,
            config,
            truth,
            start,
            cloud,
        };
        for index in 0..world.hosts.len() {
            let at = start + world.chance.millis(0, 3_000);
            world.plan(at, Event::AgentStarts { host: index, generation: 0 });
        }
        for fault in 0..world.scenario.faults.len() {
            world.plan(start + world.scenario.faults[fault].begins(), Event::FaultBegins { fault });
            world.plan(start + world.scenario.faults[fault].ends(), Event::FaultEnds { fault });
        }
        world.start_units();
        for at in world.truth.clone().elections() {
            world.plan(start + at, Event::Election);
        }
        world.plan(start + LOOK, Event::Look);
        Ok(world)
    }

    /// Puts an event on the agenda.
    pub fn plan(&mut self, at: Timestamp, event: Event) {
        self.agenda.plan(at, event);
    }

    /// Puts a task of the agent that runs on the host now on the agenda.
    pub fn plan_agent_task(&mut self, at: Timestamp, host: usize, task: AgentTask) {
        let generation = self.hosts[host].generation;
        self.plan(at, Event::Agent { host, generation, task });
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.cloud.lock().now
    }

    /// How long the history has lasted.
    pub fn elapsed(&self) -> Duration {
        Duration::try_from(self.now().duration_since(self.start)).unwrap_or_default()
    }

    /// Plays it to its end, or to the first breach.
    pub fn play(mut self) -> Auditor {
        let end = self.start + self.scenario.length();
        for _ in 0..MOST_STEPS {
            let next = [self.agenda.next_due(), self.cloud.lock().next_due()];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.step(next);
        }
        let elapsed = self.elapsed();
        let holders = self.holders();
        self.auditor.tally.figures.calls = std::mem::take(&mut self.cloud.lock().call_logs.calls);
        self.auditor.ends(elapsed, &holders, &self.scenario);
        let calm = self.scenario.troubled_until() + Duration::from_millis(BOOT_MS);
        let standings = self.standings();
        self.auditor.ends_aliases(elapsed, calm, &standings);
        self.auditor
    }

    fn step(&mut self, at: Timestamp) {
        {
            let mut cloud = self.cloud.lock();
            cloud.now = cloud.now.max(at);
            cloud.settle_posted();
        }
        while let Some(event) = self.agenda.take_due(at) {
            self.handle(event);
        }
        let woken = self.cloud.lock().woken();
        for environment in woken {
            self.go_on(environment);
        }
        self.advance();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::FaultBegins { fault } => self.begins(fault),
            Event::FaultEnds { fault } => self.ends(fault),
            Event::AgentStarts { host, generation } => self.agent_starts(host, generation),
            Event::Agent { host, generation, task } => {
                self.run_agent_task(host, generation, task);
            }
            Event::Invocation(environment) => {
                self.environments.begin(environment);
                self.go_on(environment);
            }
            Event::Order(order) => self.orders(&order),
            Event::Node { node, generation, task } => {
                self.run_node_task(node, generation, task);
            }
            Event::Election => self.resume_all(),
            Event::Look => {
                let (elapsed, holders) = (self.elapsed(), self.holders());
                self.auditor.looks(elapsed, &holders);
                let look = Look::at(&self.config, self.cloud.lock().region.ec2.present());
                self.auditor.looks_at_ledger(elapsed, &look);
                let standings = self.standings();
                self.auditor.looks_at_aliases(elapsed, &standings);
                let next = self.now() + LOOK;
                self.plan(next, Event::Look);
            }
        }
    }

    /// Everything that the region has to do now.
    fn advance(&mut self) {
        let (now, effects) = {
            let mut cloud = self.cloud.lock();
            let now = cloud.now;
            (now, cloud.region.advance(now))
        };
        let elapsed = self.elapsed();
        for effect in effects {
            match effect {
                Effect::Tell(entry) => {
                    let asked = self.asked_for(&entry.event);
                    self.auditor.hears(elapsed, &entry.event, asked);
                    self.addresses_change(&entry.event);
                }
                Effect::Lambda(lambda::Effect::Start { environment, function }) => {
                    let ready = now + self.start_up(elapsed);
                    self.environments.start(environment, &function, ready);
                }
                Effect::Lambda(lambda::Effect::Hand { environment, invocation }) => {
                    let ready = self.environments.hand(environment, invocation).unwrap_or(now);
                    let begins = ready.max(now + Duration::from_millis(1));
                    self.plan(begins, Event::Invocation(environment));
                }
                Effect::Lambda(lambda::Effect::Stop { environment }) => {
                    let lines = self.environments.stop(environment).unwrap_or_default();
                    let call_log = self.cloud.lock().call_logs.take(environment);
                    self.auditor.reads(elapsed, &lines, &call_log);
                }
                Effect::Lambda(lambda::Effect::Answer { .. }) => {}
            }
        }
    }

    /// The function's call that brought an assignment about.
    fn asked_for(&self, event: &JournalEvent) -> Option<Assignment> {
        let JournalEvent::Assigned { eni, addresses, .. } = event else { return None };
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        cloud.call_logs.arrives(now, eni, addresses)
    }

    /// How long a new environment takes to start.
    fn start_up(&mut self, elapsed: Duration) -> Duration {
        let slow = self.truth.lasting(elapsed).filter_map(|fault| match fault.what {
            FaultKind::FunctionSlow { ms } => Some(Duration::from_millis(ms)),
            _ => None,
        });
        let slow = slow.max().unwrap_or_default();
        slow + self.chance.millis(15, 60)
    }

    fn go_on(&mut self, environment: EnvironmentId) {
        let lines = self.environments.poll(environment);
        let elapsed = self.elapsed();
        let sent = self.cloud.lock().call_logs.take_sent();
        for call in &sent {
            self.auditor.sees_sent(elapsed, call);
        }
        if let Some(lines) = lines {
            let call_log = self.cloud.lock().call_logs.take(environment);
            self.auditor.reads(elapsed, &lines, &call_log);
        }
    }

    fn agent_starts(&mut self, index: usize, generation: u64) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let name = self.hosts[index].name.clone();
        let stalled = self.truth.stalled_until(&name, elapsed);
        if let Some(until) = stalled {
            let starts = Event::AgentStarts { host: index, generation };
            return self.plan(self.start + until, starts);
        }
        if generation != self.hosts[index].generation || !self.truth.agent_runs(&name, elapsed) {
            return;
        }
        let mut config = self.config.clone();
        let (mut ahead, mut drift) = (0, 0);
        for fault in self.truth.lasting(elapsed) {
            match &fault.what {
                FaultKind::Clock { host, ahead_ms, drift_ppm } if *host == name => {
                    (ahead, drift) = (*ahead_ms, *drift_ppm);
                }
                FaultKind::OtherFile { host } if *host == name => {
                    config.policy.cooldown += Duration::from_secs(1);
                }
                _ => {}
            }
        }
        let clock = HostClock::new(now, ahead, drift);
        let start_id = format!("{name}-{}-{}", generation, elapsed.as_millis());
        let mut agent =
            Agent::start(&config, &name, start_id, clock, &self.hosts[index].remembered, now);
        let actions = agent.first_actions(now);
        self.hosts[index].agent = Some(agent);
        self.hosts[index].stalled_from = None;
        self.carry_out(index, actions);
        self.plan_agent_task(now, index, AgentTask::Notices);
    }

    /// The agent of that host starts anew, when the host has booted.
    pub fn boots(&mut self, index: usize, boot_ms: u64) {
        self.hosts[index].generation += 1;
        self.hosts[index].agent = None;
        let at = self.now() + self.chance.millis(boot_ms / 4, boot_ms.max(1));
        let generation = self.hosts[index].generation;
        self.plan(at, Event::AgentStarts { host: index, generation });
    }

    /// The whole host starts anew.
    pub fn boots_host(&mut self, index: usize) {
        self.hosts[index].remembered.clear();
        let elapsed = self.elapsed();
        self.auditor.host_boots(elapsed, &self.hosts[index].name);
        self.boots(index, BOOT_MS);
    }

    /// Who has each VIP, by EC2's own book.
    pub fn holders(&self) -> BTreeMap<ServiceName, Option<String>> {
        let cloud = self.cloud.lock();
        let holder = |vip| cloud.region.ec2.present().holder(vip).map(|eni| eni.id.clone());
        let services = self.config.services.iter();
        services.map(|service| (service.name.clone(), holder(service.vip.0))).collect()
    }

    /// Carries out what an agent wants.
    pub fn carry_out(&mut self, index: usize, actions: Vec<AgentAction>) {
        for action in actions {
            match action {
                AgentAction::Probe { target, at } => {
                    self.plan_agent_task(at, index, AgentTask::Probe { target });
                }
                AgentAction::LookAtHost(at) => {
                    self.plan_agent_task(at, index, AgentTask::LookAtHost);
                }
                AgentAction::RunHook(due) => self.runs_hook(index, due),
                AgentAction::Wake(at) => self.plan_agent_task(at, index, AgentTask::Look),
                AgentAction::Send(report) => self.send(index, *report),
            }
        }
    }
}

//! One history as it is played: hosts, agents, the region and the function, on one agenda in
//! virtual time.

mod agent;
mod agent_tasks;
mod alias_unit;
mod cloud;
mod departures;
mod environments;
mod inject;
mod nodes;
mod ports;
mod setup;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::outcome::Outcome;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_observe::ports::SendError;
use vipward_observe::reporter::{Channel, Report};
use vipward_region_model::Effect;
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::{self, EnvironmentId};

use crate::audit::Auditor;
use crate::audit::call_log::{Assignment, Look};
use crate::history::fault::What;
use crate::history::random::Stream;
use crate::history::scenario::Scenario;
use crate::history::truth::Truth;
use crate::world::agent::Heard;
use crate::world::agent::{Agent, AgentAction, HostClock};
use crate::world::cloud::Shared;
use crate::world::environments::Environments;
use crate::world::nodes::{Site, Task};

/// From one look of the auditor at what lasts too long to the next.
const LOOK: Duration = Duration::from_secs(5);
/// The longest that a host takes to boot, in milliseconds.
const BOOT_MS: u64 = 20_000;
/// More steps than any history takes: it would be a loop.
const MOST_STEPS: u64 = 20_000_000;

/// What is on the agenda.
#[derive(Debug, Clone)]
pub enum Event {
    /// The fault of that index begins.
    Begins(usize),
    /// It ends.
    Ends(usize),
    /// An agent starts, of that generation.
    AgentStarts(usize, u64),
    /// An agent has something to do.
    Agent(usize, u64, AgentTask),
    /// An environment takes up its invocation.
    Invocation(EnvironmentId),
    /// The auditor looks.
    Look,
    /// Servers have another primary, or none.
    Election,
    /// An operator orders something once more.
    Order(Value),
    /// There is something to do on a node's side of the VIPs.
    Site(usize, u64, Task),
}

/// What an agent has to do.
#[derive(Debug, Clone)]
pub enum AgentTask {
    /// A probe begins.
    Probe(usize),
    /// A probe has ended.
    Probed(usize, Outcome, bool),
    /// AWS has answered, or not, before this is said.
    Asked(Box<Report>, Heard),
    /// A report was sent, or not.
    Sent(Channel, Result<(), SendError>, Heard),
    /// A host left a knock unanswered.
    Silence(String),
    /// The agent is told that these services leave, or stay.
    Told(Vec<ServiceName>, bool),
    /// It looks at what is announced of its instance.
    Notices,
    /// Something is due.
    Look,
}

/// A host and the agent on it.
pub struct Host {
    pub name: NodeName,
    pub agent: Option<Agent>,
    /// Grows with each start: what belongs to an earlier one is void.
    pub generation: u64,
    /// It did not run from then on.
    pub stalled_from: Option<Timestamp>,
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
    pub sites: Vec<Site>,
    /// When EC2 last assigned or unassigned an address.
    pub addresses_changed: Duration,
    pub environments: Environments,
    pub auditor: Auditor,
    pub chance: Stream,
    agenda: BTreeMap<(Timestamp, u64), Event>,
    serial: u64,
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
        });
        let mut world = Self {
            hosts: hosts.collect(),
            sites: Site::all(&config, scenario.seed),
            addresses_changed: Duration::ZERO,
            environments: Environments::new(config.clone(), cloud.clone()),
            auditor: Auditor::new(&config, truth.clone(), start, scenario.unplaced, told),
            chance: Stream::new(scenario.seed, "world"),
            agenda: BTreeMap::new(),
            serial: 0,
            scenario,
            config,
            truth,
            start,
            cloud,
        };
        for index in 0..world.hosts.len() {
            let at = start + world.chance.millis(0, 3_000);
            world.plan(at, Event::AgentStarts(index, 0));
        }
        for index in 0..world.scenario.faults.len() {
            world.plan(start + world.scenario.faults[index].begins(), Event::Begins(index));
            world.plan(start + world.scenario.faults[index].ends(), Event::Ends(index));
        }
        world.sites_begin();
        for at in world.truth.clone().elections() {
            world.plan(start + at, Event::Election);
        }
        world.plan(start + LOOK, Event::Look);
        Ok(world)
    }

    /// Puts an event on the agenda.
    pub fn plan(&mut self, at: Timestamp, event: Event) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), event);
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
            let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let next = [agenda, self.cloud.lock().next_due()].into_iter().flatten().min();
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
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= at) {
            let event = entry.remove();
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
            Event::Begins(index) => self.begins(index),
            Event::Ends(index) => self.ends(index),
            Event::AgentStarts(index, generation) => self.agent_starts(index, generation),
            Event::Agent(index, generation, task) => self.run_errand(index, generation, task),
            Event::Invocation(environment) => {
                self.environments.begin(environment);
                self.go_on(environment);
            }
            Event::Order(order) => self.orders(&order),
            Event::Site(index, generation, task) => self.does_task(index, generation, task),
            Event::Election => self.stir(),
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
                    let asked = self.asked_for(&entry.happening);
                    self.auditor.hears(elapsed, &entry.happening, asked);
                    self.addresses_change(&entry.happening);
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
    fn asked_for(&self, happening: &JournalEvent) -> Option<Assignment> {
        let JournalEvent::Assigned { eni, addresses, .. } = happening else { return None };
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        cloud.call_logs.arrives(now, eni, addresses)
    }

    /// How long a new environment takes to start.
    fn start_up(&mut self, elapsed: Duration) -> Duration {
        let slow = self.truth.lasting(elapsed).filter_map(|fault| match fault.what {
            What::FunctionSlow { ms } => Some(Duration::from_millis(ms)),
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
        let stalled = self.truth.stalled_until(name.as_str(), elapsed);
        if let Some(until) = stalled {
            return self.plan(self.start + until, Event::AgentStarts(index, generation));
        }
        if generation != self.hosts[index].generation
            || !self.truth.agent_runs(name.as_str(), elapsed)
        {
            return;
        }
        let mut config = self.config.clone();
        let (mut ahead, mut drift) = (0, 0);
        for fault in self.truth.lasting(elapsed) {
            match &fault.what {
                What::Clock { host, ahead_ms, drift_ppm } if *host == name.as_str() => {
                    (ahead, drift) = (*ahead_ms, *drift_ppm);
                }
                What::OtherFile { host } if *host == name.as_str() => {
                    config.policy.cooldown += Duration::from_secs(1);
                }
                _ => {}
            }
        }
        let clock = HostClock::new(now, ahead, drift);
        let start_id = format!("{name}-{}-{}", generation, elapsed.as_millis());
        let mut agent = Agent::start(&config, &name, start_id, clock, now);
        let actions = agent.first_wishes(now);
        self.hosts[index].agent = Some(agent);
        self.hosts[index].stalled_from = None;
        self.grant(index, actions);
        self.plan(now, Event::Agent(index, generation, AgentTask::Notices));
    }

    /// The agent of that host starts anew, when the host has booted.
    pub fn boots(&mut self, index: usize, boot_ms: u64) {
        self.hosts[index].generation += 1;
        self.hosts[index].agent = None;
        let at = self.now() + self.chance.millis(boot_ms / 4, boot_ms.max(1));
        let generation = self.hosts[index].generation;
        self.plan(at, Event::AgentStarts(index, generation));
    }

    /// The whole host starts anew.
    pub fn boots_host(&mut self, index: usize) {
        self.boots(index, BOOT_MS);
    }

    /// Who has each VIP, by EC2's own book.
    pub fn holders(&self) -> BTreeMap<String, Option<String>> {
        let cloud = self.cloud.lock();
        let holder = |vip| cloud.region.ec2.present().holder(vip).map(|eni| eni.id.clone());
        let services = self.config.services.iter();
        services.map(|service| (service.name.to_string(), holder(service.vip.0))).collect()
    }

    /// Carries out what an agent wants.
    pub fn grant(&mut self, index: usize, actions: Vec<AgentAction>) {
        let generation = self.hosts[index].generation;
        for action in actions {
            match action {
                AgentAction::Probe(target, at) => {
                    self.plan(at, Event::Agent(index, generation, AgentTask::Probe(target)));
                }
                AgentAction::Wake(at) => {
                    self.plan(at, Event::Agent(index, generation, AgentTask::Look));
                }
                AgentAction::Send(report) => self.send(index, *report),
            }
        }
    }
}

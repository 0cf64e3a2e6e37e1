//! One host's agent in virtual time: the production machines, driven as `vipward-agent`'s own
//! drivers (`run`, `watch`) drive them, with probes that the truth answers.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::outcome::Outcome;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_observe::aws_time::AwsTime;
use vipward_observe::hooks::{Due, Remembered};
use vipward_observe::interruptions::{Notice, Notices};
use vipward_observe::last_seen::LastSeen;
use vipward_observe::leaving::Leaving;
use vipward_observe::ports::SendError;
use vipward_observe::pulse::Pulse;
use vipward_observe::reporter::{Channel, Report, Reporter};
use vipward_observe::target::{Target, targets};
use vipward_observe::verdict::VerdictMachine;
use vipward_observe::view::TargetChange;

use crate::world::host_clock::HostClock;
use crate::world::host_watch::{Found, HostWatch};

/// Probes in a row with the same end after which the next ends alike until something changes.
const RESTS_AFTER: u32 = 8;

/// One target's machine, and where it stands.
struct Prober {
    target: Target,
    machine: VerdictMachine,
    /// When the last probe began, by the true time.
    begun: Timestamp,
    seen: LastSeen,
    same: u32,
    last: Option<Outcome>,
    resting: bool,
}

/// What the agent wants of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentAction {
    /// Probe the target of that index then.
    Probe { target: usize, at: Timestamp },
    /// Send this now.
    Send(Box<Report>),
    /// Look again then.
    Wake(Timestamp),
    /// Look at the host then.
    LookAtHost(Timestamp),
    /// Run this hook now.
    RunHook(Due),
}

/// When a request was sent, and the date of its answer, if there was one.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    pub sent: Timestamp,
    pub date: Option<Timestamp>,
}

impl Heard {
    /// There was none.
    pub fn nothing(sent: Timestamp) -> Self {
        Self { sent, date: None }
    }
}

/// Whether a probe begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It does.
    Now,
    /// Not before then.
    At(Timestamp),
    /// It is not asked for.
    Void,
}

/// A running agent.
pub struct Agent {
    config: Config,
    clock: HostClock,
    reporter: Reporter,
    pulse: Pulse,
    probers: Vec<Prober>,
    leaving: Leaving,
    /// `None` on a witness.
    host: Option<HostWatch>,
    notices: Notices,
    aws_time: AwsTime,
    waking: Option<Timestamp>,
}

impl Agent {
    /// An agent that starts now.
    pub fn start(
        config: &Config,
        me: &NodeName,
        start_id: String,
        clock: HostClock,
        remembered: &Remembered,
        now: Timestamp,
    ) -> Self {
        let shown = clock.shows(now);
        let is_node = config.node(me).is_some();
        let host = is_node.then(|| HostWatch::start(config, me, remembered, (shown, now)));
        Self {
            host,
            reporter: Reporter::new(config, me, start_id, shown),
            pulse: Pulse::new(shown),
            probers: Prober::all(config, me, shown, now),
            config: config.clone(),
            clock,
            leaving: Leaving::default(),
            notices: Notices::new(shown),
            aws_time: AwsTime::default(),
            waking: None,
        }
    }

    /// The target of that index.
    pub fn target(&self, index: usize) -> &Target {
        &self.probers[index].target
    }

    /// The first probes, and the first look.
    pub fn first_actions(&mut self, now: Timestamp) -> Vec<AgentAction> {
        let mut actions: Vec<AgentAction> =
            (0..self.probers.len()).map(|target| AgentAction::Probe { target, at: now }).collect();
        actions.extend(self.host.as_ref().map(|_| AgentAction::LookAtHost(now)));
        actions.extend(self.look(now));
        actions
    }

    /// A probe begins, unless one is on its way already; it may be too early for it.
    pub fn begins(&mut self, index: usize, now: Timestamp) -> Start {
        let shown = self.clock.shows(now);
        let prober = &mut self.probers[index];
        let Some(next) = prober.machine.deadline().filter(|_| !prober.resting) else {
            return Start::Void;
        };
        if !prober.machine.poll(shown) {
            return Start::At(self.clock.when(next));
        }
        prober.begun = now;
        Start::Now
    }

    /// A probe has ended. `steady`: until something changes the next will end alike.
    pub fn ends(
        &mut self,
        index: usize,
        outcome: Outcome,
        steady: bool,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        let prober = &mut self.probers[index];
        prober.same = if prober.last.as_ref() == Some(&outcome) { prober.same + 1 } else { 0 };
        let took = Duration::try_from(now.duration_since(prober.begun)).unwrap_or_default();
        prober.seen.on_probe(&outcome, took);
        let change = prober.machine.done(shown, &outcome);
        prober.last = Some(outcome);
        prober.resting = steady && prober.same >= RESTS_AFTER;
        let mut actions = Vec::new();
        if let Some(next) = prober.machine.deadline().filter(|_| !prober.resting) {
            actions.push(AgentAction::Probe { target: index, at: self.clock.when(next) });
        }
        if let Some(change) = change {
            let (subject, service) = (prober.target.subject.clone(), prober.target.service.clone());
            if let Some(host) = self.host.as_mut().filter(|_| subject == *self.reporter.me()) {
                host.on_verdict(&service, change.to);
            }
            self.reporter.on_change(shown, &TargetChange { subject, service, change });
        }
        actions.extend(self.look(now));
        actions
    }

    /// Something has changed: what rested probes on at its own pace.
    pub fn resume(&mut self, now: Timestamp) -> Vec<AgentAction> {
        let mut actions = Vec::new();
        for (index, prober) in self.probers.iter_mut().enumerate() {
            // One on its way ends as things were when it began: the next may not.
            prober.same = 0;
            if !std::mem::take(&mut prober.resting) {
                continue;
            }
            let passed = now.duration_since(prober.begun).as_millis();
            let interval = i128::try_from(prober.target.check.interval.as_millis()).unwrap_or(1);
            let whole = i64::try_from((passed / interval + 1) * interval).unwrap_or(0);
            let at = prober.begun + SignedDuration::from_millis(whole);
            actions.push(AgentAction::Probe { target: index, at });
        }
        actions.extend(self.resume_look(now));
        actions
    }

    /// Something has changed on its host, or in EC2: it looks again at its own pace.
    pub fn resume_look(&mut self, now: Timestamp) -> Option<AgentAction> {
        let host = self.host.as_mut()?;
        host.resume(now).map(AgentAction::LookAtHost)
    }

    /// It has looked at its host. `steady`: until something changes the next look finds the same.
    pub fn looks_at_host(
        &mut self,
        found: Found,
        steady: bool,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        let next = self.host.as_mut().and_then(|host| host.looks(found, steady, (shown, now)));
        let mut actions: Vec<_> = next.into_iter().map(AgentAction::LookAtHost).collect();
        actions.extend(self.look(now));
        actions
    }

    /// A hook has ended.
    pub fn hook_ended(
        &mut self,
        service: &ServiceName,
        failure: Option<String>,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        if let Some(host) = &mut self.host {
            host.hook_ended(service, failure, shown);
        }
        self.look(now)
    }

    /// What its hooks did, as the host remembers it until it boots.
    pub fn remembered(&self) -> Remembered {
        self.host.as_ref().map(HostWatch::remembered).unwrap_or_default()
    }

    /// The standing connections to that service broke; or, where none is named, the host left a
    /// knock unanswered.
    pub fn breaks(
        &mut self,
        node: &NodeName,
        service: Option<&ServiceName>,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        let mut actions = Vec::new();
        for (index, prober) in self.probers.iter_mut().enumerate() {
            let target = &prober.target;
            let other = service.is_some_and(|service| target.service != *service);
            if target.subject != *node || other {
                continue;
            }
            prober.machine.on_suspicion(shown);
            if let Some(next) = prober.machine.deadline() {
                (prober.resting, prober.same) = (false, 0);
                let at = self.clock.when(next);
                actions.push(AgentAction::Probe { target: index, at });
            }
        }
        actions
    }

    /// The agent did not run from then until now.
    pub fn was_stalled(&mut self, from: Timestamp, now: Timestamp) -> Option<Vec<AgentAction>> {
        let shown = self.clock.shows(now);
        self.pulse.poll(self.clock.shows(from));
        self.pulse.poll(shown)?;
        self.reporter.on_stall(shown);
        self.probers = Prober::all(&self.config, self.reporter.me(), shown, now);
        self.waking = None;
        Some(self.first_actions(now))
    }

    /// What AWS's clock showed then, as far as it knows.
    pub fn in_aws(&self, at: Timestamp) -> Option<Timestamp> {
        self.aws_time.at(self.clock.shows(at))
    }

    /// AWS has answered now, or not.
    pub fn hears(&mut self, heard: Heard, now: Timestamp) {
        if let Some(date) = heard.date {
            self.aws_time.on_answer(date, self.clock.shows(heard.sent), self.clock.shows(now));
        }
    }

    /// What came of a report that was sent.
    pub fn sent(
        &mut self,
        channel: Channel,
        outcome: &Result<(), SendError>,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        self.reporter.done(self.clock.shows(now), channel, outcome);
        self.look(now)
    }

    /// It is told that these services leave.
    pub fn request_leave(&mut self, services: &[ServiceName], now: Timestamp) -> Vec<AgentAction> {
        self.leaving.on_request(self.clock.shows(now), services, "told to");
        self.look(now)
    }

    /// It is told that these services stay.
    pub fn cancel_leave(&mut self, services: &[ServiceName], now: Timestamp) -> Vec<AgentAction> {
        self.leaving.on_cancel(services);
        self.look(now)
    }

    /// It looks at what is announced of the instance: `text` is what stands at each place.
    pub fn reads_notices(
        &mut self,
        text: impl Fn(Notice) -> Option<String>,
        now: Timestamp,
    ) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        // When it looks is the world's choice: `poll` would only say so.
        for notice in Notice::ALL {
            self.notices.done(notice, &Ok(text(notice)));
        }
        self.leaving.on_announcement(shown, self.notices.reason(shown));
        self.look(now)
    }

    /// What is due.
    pub fn look(&mut self, now: Timestamp) -> Vec<AgentAction> {
        let shown = self.clock.shows(now);
        if self.waking.is_some_and(|at| at <= now) {
            self.waking = None;
        }
        let seen = self.probers.iter().map(|prober| (&prober.target, &prober.seen));
        self.reporter.on_last_seen(shown, seen);
        self.reporter.on_leaving(shown, &self.leaving);
        let mut actions = Vec::new();
        let mut tried_again = None;
        if let Some(host) = &mut self.host {
            let (hooks, again) = host.due(shown);
            actions.extend(hooks.into_iter().map(AgentAction::RunHook));
            tried_again = again;
            self.reporter.on_arrivals(shown, host.all_here());
            self.reporter.on_unready(shown, &host.unready());
        }
        while let Some(report) = self.reporter.poll(shown) {
            actions.push(AgentAction::Send(Box::new(report)));
        }
        let deadlines = [self.reporter.deadline(), tried_again];
        if let Some(due) = deadlines.into_iter().flatten().min() {
            let at = self.clock.when(due).max(now + Duration::from_micros(1));
            if self.waking.is_none_or(|waking| at < waking) {
                self.waking = Some(at);
                actions.push(AgentAction::Wake(at));
            }
        }
        actions
    }
}

impl Prober {
    fn all(config: &Config, me: &NodeName, shown: Timestamp, now: Timestamp) -> Vec<Self> {
        let prober = |target: Target| Self {
            machine: VerdictMachine::new(&target.check, shown),
            target,
            begun: now,
            seen: LastSeen::default(),
            same: 0,
            last: None,
            resting: false,
        };
        targets(config, me).into_iter().map(prober).collect()
    }
}

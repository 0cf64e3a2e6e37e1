//! What agents do in the world: probing each other over the network, and speaking to AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::outcome::{Outcome, Pass, ProbeFailure, Replication};
use vipward_core::telemetry::{
    DIM_SERVICE, DIM_SUBJECT, HINT_DETAIL_TYPE, SELF_HEALTH, hint_source, namespace,
};
use vipward_core::{Hint, NodeName, ServiceName};
use vipward_observe::datum::Datum;
use vipward_observe::ports::SendError;
use vipward_observe::reporter::Report;
use vipward_region_model::Region;
use vipward_region_model::cloudwatch::{Datum as Value, MetricId, StatisticSet};

use crate::history::truth::Health;
use crate::world::agenda::AgentTask;
use crate::world::agent::{Heard, Start};
use crate::world::cloud::Trip;
use crate::world::ports::put_event;
use crate::world::{Host, World};

/// The agent's patience with one request, by its `aws` outlet.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long after the last sign of AWS requests are written to a connection that still stands.
const CONNECTED: Duration = Duration::from_secs(2);
/// A lost packet is sent again after that: TCP's retransmission time-out, first for the connection,
/// then on it.
const RETRANSMISSION: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(200)];

impl World {
    /// An agent does what it has to, unless it was started anew since, or its host is stalled.
    pub fn run_agent_task(&mut self, index: usize, generation: u64, task: AgentTask) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let host = &self.hosts[index];
        // What somebody asks of the agent waits while the host is stalled, and is then asked.
        if host.generation != generation
            && !matches!(task, AgentTask::RequestLeave(_) | AgentTask::CancelLeave(_))
        {
            return;
        }
        if let Some(until) = self.truth.stalled_until(&host.name, elapsed) {
            let later = self.start + until + Duration::from_micros(10);
            return self.plan_agent_task(later, index, task);
        }
        match task {
            AgentTask::Probe { target } => return self.probes(index, target),
            AgentTask::LookAtHost => return self.looks_at_host(index),
            AgentTask::HookEnded { due, failure } => return self.hook_ended(index, &due, failure),
            _ => {}
        }
        let Host { name, agent: Some(agent), .. } = &mut self.hosts[index] else { return };
        let actions = match task {
            AgentTask::Probe { .. } | AgentTask::LookAtHost | AgentTask::HookEnded { .. } => {
                Vec::new()
            }
            AgentTask::Probed { target, outcome, steady } => {
                agent.ends(target, outcome, steady, now)
            }
            AgentTask::Asked(report, heard) => {
                agent.hears(heard, now);
                return self.tell(index, *report, heard.sent);
            }
            AgentTask::Sent(channel, outcome, heard) => {
                agent.hears(heard, now);
                agent.sent(channel, &outcome, now)
            }
            AgentTask::Silence(subject) => agent.breaks(&subject, None, now),
            AgentTask::RequestLeave(services) => agent.request_leave(&services, now),
            AgentTask::CancelLeave(services) => agent.cancel_leave(&services, now),
            AgentTask::Notices => {
                let text = |notice| self.truth.announced(name, notice, elapsed, self.start);
                agent.reads_notices(text, now)
            }
            AgentTask::Look => agent.look(now),
        };
        self.carry_out(index, actions);
    }

    fn probes(&mut self, index: usize, target: usize) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let Some(agent) = self.hosts[index].agent.as_mut() else { return };
        match agent.begins(target, now) {
            Start::Now => {}
            Start::Void => return,
            Start::At(later) => {
                return self.plan_agent_task(later, index, AgentTask::Probe { target });
            }
        }
        let (took, outcome) = self.outcome(index, target);
        let steady = !self.truth.is_intermittent(elapsed);
        let task = AgentTask::Probed { target, outcome, steady };
        self.plan_agent_task(now + took, index, task);
    }

    /// How a probe that begins now goes, and how long it takes.
    fn outcome(&mut self, index: usize, target: usize) -> (Duration, Outcome) {
        let elapsed = self.elapsed();
        let me = self.hosts[index].name.clone();
        let Some(agent) = self.hosts[index].agent.as_ref() else {
            return (Duration::ZERO, Err(ProbeFailure::Inconclusive("no agent".to_owned())));
        };
        let target = agent.target(target);
        let (subject, service) = (target.subject.clone(), target.service.clone());
        let (timeout, max_lag) = (target.check.timeout, target.check.kind.max_lag());
        let connecting = timeout.min(target.check.connect_timeout);
        let own = me == subject;
        let quick = self.chance.millis(1, if own { 2 } else { 6 });
        let silence =
            |after: Duration| (after, Err(ProbeFailure::TimedOut("no answer in time".to_owned())));
        if own && self.truth.cannot_judge(&me, &service, elapsed) {
            return (quick, Err(ProbeFailure::Inconclusive("wrong password".to_owned())));
        }
        if !self.truth.passes(&me, &subject, elapsed) || !self.truth.passes(&subject, &me, elapsed)
        {
            return silence(connecting);
        }
        let loss = self.truth.loss(&me, &subject, elapsed);
        let mut delay = quick;
        // There and back for the connection, there and back for the question.
        for (limit, again) in [(connecting, RETRANSMISSION[0]), (timeout, RETRANSMISSION[1])] {
            for _ in 0..2 {
                let mut again = again;
                while self.chance.percent(loss) {
                    delay += again;
                    again *= 2;
                    if delay >= limit {
                        return silence(limit);
                    }
                }
            }
        }
        let off = !self.truth.runs(&subject, elapsed);
        if off || self.truth.stalled_until(&subject, elapsed).is_some() {
            return silence(connecting);
        }
        match self.truth.health(&subject, &service, elapsed) {
            Health::Silent => silence(timeout),
            Health::Refuses => (delay, Err(ProbeFailure::Failed("connection refused".to_owned()))),
            Health::Answers(late) if delay + late >= timeout => silence(timeout),
            Health::Answers(late) => {
                let primary = self.truth.is_primary(&subject, &service, elapsed);
                let role = if primary { Replication::Primary } else { Replication::Replica };
                let lag = max_lag.filter(|_| !primary);
                let lag = lag.map(|_| self.truth.replication(&subject, &service, elapsed));
                let role = (max_lag.is_some() || self.truth.follows(&service)).then_some(role);
                let pass = Pass { role, lag };
                (delay + late, Ok(pass))
            }
        }
    }

    /// Sends what an agent has to say, with AWS's time of this moment. One that does not know it
    /// asks for something first.
    pub fn send(&mut self, index: usize, report: Report) {
        let now = self.now();
        if self.said(index, now).is_some() {
            return self.tell(index, report, now);
        }
        let (answered, date) = match self.sets_out(index, &report) {
            Ok(trip) => (trip.answered.min(now + PATIENCE), trip.dated(now + PATIENCE)),
            Err(_) => (now + PATIENCE, None),
        };
        let task = AgentTask::Asked(Box::new(report), Heard { sent: now, date });
        self.plan_agent_task(answered, index, task);
    }

    /// What AWS's clock showed then, as far as the agent knows.
    fn said(&self, index: usize, at: Timestamp) -> Option<Timestamp> {
        self.hosts[index].agent.as_ref().and_then(|agent| agent.in_aws(at))
    }

    /// It says what was so then.
    fn tell(&mut self, index: usize, report: Report, at: Timestamp) {
        let now = self.now();
        let failed = Err(SendError::Failed("no answer in time".to_owned()));
        let Some(said) = self.said(index, at) else {
            let task = AgentTask::Sent(report.channel(), failed, Heard::nothing(now));
            return self.plan_agent_task(now, index, task);
        };
        let trip = match self.sets_out(index, &report) {
            Ok(trip) => trip,
            Err(held) => {
                let task = AgentTask::Sent(report.channel(), failed, Heard::nothing(now));
                self.plan_agent_task(now + PATIENCE, index, task);
                if let Some(arrives) = held {
                    self.takes(index, report, said, arrives);
                }
                return;
            }
        };
        let date = trip.dated(now + PATIENCE);
        let outcome = match &trip.hit.error {
            _ if date.is_none() => failed,
            Some(error) => Err(SendError::Failed(error.to_string())),
            None => Ok(()),
        };
        let task = AgentTask::Sent(report.channel(), outcome, Heard { sent: now, date });
        if trip.hit.error.is_none() {
            self.takes(index, report, said, trip.arrives);
        }
        let answered = trip.answered.min(now + PATIENCE);
        self.plan_agent_task(answered, index, task);
    }

    /// A request sets out. Where the host does not reach AWS: when it arrives after all, if so. The
    /// kernel sends again what was written to a connection, though the agent has long given up.
    fn sets_out(&mut self, index: usize, report: &Report) -> Result<Trip, Option<Timestamp>> {
        let elapsed = self.elapsed();
        if let Some((from, to)) = self.truth.cut_off(&self.hosts[index].name, elapsed) {
            let connected = elapsed.saturating_sub(from) < CONNECTED && self.chance.percent(50);
            let most = u64::try_from((to.saturating_sub(from)).as_millis()).unwrap_or(0);
            return Err(connected.then(|| self.start + to + self.chance.millis(0, most)));
        }
        let operation = match report {
            Report::Metrics(..) => "cloudwatch:PutMetricData",
            Report::Hint(_) => "events:PutEvents",
        };
        Ok(self.cloud.lock().sets_out(operation))
    }

    /// AWS takes what was said then, once it arrives.
    fn takes(&mut self, index: usize, report: Report, said: Timestamp, arrives: Timestamp) {
        let name = &self.hosts[index].name;
        match report {
            Report::Metrics(_, data) => {
                self.publish(&namespace(&self.config.cluster, name), data, said, arrives);
            }
            Report::Hint(hint) => {
                self.hint(hint_source(&self.config.cluster, name), &hint, said, arrives);
            }
        }
    }

    /// Metrics carry the time at which they were so, whenever they are to be read.
    fn publish(&mut self, space: &str, data: Vec<Datum>, said: Timestamp, arrives: Timestamp) {
        let Some(late) = self.ingestion() else { return };
        let space = space.to_owned();
        let values = data.into_iter().map(|datum| value(&space, datum, said)).collect();
        let put = move |region: &mut Region, now: Timestamp| {
            region.cloudwatch.put_data(&space, values, now);
        };
        self.cloud.lock().post(arrives + late, put);
    }

    /// Somebody who may write a log of the account publishes what a node would.
    pub fn forge_metric(&mut self, node: &NodeName, service: &ServiceName, percent: u32) {
        let (service, value) = (service.clone(), f64::from(percent) / 100.0);
        let datum = Datum { metric: SELF_HEALTH, service: Some(service), subject: None, value };
        let now = self.cloud.lock().now;
        self.publish(&namespace(&self.config.cluster, node), vec![datum], now, now);
    }

    fn hint(&mut self, source: String, hint: &Hint, said: Timestamp, arrives: Timestamp) {
        let detail = serde_json::to_value(hint).unwrap_or_default();
        self.cloud.lock().post(arrives, move |region, now| {
            put_event(region, &source, HINT_DETAIL_TYPE, detail, said, now);
        });
    }
}

impl Trip {
    /// The date of the answer, a whole second, if it is there by then.
    fn dated(&self, by: Timestamp) -> Option<Timestamp> {
        let heard = !self.hit.lost_reply && self.answered <= by;
        Timestamp::from_second(self.arrives.as_second()).ok().filter(|_| heard)
    }
}

fn value(namespace: &str, datum: Datum, at: Timestamp) -> Value {
    let mut dimensions = BTreeMap::new();
    dimensions.extend(datum.service.map(|name| (DIM_SERVICE.to_owned(), name.to_string())));
    dimensions.extend(datum.subject.map(|subject| (DIM_SUBJECT.to_owned(), subject.to_string())));
    Value {
        metric: MetricId {
            namespace: namespace.to_owned(),
            name: datum.metric.to_owned(),
            dimensions,
        },
        at: Some(at),
        values: StatisticSet::of(datum.value, 1.0),
        high_resolution: true,
    }
}

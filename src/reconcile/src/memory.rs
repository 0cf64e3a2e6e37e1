//! What a warm function remembers from one invocation to the next. An accelerator only: a cold
//! one decides alike, a little later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::decide::{Choice, Decision, Standby, decide};
use vipward_core::evidence::{Evidence, Observation, ObservationKey, Observations, Snapshot};
use vipward_core::observed::{Observed, age};
use vipward_core::triage::needs_metrics;
use vipward_core::{Config, NodeName, ServiceName};

use crate::alerted::Alerted;
use crate::arrival::Arrival;
use crate::wake::{HeardHint, WakeKind};

/// For so long after it was sent a call to EC2 without a certain answer may still take effect.
pub const MAY_LAND: Duration = Duration::from_secs(10);
/// So often the minute's schedule looks into all metrics: of what neither an alarm nor a hint has
/// told, be it lost or nobody's to tell (an observer's word, a lag), the function learns that late.
/// Where it finds that there is no standby it looks again the next minute, until that is over.
const WHOLE_LOOK: Duration = Duration::from_secs(14 * 60 + 30);
/// What no pass has found for so long is over: two scheduled passes.
const UNHEARD: Duration = Duration::from_secs(130);
/// For so long after a full pass a hint is first held against what that saw.
const MOMENTS: Duration = Duration::from_secs(1);

/// The newest hint of each agent, and what passes saw and told.
#[derive(Debug, Default)]
pub struct Memory {
    hints: BTreeMap<NodeName, HeardHint>,
    /// What people were alerted of.
    pub alerted: Alerted,
    /// By what the alert is about: with what patience it waits, and since when.
    waiting: BTreeMap<String, Waiting>,
    instances: BTreeSet<String>,
    /// By service: the move whose arrival was told last.
    arrived: BTreeMap<ServiceName, Timestamp>,
    /// By service: the calls that may take effect yet.
    calls: BTreeMap<ServiceName, Vec<Call>>,
    last: Option<Seen>,
    /// When all metrics were last read.
    whole_look: Option<Timestamp>,
}

/// What may become an alert.
#[derive(Debug)]
struct Waiting {
    /// How long it has to last.
    patience: Duration,
    since: Timestamp,
    /// When a pass last found it so.
    heard: Timestamp,
}

/// A call that was to bring a VIP somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub to: NodeName,
    /// When it was sent.
    pub sent: Timestamp,
}

/// What the last pass saw, and what it came to.
#[derive(Debug)]
struct Seen {
    at: Timestamp,
    evidence: Evidence,
    /// Where it held everything.
    choices: Option<Vec<(ServiceName, Choice)>>,
}

impl Memory {
    /// Takes a hint in, unless it or a newer one of the same agent is known: by sequence within one
    /// start of the agent, by time across starts. Whether it is news.
    pub fn hear(&mut self, heard: HeardHint) -> bool {
        let overtaken = self.hints.get(&heard.observer).is_some_and(|known| {
            if known.hint.start_id == heard.hint.start_id {
                known.hint.sequence >= heard.hint.sequence
            } else {
                known.at > heard.at
            }
        });
        if !overtaken {
            self.hints.insert(heard.observer.clone(), heard);
        }
        !overtaken
    }

    /// What the fresh hints say.
    pub fn observations(&mut self, config: &Config, now: Timestamp) -> Observations {
        self.hints.retain(|_, heard| age(heard.at, now) < config.policy.stale_after);
        let mut observations = Observations::default();
        for heard in self.hints.values() {
            for said in &heard.hint.observations {
                let ago = |ms: u64| {
                    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
                    let since = heard.at.checked_sub(SignedDuration::from_millis(ms));
                    since.unwrap_or(Timestamp::MIN)
                };
                let is_own = said.subject == heard.observer;
                let statement = Observation {
                    verdict: said.verdict,
                    since: ago(said.held_ms),
                    leaving: said.leaving && is_own,
                    unready: said.unready_ms.filter(|_| is_own).map(ago),
                };
                let key = ObservationKey {
                    observer: heard.observer.clone(),
                    subject: said.subject.clone(),
                    service: said.service.clone(),
                };
                observations.add(key, Observed { value: statement, at: heard.at });
                if let Some(lag) = said.lag_ms.filter(|_| is_own) {
                    let lag = Observed { value: Duration::from_millis(lag), at: heard.at };
                    observations.add_lag(heard.observer.clone(), said.service.clone(), lag);
                }
                if let Some(value) = said.arrived.filter(|_| is_own) {
                    let is = Observed { value, at: heard.at };
                    observations.add_arrival(heard.observer.clone(), said.service.clone(), is);
                }
                if let Some(value) = said.primary.filter(|_| is_own) {
                    let is = Observed { value, at: heard.at };
                    observations.add_primary(heard.observer.clone(), said.service.clone(), is);
                }
            }
        }
        observations
    }

    /// For how long the subject has given cause for an alert that waits with that patience, as far
    /// as passes remember.
    pub fn waiting(&mut self, subject: &str, patience: Duration, now: Timestamp) -> Duration {
        let since = match self.waiting.get(subject) {
            Some(known) if known.patience == patience && age(known.heard, now) < UNHEARD => {
                known.since
            }
            _ => now,
        };
        self.waiting.insert(subject.to_owned(), Waiting { patience, since, heard: now });
        age(since, now)
    }

    /// The last move of a VIP that has come, if the last pass saw it there and this was not told
    /// yet.
    pub fn moved_there(&mut self, config: &Config, arrival: &Arrival) -> Option<Timestamp> {
        let inventory = &self.last.as_ref()?.evidence.inventory;
        let Arrival { service, node, .. } = arrival;
        let holder = inventory.holder(config, config.service(service)?.vip);
        let moved = inventory.ledger(config, service).last_move()?;
        if holder.node() != Some(node) || self.arrived.get(service) == Some(&moved) {
            return None;
        }
        self.arrived.insert(service.clone(), moved);
        Some(moved)
    }

    /// A call was sent that may still take effect.
    pub fn sent(&mut self, service: &ServiceName, call: Call) {
        self.calls.entry(service.clone()).or_default().push(call);
    }

    /// That call has had its effect. Others may still.
    pub fn landed(&mut self, service: &ServiceName, call: &Call) {
        let calls = self.calls.entry(service.clone()).or_default();
        calls.retain(|open| open != call);
    }

    /// Where calls may still bring VIPs.
    pub fn in_flight(&mut self, now: Timestamp) -> BTreeMap<ServiceName, BTreeSet<NodeName>> {
        self.calls.retain(|_, calls| {
            calls.retain(|call| age(call.sent, now) < MAY_LAND);
            !calls.is_empty()
        });
        let targets = |calls: &Vec<Call>| calls.iter().map(|call| call.to.clone()).collect();
        self.calls.iter().map(|(service, calls)| (service.clone(), targets(calls))).collect()
    }

    /// A pass has seen this, and holds everything for these reasons; `None` where it acted, or did
    /// not see all.
    pub fn saw(
        &mut self,
        config: &Config,
        at: Timestamp,
        evidence: &Evidence,
        held: Option<&[Decision]>,
    ) {
        let enis = config.nodes.iter().map(|node| evidence.inventory.enis.get(&node.eni));
        // An answer that leaves an interface out makes its instance no stranger.
        if enis.clone().all(|eni| eni.is_some()) {
            self.instances = enis.flatten().filter_map(|eni| eni.instance.clone()).collect();
        }
        let read = &evidence.observations.read;
        let is_alone = |decision: &Decision| decision.standby == Standby::Missing;
        if config.services.iter().all(|service| read.contains(&service.name))
            && !held.into_iter().flatten().any(is_alone)
        {
            self.whole_look = Some(at);
        }
        let choice = |decision: &Decision| (decision.service.clone(), decision.choice.clone());
        let choices = held.map(|held| held.iter().map(choice).collect());
        self.last = Some(Seen { at, evidence: evidence.clone(), choices });
    }

    /// Whether the hints heard since a full pass of moments ago change none of its decisions, even
    /// if the metrics by now showed every silence there can be: then nothing needs to be read.
    pub fn changes_nothing(&mut self, config: &Config, now: Timestamp) -> bool {
        let Some(Seen { at, choices: Some(choices), .. }) = &self.last else { return false };
        if age(*at, now) > MOMENTS {
            return false;
        }
        let choices = choices.clone();
        let mut evidence = self.evidence_by_now(config, now);
        let all = config.services.iter().map(|service| service.name.clone());
        evidence.observations.read = all.collect();
        let snapshot = Snapshot { config, evidence: &evidence, now };
        let by_now = decide(snapshot).into_iter().map(|d| (d.service, d.choice));
        by_now.eq(choices)
    }

    /// The services whose metrics a pass reads at once: those about which a move may be on the
    /// table by what is remembered; all of them when nothing is. The minute's schedule reads none,
    /// or now and then all.
    pub fn first_scope(
        &mut self,
        config: &Config,
        wake: WakeKind,
        now: Timestamp,
    ) -> BTreeSet<ServiceName> {
        let all = config.services.iter();
        let wanted: Vec<_> = match (wake, &self.last) {
            // A cold environment waits as long.
            (WakeKind::Schedule, _)
                if age(*self.whole_look.get_or_insert(now), now) < WHOLE_LOOK =>
            {
                Vec::new()
            }
            (WakeKind::Hint, Some(_)) => {
                let evidence = &self.evidence_by_now(config, now);
                let snapshot = Snapshot { config, evidence, now };
                all.filter(|of| needs_metrics(snapshot, of)).collect()
            }
            _ => all.collect(),
        };
        wanted.into_iter().map(|service| service.name.clone()).collect()
    }

    /// What the last pass knew of agents' observations.
    pub fn read_before(&self) -> Observations {
        self.last.as_ref().map(|seen| seen.evidence.observations.clone()).unwrap_or_default()
    }

    /// What the last pass saw, with what hints have said since; what EC2 refused then it may not
    /// now.
    fn evidence_by_now(&mut self, config: &Config, now: Timestamp) -> Evidence {
        let mut observations = self.observations(config, now);
        observations.merge(&self.read_before());
        let seen = self.last.as_ref().map(|seen| seen.evidence.clone()).unwrap_or_default();
        let in_flight = self.in_flight(now);
        let (unheard, refusals) = Default::default();
        Evidence { observations, in_flight, unheard, refusals, ..seen }
    }

    /// Whether an instance is known not to be the cluster's; a cold function knows of none.
    pub fn is_foreign(&self, instance: &str) -> bool {
        !self.instances.is_empty() && !self.instances.contains(instance)
    }
}

/// The memory, whoever panicked with it: it is only an accelerator.
pub(crate) fn locked(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

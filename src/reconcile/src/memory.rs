//! What a warm function remembers from one invocation to the next. An accelerator only: a cold
//! one decides alike, a little later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::evidence::{Observed, Statement, Testimony, Topic, age};
use vipward_core::{Config, NodeName, ServiceName};

use crate::wake::HeardHint;

/// How long the same alert about the same service is not repeated.
const ALERT_REST: Duration = Duration::from_mins(10);

/// The newest hint of each agent, and what passes saw and told.
#[derive(Debug, Default)]
pub struct Memory {
    hints: BTreeMap<NodeName, HeardHint>,
    /// By what the alert is about.
    alerted: BTreeMap<String, (String, Timestamp)>,
    waiting: BTreeMap<ServiceName, Timestamp>,
    instances: BTreeSet<String>,
}

impl Memory {
    /// Takes a hint in, unless a newer one of the same agent is known: by sequence within one
    /// start of the agent, by time across starts.
    pub fn hear(&mut self, heard: HeardHint) {
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
    }

    /// What the fresh hints say of what the file names.
    pub fn testimony(&mut self, config: &Config, now: Timestamp) -> Testimony {
        self.hints.retain(|_, heard| age(heard.at, now) < config.policy.stale_after);
        let mut testimony = Testimony::default();
        for heard in self.hints.values() {
            let known = heard.hint.observations.iter().filter(|said| {
                config.node(&said.subject).is_some() && config.service(&said.service).is_some()
            });
            for said in known {
                let held = i64::try_from(said.held_ms).unwrap_or(i64::MAX);
                let since = heard.at.checked_sub(SignedDuration::from_millis(held));
                let is_own = said.subject == heard.observer;
                let statement = Statement {
                    verdict: said.verdict,
                    since: since.unwrap_or(Timestamp::MIN),
                    leaving: said.leaving && is_own,
                };
                let topic = Topic {
                    observer: heard.observer.clone(),
                    subject: said.subject.clone(),
                    service: said.service.clone(),
                };
                testimony.hear(topic, Observed { value: statement, at: heard.at });
                if let Some(lag) = said.lag_ms.filter(|_| is_own) {
                    let lag = Observed { value: Duration::from_millis(lag), at: heard.at };
                    testimony.hear_lag(heard.observer.clone(), said.service.clone(), lag);
                }
                if let Some(value) = said.primary.filter(|_| is_own) {
                    let is = Observed { value, at: heard.at };
                    testimony.hear_primary(heard.observer.clone(), said.service.clone(), is);
                }
            }
        }
        testimony
    }

    /// Whether this alert is worth sending: it is a new one about that subject, or was told long
    /// ago.
    pub fn is_news(&self, subject: &str, alert: &str, now: Timestamp) -> bool {
        let told = self.alerted.get(subject);
        !told.is_some_and(|(last, at)| last == alert && age(*at, now) < ALERT_REST)
    }

    /// The alert was sent.
    pub fn told(&mut self, subject: &str, alert: &str, now: Timestamp) {
        self.alerted.insert(subject.to_owned(), (alert.to_owned(), now));
    }

    /// The subject gives no cause for alert any more: the next one is news again.
    pub fn settle(&mut self, subject: &str) {
        self.alerted.remove(subject);
    }

    /// For how long a service has been waiting for evidence, as far as passes remember.
    pub fn waiting(&mut self, service: &ServiceName, waits: bool, now: Timestamp) -> Duration {
        if !waits {
            self.waiting.remove(service);
            return Duration::ZERO;
        }
        age(*self.waiting.entry(service.clone()).or_insert(now), now)
    }

    /// The instances that have the cluster's interfaces, as a pass saw them.
    pub fn learn_instances(&mut self, instances: BTreeSet<String>) {
        self.instances = instances;
    }

    /// Whether an instance is known not to be the cluster's; a cold function knows of none.
    pub fn is_foreign(&self, instance: &str) -> bool {
        !self.instances.is_empty() && !self.instances.contains(instance)
    }
}

#[cfg(test)]
mod tests;

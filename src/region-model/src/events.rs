//! EventBridge: one default bus, its rules, their schedules and the way of an event to its targets.

mod envelope;
mod outbox;
mod pattern;
mod rule;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use envelope::Envelope;
pub use pattern::{Pattern, PatternError};
pub use rule::{Rate, RuleError, RuleSpec, ScheduleError, Target, targets};

use super::Place;
use super::fault::Faults;
use super::ids::{Ids, stable_id};
use super::journal::JournalEvent;
use outbox::Outbox;

/// What is not the same in every region.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the bus is.
    pub place: Place,
    /// Time from an event's receipt to its arrival at a target.
    pub event_delivery: SignedDuration,
}

/// An event that arrives at a target. The same one may arrive more than once.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Name of the rule that sent it.
    pub rule: String,
    /// The target.
    pub target_arn: String,
    /// The event, whole.
    pub event: Value,
    /// Id of the event; empty when it has none.
    pub id: String,
}

/// A rule and when its schedule makes the next event.
#[derive(Debug)]
struct Rule {
    spec: RuleSpec,
    next_tick: Option<Timestamp>,
}

/// The default event bus.
#[derive(Debug)]
pub struct EventBridge {
    settings: Settings,
    rules: BTreeMap<String, Rule>,
    outbox: Outbox,
    /// What happened and was not told yet: events put and events delivered.
    pub journal: Vec<JournalEvent>,
    ids: Ids,
}

impl EventBridge {
    /// A bus without rules.
    pub fn new(settings: Settings) -> Self {
        Self {
            outbox: Outbox::new(settings.event_delivery),
            settings,
            rules: BTreeMap::new(),
            journal: Vec::new(),
            ids: Ids::new("event"),
        }
    }

    /// Where the bus is.
    pub fn place(&self) -> &Place {
        &self.settings.place
    }

    /// Adds a rule or replaces the one of its name; targets that it does not name stay.
    ///
    /// A schedule begins anew: its first event comes one period from now.
    pub fn put_rule(&mut self, mut spec: RuleSpec, now: Timestamp) {
        let next_tick = spec.schedule.map(|Rate(period)| now + period);
        if let Some(old) = self.rules.remove(&spec.name) {
            let named = |target: &Target| spec.targets.iter().any(|other| other.id == target.id);
            let kept: Vec<Target> =
                old.spec.targets.into_iter().filter(|target| !named(target)).collect();
            spec.targets.extend(kept);
        }
        self.rules.insert(spec.name.clone(), Rule { spec, next_tick });
    }

    /// Removes a rule; its targets go with it. Says whether it was there.
    pub fn remove_rule(&mut self, name: &str) -> bool {
        self.rules.remove(name).is_some()
    }

    /// A rule by its name.
    pub fn rule(&self, name: &str) -> Option<&RuleSpec> {
        self.rules.get(name).map(|rule| &rule.spec)
    }

    /// All rules, by name.
    pub fn rules(&self) -> impl Iterator<Item = &RuleSpec> {
        self.rules.values().map(|rule| &rule.spec)
    }

    /// The targets of a rule, to be changed in place; `None` when there is no such rule.
    pub fn targets_mut(&mut self, rule: &str) -> Option<&mut Vec<Target>> {
        self.rules.get_mut(rule).map(|rule| &mut rule.spec.targets)
    }

    /// An id for an event that comes from outside.
    pub fn next_id(&mut self) -> String {
        self.ids.next_id()
    }

    /// Takes an event, whole and as it is, and sends it to the targets of every rule that it
    /// matches.
    pub fn offer(&mut self, event: &Value, now: Timestamp) {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        self.journal.push(JournalEvent::EventPut {
            source: text("source"),
            detail_type: text("detail-type"),
            alert: event["detail"]["alert"].as_str().map(str::to_owned),
        });
        let matching = self.rules.values().filter(|rule| {
            let pattern = rule.spec.pattern.as_ref();
            rule.spec.enabled && pattern.is_some_and(|pattern| pattern.matches(event))
        });
        for rule in matching {
            send(&mut self.outbox, &rule.spec, event, now);
        }
    }

    /// When there is something to do next: a schedule's event, or a delivery.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let ticks =
            self.rules.values().filter(|rule| rule.spec.enabled).filter_map(|rule| rule.next_tick);
        ticks.chain(self.outbox.next_due()).min()
    }

    /// Does what is due: makes the events of schedules, and gives the deliveries that arrive now,
    /// in the order of their arrival. `faults` on `events:deliver` hit each of them once.
    pub fn advance(&mut self, now: Timestamp, faults: &mut Faults) -> Vec<Delivery> {
        self.tick(now);
        let arrived = self.outbox.advance(now, faults);
        self.journal.extend(arrived.iter().map(|delivery| JournalEvent::EventDelivered {
            rule: delivery.rule.clone(),
            function: target_name(&delivery.target_arn).to_owned(),
            id: delivery.id.clone(),
        }));
        arrived
    }

    fn tick(&mut self, now: Timestamp) {
        let place = &self.settings.place;
        for rule in self.rules.values_mut().filter(|rule| rule.spec.enabled) {
            let (Some(Rate(period)), Some(due)) = (rule.spec.schedule, rule.next_tick) else {
                continue;
            };
            if due > now {
                continue;
            }
            let event = scheduled_event(place, &rule.spec.name, due);
            send(&mut self.outbox, &rule.spec, &event, now);
            // A driver that comes late makes up for one tick, not for a burst of them.
            rule.next_tick = Some(if due + period > now { due + period } else { now + period });
        }
    }
}

/// The ARN of a rule on the default bus.
pub fn rule_arn(place: &Place, name: &str) -> String {
    format!("arn:aws:events:{}:{}:rule/{name}", place.region, place.account)
}

fn send(outbox: &mut Outbox, rule: &RuleSpec, event: &Value, now: Timestamp) {
    for target in &rule.targets {
        let delivery = Delivery {
            rule: rule.name.clone(),
            target_arn: target.arn.clone(),
            event: event.clone(),
            id: event["id"].as_str().unwrap_or_default().to_owned(),
        };
        outbox.send(delivery, now);
    }
}

fn scheduled_event(place: &Place, rule: &str, due: Timestamp) -> Value {
    let arn = rule_arn(place, rule);
    Envelope {
        id: stable_id(&[&arn, &due.to_string()]),
        source: "aws.events".to_owned(),
        detail_type: "Scheduled Event".to_owned(),
        time: due,
        resources: vec![arn],
        detail: json!({}),
    }
    .to_event(place)
}

/// A function's name from its ARN; other ARNs as they are.
fn target_name(arn: &str) -> &str {
    arn.split_once(":function:").map_or(arn, |(_, name)| name)
}

#[cfg(test)]
mod tests;

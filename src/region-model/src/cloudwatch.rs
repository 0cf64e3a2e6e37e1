//! CloudWatch: metrics that come in, reads of them, and the alarms that watch them.
//!
//! Units are accepted and not kept: all values of a metric are taken to be of one unit.

pub mod alarm;
mod metric;
mod properties;
mod store;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use metric::{MetricId, Statistic, StatisticSet, UnknownWord};
pub use properties::{Properties, PropertyError};

use super::Place;
use super::journal::JournalEvent;
use alarm::{Alarm, AlarmChange, AlarmSpec, State};
use store::MetricStore;

/// Time between two clearings of old values.
const PRUNED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What is not the same in every region.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the region is.
    pub place: Place,
    /// Time from the receipt of a value to its being visible to reads and alarms.
    pub metric_ingestion: SignedDuration,
    /// Time from an alarm's change, which its event tells at once, to its description's showing it.
    pub alarm_lag: SignedDuration,
    /// Buckets in an alarm's evaluation range beyond its evaluation periods: E - N. AWS publishes
    /// one example, 2.
    pub evaluation_range_extra: u32,
    /// How long values are kept. AWS keeps those finer than a minute for three hours; here, all.
    pub retention: SignedDuration,
}

/// One value, or some, of one metric at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric.
    pub metric: MetricId,
    /// When the value was true; the time of receipt if not said.
    pub at: Option<Timestamp>,
    /// The value.
    pub values: StatisticSet,
    /// Whether seconds are told apart; minutes are otherwise.
    pub high_resolution: bool,
}

/// Metrics and alarms of one account in one region.
#[derive(Debug)]
pub struct CloudWatch {
    settings: Settings,
    store: MetricStore,
    alarms: BTreeMap<String, Alarm>,
    /// Changes by `SetAlarmState`, which the next `advance` gives out.
    changes: Vec<AlarmChange>,
    pruned_at: Timestamp,
    /// What happened and was not told yet: metric data and alarm states.
    pub journal: Vec<JournalEvent>,
}

impl CloudWatch {
    /// Without metrics and alarms.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            store: MetricStore::default(),
            alarms: BTreeMap::new(),
            changes: Vec::new(),
            pruned_at: Timestamp::MIN,
            journal: Vec::new(),
        }
    }

    /// Where the region is.
    pub fn place(&self) -> &Place {
        &self.settings.place
    }

    /// Takes the values of one request, which share a name space.
    pub fn put_data(&mut self, namespace: &str, data: Vec<Datum>, now: Timestamp) {
        let values = data.iter().map(|d| (d.metric.label(), d.values.get(Statistic::Average)));
        self.journal.push(JournalEvent::MetricData {
            namespace: namespace.to_owned(),
            values: values.collect(),
        });
        let visible_at = now + self.settings.metric_ingestion;
        for datum in data {
            let second = datum.at.unwrap_or(now).as_second();
            let second = if datum.high_resolution { second } else { second.div_euclid(60) * 60 };
            self.store.put(datum.metric, second, datum.values, visible_at);
        }
        if now.duration_since(self.pruned_at) >= PRUNED_EVERY {
            self.pruned_at = now;
            self.store.prune((now - self.settings.retention).as_second());
        }
    }

    /// Non-empty buckets of `period` seconds between two Unix seconds, the start rounded down to a
    /// whole period: values by the second at which each bucket begins.
    pub fn read(
        &self,
        metric: &MetricId,
        seconds: std::ops::Range<i64>,
        period: u32,
        now: Timestamp,
    ) -> BTreeMap<i64, StatisticSet> {
        let period = i64::from(period);
        let start = seconds.start.div_euclid(period) * period;
        self.store.buckets(metric, start, seconds.end, period, now)
    }

    /// Every metric that has a visible value.
    pub fn metrics(&self, now: Timestamp) -> impl Iterator<Item = &MetricId> {
        self.store.metrics(now)
    }

    /// Adds an alarm, or changes the one of that name, whose state stays.
    pub fn put_alarm(&mut self, spec: AlarmSpec, now: Timestamp) {
        match self.alarms.get_mut(&spec.name) {
            Some(alarm) => alarm.update(spec, now),
            None => {
                self.alarms.insert(spec.name.clone(), Alarm::new(spec, now));
            }
        }
    }

    /// Removes an alarm; says whether it was there. Its removal is no event.
    pub fn remove_alarm(&mut self, name: &str) -> bool {
        self.alarms.remove(name).is_some()
    }

    /// An alarm by its name.
    pub fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.alarms.get(name)
    }

    /// All alarms, by name.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.values()
    }

    /// All alarms, by name, each with the state that a description shows.
    pub fn described_alarms(&self, now: Timestamp) -> impl Iterator<Item = (&Alarm, &State)> {
        let lag = self.settings.alarm_lag;
        self.alarms.values().map(move |alarm| (alarm, alarm.described(lag, now)))
    }

    /// Puts an alarm into a state until its next evaluation; says whether there is such an alarm.
    pub fn set_alarm_state(&mut self, name: &str, state: State) -> bool {
        let Some(alarm) = self.alarms.get_mut(name) else {
            return false;
        };
        self.changes.extend(alarm.enter(state));
        true
    }

    /// When there is something to do next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let set = self.changes.iter().map(|change| change.current.since);
        self.alarms.values().map(Alarm::next_evaluation).chain(set).min()
    }

    /// Evaluates what is due and gives every change of state since the last call, each of which is
    /// an event.
    pub fn advance(&mut self, now: Timestamp) -> Vec<AlarmChange> {
        let mut changes = std::mem::take(&mut self.changes);
        let extra = self.settings.evaluation_range_extra;
        for alarm in self.alarms.values_mut().filter(|alarm| alarm.next_evaluation() <= now) {
            let period = i64::from(alarm.spec.period);
            let range = alarm.range(extra, now);
            let found = self.store.buckets(&alarm.spec.metric, range.start, range.end, period, now);
            let buckets: Vec<Option<StatisticSet>> = (0..alarm.spec.evaluation_periods + extra)
                .map(|index| found.get(&(range.start + i64::from(index) * period)).copied())
                .collect();
            changes.extend(alarm.judge(range.start, &buckets, now));
        }
        self.journal.extend(changes.iter().map(|change| JournalEvent::AlarmState {
            alarm: change.spec.name.clone(),
            from: change.previous.value.to_string(),
            to: change.current.value.to_string(),
            reason: change.current.reason.clone(),
        }));
        changes
    }
}

#[cfg(test)]
mod tests;

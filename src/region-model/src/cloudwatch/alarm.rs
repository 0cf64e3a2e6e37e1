//! Metric alarms: what they watch, how they judge it, and the event that tells of a change.

mod change;
mod evaluate;
mod reason;
mod spec;

use jiff::{SignedDuration, Timestamp};

pub use change::{AlarmChange, arn};
pub use evaluate::{Bucket, Criteria, MissingData, StateValue, evaluate};
pub use spec::{AlarmSpec, Comparison, dimensions};

use crate::cloudwatch::StatisticSet;

/// A state, why it came to be and since when it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The state.
    pub value: StateValue,
    /// Why, as a sentence.
    pub reason: String,
    /// Why, as JSON in a text; the initial state has none.
    pub reason_data: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// An alarm and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// What it was told to do.
    pub spec: AlarmSpec,
    /// When it was told so.
    pub configured_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Where it stood before.
    previous: Option<State>,
    next_evaluation: Timestamp,
}

impl Alarm {
    /// A new alarm. Nothing is known until its first evaluation.
    pub fn new(spec: AlarmSpec, now: Timestamp) -> Self {
        Self {
            next_evaluation: following(&spec, now),
            spec,
            configured_at: now,
            previous: None,
            state: State {
                value: StateValue::InsufficientData,
                reason: "Unchecked: Initial alarm creation".to_owned(),
                reason_data: None,
                since: now,
            },
        }
    }

    /// Replaces what it was told to do; the state stays.
    pub fn update(&mut self, spec: AlarmSpec, now: Timestamp) {
        self.next_evaluation = following(&spec, now);
        self.spec = spec;
        self.configured_at = now;
    }

    /// Where it stands by a description that lags so much behind its events.
    pub fn described(&self, lag: SignedDuration, now: Timestamp) -> &State {
        let previous = self.previous.as_ref();
        previous.filter(|_| now.duration_since(self.state.since) < lag).unwrap_or(&self.state)
    }

    /// When it is evaluated next.
    pub fn next_evaluation(&self) -> Timestamp {
        self.next_evaluation
    }

    /// The evaluation range at a time, in Unix seconds: E buckets, N and `extra` more, up to the
    /// newest whole one.
    pub fn range(&self, extra: u32, now: Timestamp) -> std::ops::Range<i64> {
        let end = self.spec.range_end(now.as_second());
        let buckets = i64::from(self.spec.evaluation_periods) + i64::from(extra);
        end - buckets * i64::from(self.spec.period)..end
    }

    /// Judges the buckets of its range, oldest first and `None` where without data, the first of
    /// which begins at the Unix second `start`. Gives the change, if there is one.
    pub fn judge(
        &mut self,
        start: i64,
        range: &[Option<StatisticSet>],
        now: Timestamp,
    ) -> Option<AlarmChange> {
        self.next_evaluation = following(&self.spec, now);
        let buckets: Vec<Bucket> =
            range.iter().map(|values| self.spec.bucket(values.as_ref())).collect();
        let value = evaluate(self.spec.criteria(), &buckets)?;
        if value == self.state.value {
            return None;
        }
        let begins = (0..).map(|index| start + index * i64::from(self.spec.period));
        let real: Vec<_> =
            begins.zip(range).filter_map(|(at, values)| Some((at, (*values)?))).collect();
        let considered = &real[real.len().saturating_sub(self.spec.evaluation_periods as usize)..];
        let state = State {
            value,
            reason: reason::sentence(&self.spec, value, considered),
            reason_data: Some(reason::data(&self.spec, considered, now)),
            since: now,
        };
        self.enter(state)
    }

    /// Takes a state, from an evaluation or from `SetAlarmState`. Gives the change, if it is
    /// another one.
    pub fn enter(&mut self, state: State) -> Option<AlarmChange> {
        let previous = std::mem::replace(&mut self.state, state);
        self.previous = Some(previous.clone());
        (previous.value != self.state.value).then(|| AlarmChange {
            spec: self.spec.clone(),
            previous,
            current: self.state.clone(),
        })
    }
}

/// The evaluation after `now`. Whatever fell due until then is made up for by that one.
fn following(spec: &AlarmSpec, now: Timestamp) -> Timestamp {
    let every = spec.evaluated_every();
    let next = (now.as_second().div_euclid(every) + 1) * every;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

/// A time as alarms write it: milliseconds, and `+0000` for UTC.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

//! The alarm evaluator: from the last buckets of a metric to a state. Pure.

use std::fmt;
use std::str::FromStr;

use crate::cloudwatch::UnknownWord;

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateValue {
    /// Within the threshold.
    Ok,
    /// Breaching the threshold.
    Alarm,
    /// Not known.
    InsufficientData,
}

impl StateValue {
    /// Its name in the API and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for StateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StateValue {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Ok, Self::Alarm, Self::InsufficientData]
            .into_iter()
            .find(|value| value.as_str() == text)
            .ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// How an alarm treats buckets without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingData {
    /// As bad values.
    Breaching,
    /// As good values.
    NotBreaching,
    /// As a reason to keep the state.
    Ignore,
    /// As missing: without any, the state is not known.
    Missing,
}

impl MissingData {
    /// Every policy.
    pub const ALL: [Self; 4] = [Self::Breaching, Self::NotBreaching, Self::Ignore, Self::Missing];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
            Self::Ignore => "ignore",
            Self::Missing => "missing",
        }
    }
}

impl FromStr for MissingData {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == text)
            .ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// What one bucket says of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// It has data within the threshold.
    Good,
    /// It has data that breach the threshold.
    Breaching,
    /// It has no data.
    Missing,
}

/// The part of an alarm that evaluation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criteria {
    /// Evaluation periods, N.
    pub periods: usize,
    /// Datapoints to alarm, M; at most N.
    pub to_alarm: usize,
    /// What empty buckets mean.
    pub missing: MissingData,
}

/// The state that follows from the buckets of the evaluation range, oldest first; `None` keeps the
/// present state.
///
/// The range is wider than N, so that late data and single gaps can be looked past: with N real
/// buckets in it, empty ones mean nothing whatever the policy says.
pub fn evaluate(criteria: Criteria, range: &[Bucket]) -> Option<StateValue> {
    let real: Vec<Bucket> = range.iter().copied().filter(|b| *b != Bucket::Missing).collect();
    let considered = &real[real.len().saturating_sub(criteria.periods)..];
    let breaching = considered.iter().filter(|b| **b == Bucket::Breaching).count();
    let filled = criteria.periods - considered.len();
    let alarm_if = |reached: bool| Some(if reached { StateValue::Alarm } else { StateValue::Ok });
    match criteria.missing {
        _ if filled == 0 => alarm_if(breaching >= criteria.to_alarm),
        MissingData::Breaching => alarm_if(breaching + filled >= criteria.to_alarm),
        MissingData::NotBreaching => alarm_if(breaching >= criteria.to_alarm),
        // With a good bucket among them, the real ones decide alone.
        MissingData::Ignore | MissingData::Missing if breaching < considered.len() => {
            alarm_if(breaching >= criteria.to_alarm)
        }
        MissingData::Ignore | MissingData::Missing if breaching >= criteria.to_alarm => {
            Some(StateValue::Alarm)
        }
        MissingData::Ignore => None,
        MissingData::Missing if oldest_age(range) >= criteria.to_alarm => Some(StateValue::Alarm),
        MissingData::Missing => Some(StateValue::InsufficientData),
    }
}

/// Age of the oldest breaching bucket, where the newest bucket has age 1; 0 when none breaches.
fn oldest_age(range: &[Bucket]) -> usize {
    range
        .iter()
        .position(|bucket| *bucket == Bucket::Breaching)
        .map_or(0, |index| range.len() - index)
}

#[cfg(test)]
mod tests;

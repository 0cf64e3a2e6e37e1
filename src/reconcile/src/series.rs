//! The agents' metrics as the function reads them: which series there are, and what their points
//! say. Whoever has a CloudWatch, or a model of one, asks [`questions`] and hands the points on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::config::Role;
use vipward_core::evidence::{Observation, ObservationKey};
use vipward_core::observed::{Observed, age};
use vipward_core::telemetry::{
    DIM_SERVICE, DIM_SUBJECT, IS_PRIMARY, PEER_HEALTH, REPLICA_LAG, SELF_HEALTH, SelfHealth,
    namespace,
};
use vipward_core::{Config, NodeName, ServiceName, Verdict};

use crate::ports::Published;

/// Seconds: the agents publish at the finest resolution there is.
pub const PERIOD: u32 = 1;
/// From there on a published value says of a primary that it is one.
const WHOLE: f64 = 1.0;

/// One series that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// What somebody says about a service.
    Observation(ObservationKey),
    /// How far a node's service is behind.
    Lag(NodeName, ServiceName),
    /// Whether a node's service is a primary.
    Primary(NodeName, ServiceName),
}

/// What is asked of the values in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The least of them.
    Minimum,
    /// The greatest of them.
    Maximum,
}

impl Statistic {
    /// CloudWatch's name of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
    }
}

/// One second of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The second.
    pub at: Timestamp,
    /// The least value in it.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Point {
    /// The points of a series, by the statistics that were asked for, each oldest first.
    pub fn of_all(statistics: &[(Statistic, Vec<(Timestamp, f64)>)]) -> Vec<Self> {
        let mut points: BTreeMap<Timestamp, Self> = BTreeMap::new();
        for (statistic, values) in statistics {
            for (at, value) in values {
                let (at, value) = (*at, *value);
                let point = points.entry(at).or_insert(Self { at, least: value, greatest: value });
                match statistic {
                    Statistic::Minimum => point.least = value,
                    Statistic::Maximum => point.greatest = value,
                }
            }
        }
        points.into_values().collect()
    }
}

/// Of each service: what each node may say of itself, and everyone else of each node; and how far
/// each is behind, and whether it is a primary, where that matters.
pub fn questions(config: &Config, services: &BTreeSet<ServiceName>) -> Vec<Question> {
    let mut questions = Vec::new();
    for service in config.services.iter().filter(|service| services.contains(&service.name)) {
        for node in &config.nodes {
            questions.extend(config.members().map(|observer| {
                let (subject, service) = (node.name.clone(), service.name.clone());
                Question::Observation(ObservationKey {
                    observer: observer.clone(),
                    subject,
                    service,
                })
            }));
            if service.check.kind.max_lag().is_some() {
                questions.push(Question::Lag(node.name.clone(), service.name.clone()));
            }
            if service.role == Role::Primary {
                questions.push(Question::Primary(node.name.clone(), service.name.clone()));
            }
        }
    }
    questions
}

impl Question {
    /// Whose observation it asks for.
    pub fn observer(&self) -> &NodeName {
        match self {
            Self::Observation(ObservationKey { observer, .. })
            | Self::Lag(observer, _)
            | Self::Primary(observer, _) => observer,
        }
    }

    /// The service it is about.
    pub fn service(&self) -> &ServiceName {
        match self {
            Self::Observation(ObservationKey { service, .. })
            | Self::Lag(_, service)
            | Self::Primary(_, service) => service,
        }
    }

    /// The metric's name.
    pub fn metric(&self) -> &'static str {
        match self {
            Self::Observation(key) if key.observer == key.subject => SELF_HEALTH,
            Self::Observation(_) => PEER_HEALTH,
            Self::Lag(..) => REPLICA_LAG,
            Self::Primary(..) => IS_PRIMARY,
        }
    }

    /// The statistics to ask for. Of two values in one second the worse counts: a publication that
    /// was retried cannot hide an illness. In what a node says of itself two values contradict each
    /// other, though, and both are needed to see it.
    pub fn statistics(&self) -> &'static [Statistic] {
        match self {
            Self::Observation(key) if key.observer != key.subject => &[Statistic::Minimum],
            Self::Observation(_) | Self::Primary(..) => &[Statistic::Minimum, Statistic::Maximum],
            Self::Lag(..) => &[Statistic::Maximum],
        }
    }

    /// The metric's name space.
    pub fn namespace(&self, config: &Config) -> String {
        namespace(&config.cluster, self.observer())
    }

    /// The metric's dimensions.
    pub fn dimensions(&self) -> BTreeMap<&'static str, &str> {
        let mut dimensions = BTreeMap::from([(DIM_SERVICE, self.service().as_str())]);
        if let Self::Observation(key) = self
            && key.observer != key.subject
        {
            dimensions.insert(DIM_SUBJECT, key.subject.as_str());
        }
        dimensions
    }
}

impl Published {
    /// Takes in the points of the series that was asked for, oldest first. What a node's metrics
    /// alone say against it is believed once they have said it for `lasting`.
    pub fn take(&mut self, asked: &Question, points: &[Point], lasting: Duration) {
        match asked {
            Question::Observation(key) if key.observer == key.subject => {
                let SelfObservation { believed, contested } = self_observation(points, lasting);
                self.observations.extend(believed.map(|newest| (key.clone(), newest)));
                let (node, service) = (key.subject.clone(), key.service.clone());
                self.contested.extend(contested.map(|said| (node, service, said)));
            }
            Question::Observation(key) => {
                let least: Vec<_> = points.iter().map(|point| (point.at, point.least)).collect();
                self.observations
                    .extend(newest_observation(&least).map(|newest| (key.clone(), newest)));
            }
            Question::Lag(node, service) => {
                let lag = newest_lag(points).map(|lag| (node.clone(), service.clone(), lag));
                self.lags.extend(lag);
            }
            Question::Primary(node, service) => {
                let is = believed_role(points, lasting);
                self.primaries.extend(is.map(|is| (node.clone(), service.clone(), is)));
            }
        }
    }
}

/// What a node's metrics say of its own service.
#[derive(Debug, PartialEq, Eq)]
struct SelfObservation {
    /// The newest that is believed.
    believed: Option<Observed<Observation>>,
    /// The newest against it that is not, since something contradicts it or it is too new.
    contested: Option<Observed<Observation>>,
}

/// That its service is well is believed at once, whatever is against it once all points have said
/// so for `lasting`. A second with two values tells neither.
fn self_observation(points: &[Point], lasting: Duration) -> SelfObservation {
    let against = |flag: fn(SelfHealth) -> bool| lasts(points, flag, lasting);
    let (ill, leaving, unready) = (against(is_ill), against(|s| s.leaving), against(|s| s.unready));
    let well = points.iter().rposition(|point| !is_ill(SelfHealth::of(point.least)));
    let believed = match (ill, points.last(), well) {
        (Some(since), Some(Point { at, .. }), _) => {
            let verdict = Verdict::Unhealthy;
            let value = Observation { verdict, since, leaving: false, unready: None };
            Some(Observed { value, at: *at })
        }
        (None, Some(Point { at, .. }), Some(last)) if last + 1 == points.len() => {
            let since = since(points, |said| !is_ill(said)).unwrap_or(*at);
            let (verdict, leaving) = (Verdict::Healthy, leaving.is_some());
            Some(Observed { value: Observation { verdict, since, leaving, unready }, at: *at })
        }
        (None, _, Some(last)) => self_observation(&points[..=last], lasting).believed,
        (None, _, None) | (Some(_), None, _) => None,
    };
    let is_open = |said: SelfHealth| {
        (is_ill(said) && ill.is_none())
            || (said.leaving && leaving.is_none())
            || (said.unready && unready.is_none())
    };
    let newest = points.last().map(|point| point.at);
    let is_recent = |point: &&Point| newest.is_some_and(|newest| age(point.at, newest) < lasting);
    let mut recent = points.iter().rev().take_while(is_recent);
    let open = recent.find(|point| is_open(SelfHealth::of(point.least)));
    let contested = open.and_then(|point| newest_observation(&[(point.at, point.least)]));
    SelfObservation { believed, contested }
}

fn is_ill(said: SelfHealth) -> bool {
    said.verdict != Verdict::Healthy
}

/// Since when the points have been saying so, with all their values.
fn since(points: &[Point], flag: impl Fn(SelfHealth) -> bool) -> Option<Timestamp> {
    let says = |value| flag(SelfHealth::of(value));
    let run = points.iter().rev().take_while(|point| says(point.least) && says(point.greatest));
    run.last().map(|first| first.at)
}

/// The same, if it is that long; points are told to the second.
fn lasts(
    points: &[Point],
    flag: impl Fn(SelfHealth) -> bool,
    lasting: Duration,
) -> Option<Timestamp> {
    let last = points.last()?.at;
    since(points, flag).filter(|since| age(*since, last) + Duration::from_secs(1) >= lasting)
}

/// Whether a node's service is a primary, once its points have said so for `lasting`, or all along.
/// Until then it is not known: what they said before may be over.
fn believed_role(points: &[Point], lasting: Duration) -> Option<Observed<bool>> {
    let is = |value: f64| value >= WHOLE;
    let last = points.last()?;
    let says_the_same =
        |point: &&Point| [point.least, point.greatest].map(is) == [is(last.least); 2];
    let run = points.iter().rev().take_while(says_the_same);
    let (count, first) = run.fold((0, None), |(count, _), point| (count + 1, Some(point.at)));
    let span = age(first?, last.at) + Duration::from_secs(1);
    let believed = count == points.len() || span >= lasting;
    believed.then_some(Observed { value: is(last.least), at: last.at })
}

/// The last of the points, and since when it has been the same.
fn newest_observation(points: &[(Timestamp, f64)]) -> Option<Observed<Observation>> {
    let verdict = |value| SelfHealth::of(value).verdict;
    let (at, value) = *points.last()?;
    let run = points.iter().rev().take_while(|(_, other)| verdict(*other) == verdict(value));
    let since = run.last().map_or(at, |(since, _)| *since);
    let SelfHealth { verdict, leaving, .. } = SelfHealth::of(value);
    let run = points.iter().rev().take_while(|(_, other)| SelfHealth::of(*other).unready);
    let unready = run.last().map(|(since, _)| *since);
    Some(Observed { value: Observation { verdict, since, leaving, unready }, at })
}

/// The last of the points, in seconds; what is no duration was not published by an agent.
fn newest_lag(points: &[Point]) -> Option<Observed<Duration>> {
    let Point { at, greatest: seconds, .. } = *points.last()?;
    Some(Observed { value: Duration::try_from_secs_f64(seconds).ok()?, at })
}

#[cfg(test)]
mod tests;

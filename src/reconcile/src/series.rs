//! The agents' metrics as the function reads them: which series there are, and what their points
//! say. Whoever has a CloudWatch, or a model of one, asks [`questions`] and hands the points on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::config::Role;
use vipward_core::evidence::{Observation, ObservationKey};
use vipward_core::observed::Observed;
use vipward_core::telemetry::{
    DIM_SERVICE, DIM_SUBJECT, IS_PRIMARY, LEAVING_HEALTH, PEER_HEALTH, REPLICA_LAG, SELF_HEALTH,
    namespace,
};
use vipward_core::{Config, NodeName, ServiceName, Verdict};

use crate::ports::Published;

/// Seconds: the agents publish at the finest resolution there is.
pub const PERIOD: u32 = 1;
/// From there on a published health means neither ill nor leaving, and of a primary that it is one.
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

/// Of values in one second, which counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// The least of them.
    Minimum,
    /// The greatest of them.
    Maximum,
}

impl Worse {
    /// CloudWatch's name of the statistic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
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

    /// Of two values in one second the worse: a publication that was retried cannot hide an
    /// illness.
    pub fn worse(&self) -> Worse {
        match self {
            Self::Observation(_) | Self::Primary(..) => Worse::Minimum,
            Self::Lag(..) => Worse::Maximum,
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
    /// Takes in the points of the series that was asked for, oldest first.
    pub fn take(&mut self, asked: &Question, points: &[(Timestamp, f64)]) {
        match asked {
            Question::Observation(key) => {
                self.observations
                    .extend(newest_observation(points).map(|newest| (key.clone(), newest)));
            }
            Question::Lag(node, service) => {
                let lag = newest_lag(points).map(|lag| (node.clone(), service.clone(), lag));
                self.lags.extend(lag);
            }
            Question::Primary(node, service) => {
                let is = points.last().map(|(at, value)| {
                    let is = Observed { value: *value >= WHOLE, at: *at };
                    (node.clone(), service.clone(), is)
                });
                self.primaries.extend(is);
            }
        }
    }
}

/// The last of the points, and since when it has been the same.
fn newest_observation(points: &[(Timestamp, f64)]) -> Option<Observed<Observation>> {
    let verdict = |value| {
        if value >= LEAVING_HEALTH { Verdict::Healthy } else { Verdict::Unhealthy }
    };
    let (at, value) = *points.last()?;
    let run = points.iter().rev().take_while(|(_, other)| verdict(*other) == verdict(value));
    let since = run.last().map_or(at, |(since, _)| *since);
    let leaving = (LEAVING_HEALTH..WHOLE).contains(&value);
    Some(Observed { value: Observation { verdict: verdict(value), since, leaving }, at })
}

/// The last of the points, in seconds; what is no duration was not published by an agent.
fn newest_lag(points: &[(Timestamp, f64)]) -> Option<Observed<Duration>> {
    let (at, seconds) = *points.last()?;
    Some(Observed { value: Duration::try_from_secs_f64(seconds).ok()?, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::start;

    #[test]
    fn a_word_is_the_last_point_and_how_long_it_was_the_same() {
        let at = |second| start() + Duration::from_secs(second);
        let newest = |values: &[(u64, f64)]| {
            let points: Vec<_> =
                values.iter().map(|(second, value)| (at(*second), *value)).collect();
            newest_observation(&points)
        };
        let said = |verdict, since, last| {
            let value = Observation { verdict, since: at(since), leaving: false };
            Some(Observed { value, at: at(last) })
        };
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&[(0, 1.0)]), said(Verdict::Healthy, 0, 0));
        assert_eq!(newest(&[(0, 1.0), (10, 0.0), (20, 0.0)]), said(Verdict::Unhealthy, 10, 20));
        assert_eq!(newest(&[(0, 0.0), (10, 1.0), (20, 0.1)]), said(Verdict::Unhealthy, 20, 20));
        let leaving = newest(&[(0, 0.0), (10, 1.0), (20, LEAVING_HEALTH)]).expect("a word");
        let expected = Observation { verdict: Verdict::Healthy, since: at(10), leaving: true };
        assert_eq!(leaving.value, expected, "well, and soon gone");
        let stays = newest(&[(0, LEAVING_HEALTH), (10, 1.0)]);
        assert_eq!(stays, said(Verdict::Healthy, 0, 10), "it changed its mind");
    }

    #[test]
    fn nothing_is_told_of_a_service_that_is_left_out() {
        let (redis, mysql): (ServiceName, ServiceName) =
            ("redis".parse().expect("a name"), "mysql".parse().expect("a name"));
        let a: NodeName = "a".parse().expect("a name");
        let mut published = Published::default();
        for service in [&redis, &mysql] {
            let (observer, subject) = (a.clone(), a.clone());
            let key = ObservationKey { observer, subject, service: service.clone() };
            published.take(&Question::Observation(key), &[(start(), 1.0)]);
            published.take(&Question::Lag(a.clone(), service.clone()), &[(start(), 1.0)]);
            published.take(&Question::Primary(a.clone(), service.clone()), &[(start(), 1.0)]);
        }
        published.leave_out(&redis);
        let words: Vec<_> = published.observations.iter().map(|(key, _)| &key.service).collect();
        let lags: Vec<_> = published.lags.iter().map(|(_, service, _)| service).collect();
        let primaries: Vec<_> = published.primaries.iter().map(|(_, service, _)| service).collect();
        assert_eq!([words, lags, primaries], [[&mysql], [&mysql], [&mysql]]);
        assert_eq!(published.incomplete, BTreeSet::from([redis]));
    }
}

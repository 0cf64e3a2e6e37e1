//! CloudWatch: which alarms are in trouble, and what the agents published.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StateValue,
    StatusCode,
};
use jiff::{SignedDuration, Timestamp};
use vipward_core::config::Role;
use vipward_core::evidence::{Observed, Statement, Topic};
use vipward_core::name::ServiceName;
use vipward_core::signals::{
    AlarmName, DIM_SERVICE, DIM_SUBJECT, IS_PRIMARY, LEAVING_HEALTH, PEER_HEALTH, REPLICA_LAG,
    SELF_HEALTH, alarm_prefix, namespace,
};
use vipward_core::{Config, NodeName, Verdict};

use super::failure;
use crate::ports::{PortError, Published};

/// Most queries that one `GetMetricData` call takes.
const QUERIES: usize = 500;
/// Seconds: the agents publish at the finest resolution there is.
const PERIOD: i32 = 1;
/// From there on a published health means neither ill nor leaving, and of a primary that it is one.
const WHOLE: f64 = 1.0;

/// The cluster's alarms in `OK`. Asked for are the quiet ones: an alarm that is missing, because
/// it was deleted or never made, must not pass for one that is quiet.
pub(super) async fn quiet_alarms(
    client: &Client,
    config: &Config,
) -> Result<BTreeSet<AlarmName>, PortError> {
    let mut names = BTreeSet::new();
    let mut pages = client
        .describe_alarms()
        .alarm_name_prefix(alarm_prefix(&config.cluster))
        .state_value(StateValue::Ok)
        .max_records(100)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failure::of("DescribeAlarms"))?;
        let alarms = page.metric_alarms().iter();
        names.extend(alarms.filter_map(|alarm| alarm.alarm_name()?.parse::<AlarmName>().ok()));
    }
    Ok(names)
}

/// One series that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    /// What somebody says about a service.
    Word(Topic),
    /// How far a node's service is behind.
    Lag(NodeName, ServiceName),
    /// Whether a node's service is a primary.
    Primary(NodeName, ServiceName),
}

/// The newest that was published of `services` since then.
pub(super) async fn words(
    client: &Client,
    config: &Config,
    services: &BTreeSet<ServiceName>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Published, PortError> {
    let mut published = Published::default();
    for chunk in questions(config, services).chunks(QUERIES) {
        let queries = chunk.iter().enumerate().map(|(index, asked)| query(config, index, asked));
        let series = series(client, queries.collect(), since, now).await?;
        for (index, asked) in chunk.iter().enumerate() {
            // A success may carry series that failed: no silence of the node they are about.
            let Some(Series { complete: true, points }) = series.get(&index) else {
                let cause = format!("the series of {} is not complete", asked.observer());
                return Err(PortError::Transient { call: "GetMetricData", cause });
            };
            match asked {
                Question::Word(topic) => {
                    published.words.extend(newest_word(points).map(|word| (topic.clone(), word)));
                }
                Question::Lag(node, service) => {
                    let lag = newest_lag(points).map(|lag| (node.clone(), service.clone(), lag));
                    published.lags.extend(lag);
                }
                Question::Primary(node, service) => {
                    let is = points.last().map(|(at, value)| {
                        let is = Observed { value: *value >= WHOLE, at: *at };
                        (node.clone(), service.clone(), is)
                    });
                    published.primaries.extend(is);
                }
            }
        }
    }
    Ok(published)
}

/// One metric's values, oldest first, and whether CloudWatch gave them all.
#[derive(Default)]
struct Series {
    complete: bool,
    points: Vec<(Timestamp, f64)>,
}

/// By the queries' indices; a series may come in several pages, the last of which is complete.
async fn series(
    client: &Client,
    queries: Vec<MetricDataQuery>,
    since: Timestamp,
    now: Timestamp,
) -> Result<BTreeMap<usize, Series>, PortError> {
    let mut pages = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(since.as_second()))
        // The end is exclusive, and the present second counts.
        .end_time(DateTime::from_secs((now + SignedDuration::from_secs(1)).as_second()))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send();
    let mut all: BTreeMap<usize, Series> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failure::of("GetMetricData"))?;
        for result in page.metric_data_results() {
            let Some(index) = index_of(result) else { continue };
            let series = all.entry(index).or_default();
            series.complete = result.status_code() == Some(&StatusCode::Complete);
            series.points.extend(points(result));
        }
    }
    Ok(all)
}

/// Of each service: what each node may say of itself, and everyone else of each node; and how far
/// each is behind, and whether it is a primary, where that matters.
fn questions(config: &Config, services: &BTreeSet<ServiceName>) -> Vec<Question> {
    let mut questions = Vec::new();
    for service in config.services.iter().filter(|service| services.contains(&service.name)) {
        for node in &config.nodes {
            questions.extend(config.members().map(|observer| {
                let (subject, service) = (node.name.clone(), service.name.clone());
                Question::Word(Topic { observer: observer.clone(), subject, service })
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
    fn observer(&self) -> &NodeName {
        match self {
            Self::Word(Topic { observer, .. })
            | Self::Lag(observer, _)
            | Self::Primary(observer, _) => observer,
        }
    }

    fn service(&self) -> &ServiceName {
        match self {
            Self::Word(Topic { service, .. })
            | Self::Lag(_, service)
            | Self::Primary(_, service) => service,
        }
    }

    /// Metric and statistic. Of two values in one second the worse: a publication that was retried
    /// cannot hide an illness.
    fn metric(&self) -> (&'static str, &'static str) {
        match self {
            Self::Word(topic) if topic.observer == topic.subject => (SELF_HEALTH, "Minimum"),
            Self::Word(_) => (PEER_HEALTH, "Minimum"),
            Self::Lag(..) => (REPLICA_LAG, "Maximum"),
            Self::Primary(..) => (IS_PRIMARY, "Minimum"),
        }
    }
}

fn query(config: &Config, index: usize, asked: &Question) -> MetricDataQuery {
    let dimension = |name, value| Dimension::builder().name(name).value(value).build();
    let (name, stat) = asked.metric();
    let metric = Metric::builder()
        .namespace(namespace(&config.cluster, asked.observer()))
        .metric_name(name)
        .dimensions(dimension(DIM_SERVICE, asked.service().as_str()));
    let metric = match asked {
        Question::Word(Topic { observer, subject, .. }) if observer != subject => {
            metric.dimensions(dimension(DIM_SUBJECT, subject.as_str()))
        }
        _ => metric,
    };
    let stat = MetricStat::builder().metric(metric.build()).period(PERIOD).stat(stat).build();
    MetricDataQuery::builder().id(format!("q{index}")).metric_stat(stat).return_data(true).build()
}

fn index_of(result: &MetricDataResult) -> Option<usize> {
    result.id()?.strip_prefix('q')?.parse().ok()
}

fn points(result: &MetricDataResult) -> impl Iterator<Item = (Timestamp, f64)> {
    let stamps = result.timestamps().iter().filter_map(|at| Timestamp::from_second(at.secs()).ok());
    stamps.zip(result.values().iter().copied())
}

/// The last of the points, and since when it has been the same. Points come oldest first.
fn newest_word(points: &[(Timestamp, f64)]) -> Option<Observed<Statement>> {
    let verdict = |value| {
        if value >= LEAVING_HEALTH { Verdict::Healthy } else { Verdict::Unhealthy }
    };
    let (at, value) = *points.last()?;
    let run = points.iter().rev().take_while(|(_, other)| verdict(*other) == verdict(value));
    let since = run.last().map_or(at, |(since, _)| *since);
    let leaving = (LEAVING_HEALTH..WHOLE).contains(&value);
    Some(Observed { value: Statement { verdict: verdict(value), since, leaving }, at })
}

/// The last of the points, in seconds; what is no duration was not published by an agent.
fn newest_lag(points: &[(Timestamp, f64)]) -> Option<Observed<Duration>> {
    let (at, seconds) = *points.last()?;
    Some(Observed { value: Duration::try_from_secs_f64(seconds).ok()?, at })
}

#[cfg(test)]
mod tests;

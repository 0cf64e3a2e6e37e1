//! CloudWatch: which alarms are in trouble, and what the agents published.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricAlarm, MetricDataQuery, MetricDataResult, MetricStat, ScanBy,
    StateValue, StatusCode,
};
use jiff::{SignedDuration, Timestamp};
use vipward_core::Config;
use vipward_core::name::ServiceName;
use vipward_core::telemetry::{AlarmName, alarm_prefix};
use vipward_reconcile::ports::{PortError, Published};
use vipward_reconcile::series::{PERIOD, Point, Question, Statistic, questions};

use super::failure;

/// One `GetMetricData` call takes 500 queries; a question may need two.
const QUESTIONS: usize = 250;

/// The cluster's alarms in `OK`. The quiet ones are asked for: an alarm that is missing, because
/// it was deleted or never made, must not pass for one that is quiet. Nor must one that CloudWatch
/// cannot evaluate, or one that is answered though it was not asked for.
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
        let alarms = page.metric_alarms().iter().filter(|alarm| is_quiet(alarm));
        names.extend(alarms.filter_map(|alarm| alarm.alarm_name()?.parse::<AlarmName>().ok()));
    }
    Ok(names)
}

/// In `OK`, and evaluated as it should be: there is no `EvaluationState` for that.
fn is_quiet(alarm: &MetricAlarm) -> bool {
    alarm.state_value() == Some(&StateValue::Ok) && alarm.evaluation_state().is_none()
}

/// The newest that was published of `services` since then.
pub(super) async fn metrics(
    client: &Client,
    config: &Config,
    services: &BTreeSet<ServiceName>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Published, PortError> {
    let (mut published, mut incomplete) = (Published::default(), BTreeSet::new());
    for chunk in questions(config, services).chunks(QUESTIONS) {
        let queries = chunk.iter().enumerate().flat_map(|(index, asked)| {
            asked.statistics().iter().map(move |statistic| query(config, index, asked, *statistic))
        });
        let mut series = series(client, queries.collect(), since, now).await?;
        for (index, asked) in chunk.iter().enumerate() {
            // A success may carry series that failed: no silence of the node they are about.
            let complete = |statistic: &Statistic| match series.remove(&id(index, *statistic)) {
                Some(Series { complete: true, points }) => Some((*statistic, points)),
                _ => None,
            };
            let Some(points) = asked.statistics().iter().map(complete).collect::<Option<Vec<_>>>()
            else {
                let (service, observer) = (asked.service(), asked.observer());
                tracing::warn!(%service, %observer, "series not complete");
                incomplete.insert(service.clone());
                continue;
            };
            published.take(asked, &Point::of_all(&points), config.policy.uncontested_after());
        }
    }
    for service in &incomplete {
        published.leave_out(service);
    }
    Ok(published)
}

/// One metric's values, oldest first, and whether CloudWatch gave them all.
#[derive(Default)]
struct Series {
    complete: bool,
    points: Vec<(Timestamp, f64)>,
}

/// By the queries' ids; a series may come in several pages, the last of which is complete.
async fn series(
    client: &Client,
    queries: Vec<MetricDataQuery>,
    since: Timestamp,
    now: Timestamp,
) -> Result<BTreeMap<String, Series>, PortError> {
    let mut pages = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(since.as_second()))
        // The end is exclusive, and the present second counts.
        .end_time(DateTime::from_secs((now + SignedDuration::from_secs(1)).as_second()))
        .scan_by(ScanBy::TimestampAscending)
        .into_paginator()
        .send();
    let mut all: BTreeMap<String, Series> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(failure::of("GetMetricData"))?;
        for result in page.metric_data_results() {
            let Some(id) = result.id() else { continue };
            let series = all.entry(id.to_owned()).or_default();
            series.complete = result.status_code() == Some(&StatusCode::Complete);
            series.points.extend(points(result));
        }
    }
    Ok(all)
}

fn query(config: &Config, index: usize, asked: &Question, statistic: Statistic) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace(asked.namespace(config))
        .metric_name(asked.metric())
        .set_dimensions(Some(
            asked
                .dimensions()
                .into_iter()
                .map(|(name, value)| Dimension::builder().name(name).value(value).build())
                .collect(),
        ))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(PERIOD).unwrap_or(i32::MAX))
        .stat(statistic.as_str())
        .build();
    MetricDataQuery::builder().id(id(index, statistic)).metric_stat(stat).return_data(true).build()
}

/// The id of the query that asks for a statistic of a question.
fn id(index: usize, statistic: Statistic) -> String {
    match statistic {
        Statistic::Minimum => format!("least{index}"),
        Statistic::Maximum => format!("greatest{index}"),
    }
}

fn points(result: &MetricDataResult) -> impl Iterator<Item = (Timestamp, f64)> {
    let stamps = result.timestamps().iter().filter_map(|at| Timestamp::from_second(at.secs()).ok());
    stamps.zip(result.values().iter().copied())
}

#[cfg(test)]
mod tests;

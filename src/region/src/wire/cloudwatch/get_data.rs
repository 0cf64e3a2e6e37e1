//! Reads of metrics: `GetMetricData`, `GetMetricStatistics` and `ListMetrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;
use vipward_region_model::cloudwatch::alarm::dimensions;
use vipward_region_model::cloudwatch::{CloudWatch, MetricId, Properties, Statistic, StatisticSet};

use super::answer::Answer;
use super::page::page;
use super::{contradictory, invalid};
use crate::wire::ApiError;

const MOST_QUERIES: usize = 500;
const MOST_DATAPOINTS: u32 = 100_800;
const MOST_STATISTICS: i64 = 1_440;
const LISTED_AT_ONCE: usize = 500;

/// Reads many metrics at once. Metric math is not part of this region.
pub fn get_metric_data(
    cloudwatch: &CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Answer, ApiError> {
    let queries = input.structures("MetricDataQueries")?;
    if queries.is_empty() {
        return Err(ApiError::new(
            "MissingParameter",
            400,
            "The parameter MetricDataQueries is required.",
        ));
    }
    if queries.len() > MOST_QUERIES {
        return Err(validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}."
        )));
    }
    let seconds = seconds(input)?;
    let oldest_first = match input.text("ScanBy")?.as_deref() {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(_) => {
            return Err(input
                .invalid("ScanBy", "TimestampAscending or TimestampDescending")
                .into());
        }
    };
    let mut left = input.count("MaxDatapoints")?.unwrap_or(MOST_DATAPOINTS) as usize;
    let mut ids = BTreeSet::new();
    let mut results = Vec::new();
    for query in &queries {
        let query = Query::read(query)?;
        if !ids.insert(query.id.clone()) {
            return Err(validation(format!("The query id {} is used more than once.", query.id)));
        }
        if query.returned {
            let found = cloudwatch.read(&query.metric, seconds.clone(), query.period, now);
            results.push(query.result(&found, oldest_first, &mut left));
        }
    }
    Ok(Answer::Structure(vec![
        ("MetricDataResults", Answer::List(results)),
        ("Messages", Answer::List(Vec::new())),
    ]))
}

struct Query {
    id: String,
    label: String,
    metric: MetricId,
    period: u32,
    statistic: Statistic,
    returned: bool,
}

impl Query {
    fn read(query: &Properties<'_>) -> Result<Self, ApiError> {
        if query.has("Expression") {
            return Err(validation("Metric math expressions are not part of this region."));
        }
        let stat = query.structure("MetricStat");
        let metric = read_metric(&stat.structure("Metric"))?;
        let statistic = stat.parsed("Stat", "Average, Sum, Minimum, Maximum or SampleCount")?;
        Ok(Self {
            id: query.needed_text("Id")?,
            label: query.text("Label")?.unwrap_or_else(|| metric.name.clone()),
            metric,
            period: read_period(&stat)?,
            statistic: stat.required("Stat", statistic)?,
            returned: query.parsed("ReturnData", "true or false")?.unwrap_or(true),
        })
    }

    /// The result with at most `left` datapoints, which it uses up.
    fn result(
        &self,
        found: &BTreeMap<i64, StatisticSet>,
        oldest_first: bool,
        left: &mut usize,
    ) -> Answer {
        let mut points: Vec<(i64, f64)> =
            found.iter().map(|(at, set)| (*at, set.get(self.statistic))).collect();
        if !oldest_first {
            points.reverse();
        }
        let status = if points.len() > *left { "PartialData" } else { "Complete" };
        points.truncate(*left);
        *left -= points.len();
        let times = points.iter().map(|(second, _)| time(*second)).collect();
        let values = points.iter().map(|(_, value)| Answer::Number(*value)).collect();
        Answer::Structure(vec![
            ("Id", Answer::text(&self.id)),
            ("Label", Answer::text(&self.label)),
            ("Timestamps", Answer::List(times)),
            ("Values", Answer::List(values)),
            ("StatusCode", Answer::text(status)),
        ])
    }
}

/// Reads some statistics of one metric.
pub fn get_metric_statistics(
    cloudwatch: &CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Answer, ApiError> {
    let metric = read_metric(input)?;
    let seconds = seconds(input)?;
    let period = read_period(input)?;
    let statistics: Vec<Statistic> = input
        .texts("Statistics")?
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| {
            input.invalid("Statistics", "Average, Sum, Minimum, Maximum or SampleCount")
        })?;
    if statistics.is_empty() {
        return Err(ApiError::new(
            "MissingParameter",
            400,
            "The parameter Statistics is required.",
        ));
    }
    let points = (seconds.end - seconds.start) / i64::from(period);
    if points > MOST_STATISTICS {
        return Err(contradictory(format!(
            "You have requested up to {points} datapoints, which exceeds the limit of 1,440. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let found = cloudwatch.read(&metric, seconds, period, now);
    let datapoints = found.iter().map(|(second, set)| {
        let mut members = vec![("Timestamp", time(*second))];
        members.extend(statistics.iter().map(|s| (s.as_str(), Answer::Number(set.get(*s)))));
        members.push(("Unit", Answer::text("None")));
        Answer::Structure(members)
    });
    Ok(Answer::Structure(vec![
        ("Datapoints", Answer::List(datapoints.collect())),
        ("Label", Answer::Text(metric.name)),
    ]))
}

/// Lists the metrics that have values.
pub fn list_metrics(
    cloudwatch: &CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Answer, ApiError> {
    let namespace = input.text("Namespace")?;
    let name = input.text("MetricName")?;
    let mut wanted = Vec::new();
    for dimension in input.structures("Dimensions")? {
        wanted.push((dimension.needed_text("Name")?, dimension.text("Value")?));
    }
    let matches = |id: &MetricId| {
        namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
            && name.as_ref().is_none_or(|name| *name == id.name)
            && wanted.iter().all(|(name, value)| {
                let found = id.dimensions.get(name);
                found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
            })
    };
    let mut entries: BTreeMap<String, Answer> = BTreeMap::new();
    for id in cloudwatch.metrics(now).filter(|id| matches(id)) {
        entries.insert(format!("{}\n{}", id.namespace, id.label()), metric_answer(id));
    }
    let token = input.text("NextToken")?;
    let (metrics, next) = page(entries.into_iter(), token.as_deref(), LISTED_AT_ONCE)?;
    let mut members = vec![("Metrics", Answer::List(metrics))];
    members.extend(next.map(|token| ("NextToken", Answer::Text(token))));
    Ok(Answer::Structure(members))
}

fn metric_answer(id: &MetricId) -> Answer {
    Answer::Structure(vec![
        ("Namespace", Answer::text(&id.namespace)),
        ("MetricName", Answer::text(&id.name)),
        ("Dimensions", dimensions_answer(&id.dimensions)),
    ])
}

/// Dimensions as the API lists them.
pub fn dimensions_answer(dimensions: &BTreeMap<String, String>) -> Answer {
    let dimension = |(name, value): (&String, &String)| {
        Answer::Structure(vec![("Name", Answer::text(name)), ("Value", Answer::text(value))])
    };
    Answer::List(dimensions.iter().map(dimension).collect())
}

fn read_metric(input: &Properties<'_>) -> Result<MetricId, ApiError> {
    Ok(MetricId {
        namespace: input.needed_text("Namespace")?,
        name: input.needed_text("MetricName")?,
        dimensions: dimensions(input)?,
    })
}

fn read_period(input: &Properties<'_>) -> Result<u32, ApiError> {
    let period = input.required("Period", input.count("Period")?)?;
    if matches!(period, 1 | 5 | 10 | 20 | 30) || period.is_multiple_of(60) {
        Ok(period)
    } else {
        Err(input.invalid("Period", "1, 5, 10, 20, 30 or a multiple of 60").into())
    }
}

/// From `StartTime` up to `EndTime` in Unix seconds; the end does not belong to it.
fn seconds(input: &Properties<'_>) -> Result<Range<i64>, ApiError> {
    let start = input.required("StartTime", input.time("StartTime")?)?;
    let end = input.required("EndTime", input.time("EndTime")?)?;
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok(start.as_second()..(end.as_millisecond() + 999).div_euclid(1000))
}

fn time(second: i64) -> Answer {
    Answer::Time(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", 400, message)
}

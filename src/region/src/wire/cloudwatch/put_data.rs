//! `PutMetricData`: all of a request is checked before any of it counts.

use jiff::{SignedDuration, Timestamp};
use vipward_region_model::cloudwatch::alarm::dimensions;
use vipward_region_model::cloudwatch::{CloudWatch, Datum, MetricId, Properties, StatisticSet};

use super::{contradictory, invalid};
use crate::wire::ApiError;

const MOST_METRICS: usize = 1000;
const MOST_VALUES: usize = 150;
const MOST_DIMENSIONS: usize = 30;

/// Values may lie between minus and plus 2 to the power of this.
const LARGEST_EXPONENT: i32 = 360;

const OLDEST: SignedDuration = SignedDuration::from_hours(14 * 24);
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(2);

pub fn put_metric_data(
    cloudwatch: &mut CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<(), ApiError> {
    let namespace = input.needed_text("Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(invalid("The value AWS/ for parameter Namespace is invalid."));
    }
    let metrics = input.structures("MetricData")?;
    if metrics.is_empty() {
        return Err(ApiError::new(
            "MissingParameter",
            400,
            "The parameter MetricData is required.",
        ));
    }
    at_most(MOST_METRICS, metrics.len(), "MetricData")?;
    let data: Vec<Datum> = metrics
        .iter()
        .map(|metric| read_datum(&namespace, metric, now))
        .collect::<Result<_, _>>()?;
    cloudwatch.put_data(&namespace, data, now);
    Ok(())
}

fn read_datum(namespace: &str, metric: &Properties<'_>, now: Timestamp) -> Result<Datum, ApiError> {
    let dimension_count = metric.structures("Dimensions")?.len();
    at_most(MOST_DIMENSIONS, dimension_count, &metric.path("Dimensions"))?;
    let at = metric.time("Timestamp")?;
    if let Some(at) = at {
        check_time(at, now, &metric.path("Timestamp"))?;
    }
    let high_resolution = match metric.count("StorageResolution")? {
        Some(1) => true,
        None | Some(60) => false,
        Some(_) => return Err(metric.invalid("StorageResolution", "1 or 60").into()),
    };
    Ok(Datum {
        metric: MetricId {
            namespace: namespace.to_owned(),
            name: metric.needed_text("MetricName")?,
            dimensions: dimensions(metric)?,
        },
        at,
        values: read_values(metric)?,
        high_resolution,
    })
}

fn check_time(at: Timestamp, now: Timestamp, path: &str) -> Result<(), ApiError> {
    if at < now - OLDEST {
        return Err(invalid(format!(
            "The parameter {path} must specify a time within the past two weeks."
        )));
    }
    if at > now + FURTHEST_AHEAD {
        return Err(invalid(format!(
            "The parameter {path} must specify a time no more than two hours in the future."
        )));
    }
    Ok(())
}

/// The values, in one of three forms: a value, a statistic set, or values with how often each
/// occurred.
fn read_values(metric: &Properties<'_>) -> Result<StatisticSet, ApiError> {
    let forms = ["Value", "StatisticValues", "Values"];
    let given: Vec<String> =
        forms.into_iter().filter(|form| metric.has(form)).map(|form| metric.path(form)).collect();
    match given.as_slice() {
        [] => Err(ApiError::new(
            "MissingParameter",
            400,
            format!(
                "At least one of the parameters {} must be specified.",
                forms.map(|f| metric.path(f)).join(", ")
            ),
        )),
        [_] if metric.has("Value") => {
            let value = metric.required("Value", metric.number("Value")?)?;
            Ok(StatisticSet::of(sound(value, &metric.path("Value"))?, 1.0))
        }
        [_] if metric.has("Values") => read_counted(metric),
        [_] => read_set(&metric.structure("StatisticValues")),
        [first, second, ..] => Err(contradictory(format!(
            "The parameters {first} and {second} are mutually exclusive and you have specified both."
        ))),
    }
}

fn read_counted(metric: &Properties<'_>) -> Result<StatisticSet, ApiError> {
    let path = metric.path("Values");
    let values = metric.numbers("Values")?;
    at_most(MOST_VALUES, values.len(), &path)?;
    let counts = match metric.numbers("Counts")? {
        counts if counts.is_empty() => vec![1.0; values.len()],
        counts if counts.len() == values.len() => counts,
        _ => {
            let counts = metric.path("Counts");
            return Err(invalid(format!(
                "The parameters {path} and {counts} must be of the same size."
            )));
        }
    };
    let mut sets = Vec::new();
    for (value, count) in values.iter().zip(counts) {
        if count < 0.0 {
            return Err(metric.invalid("Counts", "counts of zero and more").into());
        }
        sets.push(StatisticSet::of(sound(*value, &path)?, sound(count, &metric.path("Counts"))?));
    }
    sets.into_iter()
        .reduce(StatisticSet::merge)
        .ok_or_else(|| invalid(format!("The collection {path} must not be empty.")))
}

fn read_set(set: &Properties<'_>) -> Result<StatisticSet, ApiError> {
    let number = |name: &str| -> Result<f64, ApiError> {
        sound(set.required(name, set.number(name)?)?, &set.path(name))
    };
    Ok(StatisticSet {
        count: number("SampleCount")?,
        sum: number("Sum")?,
        minimum: number("Minimum")?,
        maximum: number("Maximum")?,
    })
}

/// A number that `CloudWatch` can keep: no NaN, no infinity, nothing beyond its range.
fn sound(value: f64, path: &str) -> Result<f64, ApiError> {
    if value.is_finite() && value.abs() <= 2_f64.powi(LARGEST_EXPONENT) {
        Ok(value)
    } else {
        Err(invalid(format!("The value {value} for parameter {path} is invalid.")))
    }
}

fn at_most(most: usize, found: usize, path: &str) -> Result<(), ApiError> {
    if found > most {
        return Err(invalid(format!(
            "The collection {path} must not have a size greater than {most}."
        )));
    }
    Ok(())
}

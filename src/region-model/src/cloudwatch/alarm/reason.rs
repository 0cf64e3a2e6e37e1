//! Why an alarm is in its state: the sentence and the data that CloudWatch gives.

use jiff::Timestamp;
use serde::Serialize;

use super::evaluate::{Bucket, MissingData, StateValue};
use super::spec::AlarmSpec;
use super::stamp;
use crate::cloudwatch::StatisticSet;

/// A bucket with data: the Unix second at which it begins, and its values.
pub type Datapoint = (i64, StatisticSet);

/// The sentence for a state that was reached on these datapoints, the last N real ones, oldest
/// first.
pub fn sentence(spec: &AlarmSpec, to: StateValue, datapoints: &[Datapoint]) -> String {
    let periods = spec.evaluation_periods as usize;
    let missing = periods - datapoints.len();
    if to == StateValue::InsufficientData {
        return format!("Insufficient Data: {} unknown.", were(missing));
    }
    let side = if to == StateValue::Alarm { Bucket::Breaching } else { Bucket::Good };
    let deciding: Vec<String> = datapoints
        .iter()
        .rev()
        .filter(|(_, values)| spec.bucket(Some(values)) == side)
        .map(|(second, values)| {
            format!("{:?} ({})", values.get(spec.statistic), short_stamp(*second))
        })
        .collect();
    let filled = filled(spec.missing_data, missing);
    if deciding.is_empty() {
        let received = match datapoints.len() {
            0 => "no datapoints were".to_owned(),
            count => were(count),
        };
        let filled = filled.unwrap_or_default();
        return format!(
            "Threshold Crossed: {received} received for {}{filled}.",
            count_of(periods, "period")
        );
    }
    let (not, needed, transition) = match side {
        Bucket::Breaching => ("", spec.datapoints_to_alarm, "OK -> ALARM"),
        _ => ("not ", spec.evaluation_periods - spec.datapoints_to_alarm + 1, "ALARM -> OK"),
    };
    format!(
        "Threshold Crossed: {} out of the last {periods} datapoints [{}] {} {not}{} the threshold ({:?}){} \
         (minimum {} for {transition} transition).",
        deciding.len(),
        deciding.join(", "),
        if deciding.len() == 1 { "was" } else { "were" },
        spec.comparison.words(),
        spec.threshold,
        filled.unwrap_or_default(),
        count_of(needed as usize, "datapoint"),
    )
}

/// What empty periods were taken for, where the policy takes them for something.
fn filled(policy: MissingData, missing: usize) -> Option<String> {
    let taken_for = match policy {
        _ if missing == 0 => return None,
        MissingData::Breaching => "Breaching",
        MissingData::NotBreaching => "NonBreaching",
        MissingData::Ignore | MissingData::Missing => return None,
    };
    let verb = if missing == 1 { "was" } else { "were" };
    let missing = count_of(missing, "missing datapoint");
    Some(format!(" and {missing} {verb} treated as [{taken_for}]"))
}

fn were(datapoints: usize) -> String {
    let verb = if datapoints == 1 { "was" } else { "were" };
    format!("{} {verb}", count_of(datapoints, "datapoint"))
}

fn count_of(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The fields of `reasonData`, in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonData {
    version: &'static str,
    query_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    statistic: &'static str,
    period: u32,
    recent_datapoints: Vec<f64>,
    threshold: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evaluated_datapoints: Vec<EvaluatedDatapoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EvaluatedDatapoint {
    timestamp: String,
    sample_count: f64,
    value: f64,
}

/// The data behind a state, as JSON in a text: recent values oldest first, evaluated ones newest
/// first.
pub fn data(spec: &AlarmSpec, datapoints: &[Datapoint], now: Timestamp) -> String {
    let value = |values: &StatisticSet| values.get(spec.statistic);
    let data = ReasonData {
        version: "1.0",
        query_date: stamp(now),
        start_date: datapoints.first().map(|(second, _)| stamp(at(*second))),
        statistic: spec.statistic.as_str(),
        period: spec.period,
        recent_datapoints: datapoints.iter().map(|(_, values)| value(values)).collect(),
        threshold: spec.threshold,
        evaluated_datapoints: datapoints
            .iter()
            .rev()
            .map(|(second, values)| EvaluatedDatapoint {
                timestamp: stamp(at(*second)),
                sample_count: values.count,
                value: value(values),
            })
            .collect(),
    };
    serde_json::to_string(&data).expect("texts and numbers always serialise")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn short_stamp(second: i64) -> String {
    at(second).strftime("%d/%m/%y %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;

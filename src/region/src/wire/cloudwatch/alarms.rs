//! Operations on alarms.

use jiff::Timestamp;
use vipward_region_model::Place;
use vipward_region_model::cloudwatch::alarm::{Alarm, AlarmSpec, State, StateValue, arn};
use vipward_region_model::cloudwatch::{CloudWatch, Properties};

use super::answer::Answer;
use super::contradictory;
use super::get_data::dimensions_answer;
use super::page::page;
use crate::wire::ApiError;

const DESCRIBED_AT_ONCE: u32 = 50;
const MOST_DESCRIBED: u32 = 100;

pub fn put(
    cloudwatch: &mut CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<(), ApiError> {
    let spec = AlarmSpec::from_properties(input.needed_text("AlarmName")?, input)?;
    cloudwatch.put_alarm(spec, now);
    Ok(())
}

/// Lists alarms by name, prefix or state.
pub fn describe(
    cloudwatch: &CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Answer, ApiError> {
    let names = input.texts("AlarmNames")?;
    let prefix = input.text("AlarmNamePrefix")?;
    if prefix.is_some() && !names.is_empty() {
        return Err(contradictory("AlarmNames and AlarmNamePrefix cannot be given together."));
    }
    let state: Option<StateValue> = input.parsed("StateValue", "OK, ALARM or INSUFFICIENT_DATA")?;
    let types = input.texts("AlarmTypes")?;
    let largest = input.count("MaxRecords")?.unwrap_or(DESCRIBED_AT_ONCE);
    if largest > MOST_DESCRIBED {
        return Err(input.invalid("MaxRecords", "at most 100").into());
    }
    let wanted = |(alarm, shown): &(&Alarm, &State)| {
        (names.is_empty() || names.contains(&alarm.spec.name))
            && prefix.as_ref().is_none_or(|prefix| alarm.spec.name.starts_with(prefix))
            && state.is_none_or(|state| shown.value == state)
            && (types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm"))
    };
    let entries = cloudwatch.described_alarms(now).filter(wanted).map(|(alarm, shown)| {
        (alarm.spec.name.clone(), alarm_answer(cloudwatch.place(), alarm, shown))
    });
    let token = input.text("NextToken")?;
    let (alarms, next) = page(entries, token.as_deref(), largest as usize)?;
    let mut members =
        vec![("MetricAlarms", Answer::List(alarms)), ("CompositeAlarms", Answer::List(Vec::new()))];
    members.extend(next.map(|token| ("NextToken", Answer::Text(token))));
    Ok(Answer::Structure(members))
}

fn alarm_answer(place: &Place, alarm: &Alarm, state: &State) -> Answer {
    let Alarm { spec, .. } = alarm;
    let mut members = vec![
        ("AlarmName", Answer::text(&spec.name)),
        ("AlarmArn", Answer::Text(arn(place, &spec.name))),
        ("AlarmConfigurationUpdatedTimestamp", Answer::Time(alarm.configured_at)),
        ("ActionsEnabled", Answer::Flag(true)),
        ("StateValue", Answer::text(state.value.as_str())),
        ("StateReason", Answer::text(&state.reason)),
        ("StateUpdatedTimestamp", Answer::Time(state.since)),
        ("StateTransitionedTimestamp", Answer::Time(state.since)),
        ("MetricName", Answer::text(&spec.metric.name)),
        ("Namespace", Answer::text(&spec.metric.namespace)),
        ("Statistic", Answer::text(spec.statistic.as_str())),
        ("Dimensions", dimensions_answer(&spec.metric.dimensions)),
        ("Period", Answer::Whole(spec.period.into())),
        ("EvaluationPeriods", Answer::Whole(spec.evaluation_periods.into())),
        ("DatapointsToAlarm", Answer::Whole(spec.datapoints_to_alarm.into())),
        ("Threshold", Answer::Number(spec.threshold)),
        ("ComparisonOperator", Answer::text(spec.comparison.as_str())),
        ("TreatMissingData", Answer::text(spec.missing_data.as_str())),
    ];
    let description = spec.description.as_ref();
    members.extend(description.map(|text| ("AlarmDescription", Answer::text(text))));
    let reason_data = state.reason_data.as_ref();
    members.extend(reason_data.map(|text| ("StateReasonData", Answer::text(text))));
    Answer::Structure(members)
}

/// Removes alarms: all of them, or none when one is not there.
pub fn delete(cloudwatch: &mut CloudWatch, input: &Properties<'_>) -> Result<(), ApiError> {
    let names = input.texts("AlarmNames")?;
    if names.is_empty() {
        return Err(ApiError::new(
            "MissingParameter",
            400,
            "The parameter AlarmNames is required.",
        ));
    }
    if let Some(absent) = names.iter().find(|name| cloudwatch.alarm(name).is_none()) {
        return Err(unknown(absent));
    }
    for name in &names {
        cloudwatch.remove_alarm(name);
    }
    Ok(())
}

/// Sets an alarm's state until its next evaluation.
pub fn set_state(
    cloudwatch: &mut CloudWatch,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<(), ApiError> {
    let name = input.needed_text("AlarmName")?;
    let value = input.parsed("StateValue", "OK, ALARM or INSUFFICIENT_DATA")?;
    let reason_data = input.text("StateReasonData")?;
    if let Some(data) = &reason_data
        && serde_json::from_str::<serde_json::Value>(data).is_err()
    {
        return Err(ApiError::new("InvalidFormat", 400, "StateReasonData is not valid JSON."));
    }
    let reason = input.text("StateReason")?;
    let state = State {
        value: input.required("StateValue", value)?,
        reason: input.required("StateReason", reason)?,
        reason_data,
        since: now,
    };
    if cloudwatch.set_alarm_state(&name, state) { Ok(()) } else { Err(unknown(&name)) }
}

fn unknown(name: &str) -> ApiError {
    ApiError::new("ResourceNotFound", 404, format!("Alarm {name} does not exist."))
}

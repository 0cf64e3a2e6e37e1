//! `AWS::Serverless::Function` properties to a function.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use crate::Place;
use crate::lambda::FunctionSpec;

/// What is wrong with a function's properties.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FunctionError {
    #[error("{0} is not a whole number")]
    NotANumber(&'static str),
    #[error("Environment.Variables.{0} is not a text or a number")]
    NotAText(String),
    #[error("Events are not read: write each as an AWS::Events::Rule")]
    Events,
}

/// Reads a function from `Globals.Function` and its own resolved properties.
pub(super) fn read(
    name: &str,
    globals: &Value,
    own: &Value,
    place: &Place,
) -> Result<FunctionSpec, FunctionError> {
    if !own["Events"].is_null() {
        return Err(FunctionError::Events);
    }
    let property = |name: &'static str| {
        let value = if own[name].is_null() { &globals[name] } else { &own[name] };
        number(name, value)
    };
    let invoke = &own["EventInvokeConfig"];
    let seconds = |count: Option<u32>, default: i64| {
        SignedDuration::from_secs(count.map_or(default, i64::from))
    };
    let mut environment = variables(globals)?;
    environment.extend(variables(own)?);
    Ok(FunctionSpec {
        name: name.to_owned(),
        arn: format!("arn:aws:lambda:{}:{}:function:{name}", place.region, place.account),
        timeout: seconds(property("Timeout")?, 3),
        memory_mb: property("MemorySize")?.unwrap_or(128),
        reserved: property("ReservedConcurrentExecutions")?,
        role: own["Role"].as_str().or(globals["Role"].as_str()).map(str::to_owned),
        environment,
        max_event_age: seconds(
            number("MaximumEventAgeInSeconds", &invoke["MaximumEventAgeInSeconds"])?,
            21_600,
        ),
        max_retries: number("MaximumRetryAttempts", &invoke["MaximumRetryAttempts"])?.unwrap_or(2),
    })
}

/// A whole number, as YAML number or as the text that a parameter's default often is.
fn number(name: &'static str, value: &Value) -> Result<Option<u32>, FunctionError> {
    let read = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    read.map(Some).ok_or(FunctionError::NotANumber(name))
}

fn variables(properties: &Value) -> Result<BTreeMap<String, String>, FunctionError> {
    let Some(variables) = properties["Environment"]["Variables"].as_object() else {
        return Ok(BTreeMap::new());
    };
    variables
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return Err(FunctionError::NotAText(name.clone())),
            };
            Ok((name.clone(), text))
        })
        .collect()
}

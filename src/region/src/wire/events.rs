//! EventBridge on the wire: AWS JSON 1.1.

mod put_events;
mod rules;

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_region_model::Place;
use vipward_region_model::cloudwatch::{Properties, PropertyError};
use vipward_region_model::events::{EventBridge, RuleError};
use vipward_region_model::iam::{Context, SOURCE};
use vipward_region_model::ids::stable_id;

use crate::wire::Access;
use crate::wire::{ApiError, Request, Response};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

pub fn handle(events: &mut EventBridge, now: Timestamp, request: &Request) -> Response {
    match operate(events, now, request) {
        Ok(answer) => respond(request, 200, &answer),
        Err(error) => refuse(request, &error),
    }
}

/// Answers a request with an error, whatever it asks for.
pub fn refuse(request: &Request, error: &ApiError) -> Response {
    let body = json!({"__type": error.code, "message": error.message});
    respond(request, error.status, &body)
}

/// What a call is about, for IAM: the buses and the sources of all entries.
pub(super) fn access(request: &Request, place: &Place) -> Access {
    let input: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let entries = Properties::root(&input).structures("Entries").unwrap_or_default();
    let texts =
        |name: &'static str| entries.iter().map(move |entry| entry.text(name).ok().flatten());
    let buses = texts("EventBusName").map(|bus| match bus {
        Some(arn) if arn.starts_with("arn:") => arn,
        name => {
            let (Place { account, region }, name) = (place, name.unwrap_or("default".to_owned()));
            format!("arn:aws:events:{region}:{account}:event-bus/{name}")
        }
    });
    // An entry without a source is its own, empty one: it must not pass for not being there.
    let sources: Vec<_> = texts("Source").map(Option::unwrap_or_default).collect();
    let said = (!sources.is_empty()).then_some((SOURCE, sources));
    (buses.collect(), Context::from_iter(said))
}

/// The operation that a request asks for; empty when it is no request to this service.
pub fn operation(request: &Request) -> String {
    let target = request.header("x-amz-target").unwrap_or_default();
    target.strip_prefix("AWSEvents.").unwrap_or_default().to_owned()
}

fn operate(events: &mut EventBridge, now: Timestamp, request: &Request) -> Result<Value, ApiError> {
    let input: Value = serde_json::from_slice(&request.body)
        .map_err(|error| ApiError::new("SerializationException", 400, error.to_string()))?;
    let input = Properties::root(&input);
    match operation(request).as_str() {
        "PutEvents" => put_events::put_events(events, now, &input),
        "PutRule" => rules::put(events, now, &input),
        "PutTargets" => rules::put_targets(events, &input),
        "RemoveTargets" => rules::remove_targets(events, &input),
        "DeleteRule" => rules::delete(events, &input),
        "DescribeRule" => rules::describe(events, &input),
        "ListRules" => rules::list(events, &input),
        "ListTargetsByRule" => rules::list_targets(events, &input),
        "TestEventPattern" => rules::test_pattern(&input),
        other => Err(ApiError::new(
            "UnknownOperationException",
            400,
            format!("Could not find operation {other}"),
        )),
    }
}

/// A request's id follows from its signature and body: the region has no chance in it.
fn respond(request: &Request, status: u16, body: &Value) -> Response {
    let signature = request.header("authorization").unwrap_or_default();
    let id = stable_id(&[signature, &String::from_utf8_lossy(&request.body)]);
    Response::new(status, CONTENT_TYPE, body.to_string()).with_header("x-amzn-requestid", id)
}

fn validation(error: &PropertyError) -> ApiError {
    ApiError::new("ValidationException", 400, format!("1 validation error detected: {error}"))
}

fn rule_error(error: &RuleError) -> ApiError {
    match error {
        RuleError::Property(error) => validation(error),
        RuleError::Pattern(error) => invalid_pattern(error),
        error => ApiError::new("ValidationException", 400, error.to_string()),
    }
}

fn invalid_pattern(error: &impl std::fmt::Display) -> ApiError {
    ApiError::new("InvalidEventPatternException", 400, error.to_string())
}

/// Only the default bus is here, by its name or its ARN.
fn check_bus(input: &Properties<'_>) -> Result<(), ApiError> {
    let bus = input.text("EventBusName").map_err(|error| validation(&error))?;
    match bus.as_deref() {
        None | Some("default") => Ok(()),
        Some(arn) if arn.ends_with(":event-bus/default") => Ok(()),
        Some(other) => Err(ApiError::new(
            "ResourceNotFoundException",
            400,
            format!("Event bus {other} does not exist."),
        )),
    }
}

#[cfg(test)]
mod tests;

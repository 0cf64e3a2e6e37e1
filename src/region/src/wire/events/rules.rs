//! Operations on rules and their targets.

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_region_model::cloudwatch::Properties;
use vipward_region_model::events::{EventBridge, Pattern, RuleSpec, Target, rule_arn, targets};

use super::{check_bus, invalid_pattern, rule_error, validation};
use crate::wire::ApiError;

pub fn put(
    events: &mut EventBridge,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Value, ApiError> {
    check_bus(input)?;
    let name = text(input, "Name")?;
    let pattern = input.text("EventPattern").map_err(|error| validation(&error))?;
    let pattern = pattern.map(|text| read_pattern(&text)).transpose()?;
    let spec = RuleSpec::from_properties(name.clone(), pattern, input)
        .map_err(|error| rule_error(&error))?;
    events.put_rule(spec, now);
    Ok(json!({"RuleArn": rule_arn(events.place(), &name)}))
}

/// Adds targets to a rule, or changes those of the same id.
pub fn put_targets(events: &mut EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    let added = targets(input).map_err(|error| validation(&error))?;
    let present = targets_of(events, input)?;
    present.retain(|target| added.iter().all(|other| other.id != target.id));
    present.extend(added);
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

/// Removes targets from a rule; ids that it does not have are no error.
pub fn remove_targets(events: &mut EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    let ids = input.texts("Ids").map_err(|error| validation(&error))?;
    targets_of(events, input)?.retain(|target| !ids.contains(&target.id));
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

fn targets_of<'a>(
    events: &'a mut EventBridge,
    input: &Properties<'_>,
) -> Result<&'a mut Vec<Target>, ApiError> {
    check_bus(input)?;
    let rule = text(input, "Rule")?;
    events.targets_mut(&rule).ok_or_else(|| unknown(&rule))
}

/// Removes a rule that has no targets left; one that is not there is no error.
pub fn delete(events: &mut EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    check_bus(input)?;
    let name = text(input, "Name")?;
    if events.rule(&name).is_some_and(|rule| !rule.targets.is_empty()) {
        return Err(ApiError::new(
            "ValidationException",
            400,
            "Rule can't be deleted since it has targets.",
        ));
    }
    events.remove_rule(&name);
    Ok(json!({}))
}

pub fn describe(events: &EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    check_bus(input)?;
    let name = text(input, "Name")?;
    let rule = events.rule(&name).ok_or_else(|| unknown(&name))?;
    Ok(rule_answer(events, rule))
}

/// Lists rules, by prefix where one is given.
pub fn list(events: &EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    check_bus(input)?;
    let prefix = input.text("NamePrefix").map_err(|error| validation(&error))?.unwrap_or_default();
    let wanted = events.rules().filter(|rule| rule.name.starts_with(&prefix));
    let rules: Vec<Value> = wanted.map(|rule| rule_answer(events, rule)).collect();
    Ok(json!({"Rules": rules}))
}

pub fn list_targets(events: &EventBridge, input: &Properties<'_>) -> Result<Value, ApiError> {
    check_bus(input)?;
    let name = text(input, "Rule")?;
    let rule = events.rule(&name).ok_or_else(|| unknown(&name))?;
    let targets = rule.targets.iter().map(|target| json!({"Id": target.id, "Arn": target.arn}));
    Ok(json!({"Targets": targets.collect::<Vec<_>>()}))
}

pub fn test_pattern(input: &Properties<'_>) -> Result<Value, ApiError> {
    let pattern = read_pattern(&text(input, "EventPattern")?)?;
    let event: Value = serde_json::from_str(&text(input, "Event")?).map_err(|error| {
        ApiError::new("ValidationException", 400, format!("Event is not valid. Reason: {error}"))
    })?;
    for name in ["id", "account", "source", "time", "region", "resources", "detail-type"] {
        if event.get(name).is_none() {
            let message =
                format!("Parameter Event is not valid. Reason: Missing required field {name}.");
            return Err(ApiError::new("ValidationException", 400, message));
        }
    }
    Ok(json!({"Result": pattern.matches(&event)}))
}

fn read_pattern(text: &str) -> Result<Pattern, ApiError> {
    let source = serde_json::from_str(text).map_err(|error| invalid_pattern(&error))?;
    Pattern::parse(&source).map_err(|error| invalid_pattern(&error))
}

fn rule_answer(events: &EventBridge, rule: &RuleSpec) -> Value {
    let mut answer = json!({
        "Name": rule.name,
        "Arn": rule_arn(events.place(), &rule.name),
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
        "EventBusName": "default",
    });
    if let Some(description) = &rule.description {
        answer["Description"] = json!(description);
    }
    if let Some(pattern) = &rule.pattern {
        answer["EventPattern"] = json!(pattern.source().to_string());
    }
    if let Some(rate) = &rule.schedule {
        answer["ScheduleExpression"] = json!(rate.to_string());
    }
    answer
}

fn text(input: &Properties<'_>, name: &str) -> Result<String, ApiError> {
    input.needed_text(name).map_err(|error| validation(&error))
}

fn unknown(rule: &str) -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        400,
        format!("Rule {rule} does not exist on EventBus default."),
    )
}

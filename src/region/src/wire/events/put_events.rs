//! `PutEvents`: each entry succeeds or fails for itself, inside an answer that says 200.

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_region_model::cloudwatch::{Properties, PropertyError};
use vipward_region_model::events::{Envelope, EventBridge};

use super::{check_bus, validation};
use crate::wire::ApiError;

const MOST_ENTRIES: usize = 10;
const LARGEST: usize = 256 * 1024;

/// What a `Time` counts for in the size of an entry, however it is written.
const TIME_SIZE: usize = 14;

pub fn put_events(
    events: &mut EventBridge,
    now: Timestamp,
    input: &Properties<'_>,
) -> Result<Value, ApiError> {
    let entries = input.structures("Entries").map_err(|error| validation(&error))?;
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        return Err(ApiError::new(
            "ValidationException",
            400,
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length \
             between 1 and 10",
        ));
    }
    if entries.iter().map(size).sum::<usize>() > LARGEST {
        return Err(ApiError::new(
            "ValidationException",
            400,
            "Total size of the entries in the request is over the limit.",
        ));
    }
    let mut failed = 0;
    let mut results = Vec::new();
    for entry in &entries {
        results.push(match read_entry(entry, now) {
            Ok(envelope) => json!({"EventId": put(events, envelope, now)}),
            Err(refusal) => {
                failed += 1;
                json!({"ErrorCode": refusal.code, "ErrorMessage": refusal.message})
            }
        });
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

fn put(events: &mut EventBridge, mut envelope: Envelope, now: Timestamp) -> String {
    envelope.id = events.next_id();
    let event = envelope.to_event(events.place());
    events.offer(&event, now);
    envelope.id
}

struct Refusal {
    code: &'static str,
    message: String,
}

impl From<PropertyError> for Refusal {
    fn from(error: PropertyError) -> Self {
        let (PropertyError::Missing { path } | PropertyError::Invalid { path, .. }) = error;
        let name = path.rsplit('.').next().unwrap_or_default().to_owned();
        Self {
            code: "InvalidArgument",
            message: format!(
                "Parameter {name} is not valid. Reason: {name} is a required argument."
            ),
        }
    }
}

fn read_entry(entry: &Properties<'_>, now: Timestamp) -> Result<Envelope, Refusal> {
    let source = entry.needed_text("Source")?;
    let detail_type = entry.needed_text("DetailType")?;
    let detail = entry.needed_text("Detail")?;
    if source.starts_with("aws.") {
        return Err(Refusal {
            code: "NotAuthorizedForSourceException",
            message: "Not authorized for the source.".to_owned(),
        });
    }
    check_bus(entry)
        .map_err(|error| Refusal { code: "ResourceNotFoundException", message: error.message })?;
    let detail = serde_json::from_str(&detail)
        .ok()
        .filter(Value::is_object)
        .ok_or(Refusal { code: "MalformedDetail", message: "Detail is malformed.".to_owned() })?;
    Ok(Envelope {
        id: String::new(),
        source,
        detail_type,
        time: entry.time("Time")?.unwrap_or(now),
        resources: entry.texts("Resources")?,
        detail,
    })
}

/// The size of an entry as AWS counts it.
fn size(entry: &Properties<'_>) -> usize {
    let texts = ["Source", "DetailType", "Detail"].into_iter();
    let texts: usize =
        texts.filter_map(|name| entry.text(name).ok().flatten()).map(|text| text.len()).sum();
    let resources = entry.texts("Resources").unwrap_or_default();
    let time = if entry.has("Time") { TIME_SIZE } else { 0 };
    texts + time + resources.iter().map(String::len).sum::<usize>()
}

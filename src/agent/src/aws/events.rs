//! `PutEvents`: one hint, one entry, on the default event bus, with AWS's time of the moment at
//! which it was so.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jiff::Timestamp;
use vipward_core::Hint;
use vipward_core::telemetry::{HELLO_DETAIL_TYPE, HINT_DETAIL_TYPE};
use vipward_observe::ports::SendError;

use super::{answered, failed};

pub(super) async fn put(
    client: &Client,
    source: &str,
    hint: &Hint,
    said: Option<Timestamp>,
) -> Result<(), SendError> {
    let detail = serde_json::to_string(hint).map_err(|error| failed(&error))?;
    let entry = PutEventsRequestEntry::builder()
        .source(source)
        .detail_type(HINT_DETAIL_TYPE)
        .detail(detail)
        .set_time(said.map(|said| DateTime::from_millis(said.as_millisecond())))
        .build();
    let output = client.put_events().entries(entry).send().await.map_err(|error| failed(&error))?;
    if output.failed_entry_count() == 0 {
        return Ok(());
    }
    let refused = output.entries().first();
    let word = |word: Option<&str>| word.unwrap_or("no reason given").to_owned();
    Err(SendError::Refused {
        code: word(refused.and_then(|entry| entry.error_code())),
        message: word(refused.and_then(|entry| entry.error_message())),
    })
}

/// Says something that no rule hears, for the date of the answer, whatever that is. It comes from
/// the node's own source, as its role demands.
pub(super) async fn ask(client: &Client, source: &str) -> Result<(), SendError> {
    let hello = PutEventsRequestEntry::builder()
        .source(source)
        .detail_type(HELLO_DETAIL_TYPE)
        .detail("{}")
        .build();
    answered(client.put_events().entries(hello).send().await)
}

#[cfg(test)]
mod tests;

//! `PutEvents`: one hint, one entry, on the default event bus.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use vipward_core::Hint;
use vipward_core::signals::HINT_DETAIL_TYPE;

use super::failed;
use crate::outlet::SendError;

pub(super) async fn put(client: &Client, source: &str, hint: &Hint) -> Result<(), SendError> {
    let detail = serde_json::to_string(hint).map_err(|error| failed(&error))?;
    let entry = PutEventsRequestEntry::builder()
        .source(source)
        .detail_type(HINT_DETAIL_TYPE)
        .detail(detail)
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

#[cfg(test)]
mod tests;

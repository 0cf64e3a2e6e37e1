//! EventBridge: telling people's own rules.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use vipward_core::telemetry::FUNCTION_SOURCE;

use super::failure;
use vipward_reconcile::notice::Notice;
use vipward_reconcile::ports::PortError;

/// Puts one event: in a request of its own, so that one too large for EventBridge takes no other
/// along.
pub(super) async fn put(client: &Client, notice: &Notice) -> Result<(), PortError> {
    let entry = PutEventsRequestEntry::builder()
        .source(FUNCTION_SOURCE)
        .detail_type(notice.detail_type)
        .detail(notice.detail.to_string())
        .build();
    let answer =
        client.put_events().entries(entry).send().await.map_err(failure::of("PutEvents"))?;
    // A 200 may carry the failure of its entry.
    let Some(failed) = answer.entries().iter().find(|entry| entry.error_code().is_some()) else {
        return Ok(());
    };
    let code = failed.error_code().unwrap_or_default();
    let cause = format!("{code}: {}", failed.error_message().unwrap_or_default());
    Err(PortError::Transient { call: "PutEvents", cause })
}

#[cfg(test)]
mod tests;

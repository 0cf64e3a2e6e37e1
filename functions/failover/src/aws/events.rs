//! EventBridge: telling people's own rules.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use vipward_core::telemetry::FUNCTION_SOURCE;

use super::failure;
use vipward_reconcile::notice::Notice;
use vipward_reconcile::ports::PortError;

/// Most entries that one `PutEvents` call takes.
const ENTRIES: usize = 10;

/// Puts one event for each notice.
pub(super) async fn put(client: &Client, notices: &[Notice]) -> Result<(), PortError> {
    for chunk in notices.chunks(ENTRIES) {
        let entries = chunk.iter().map(|notice| {
            PutEventsRequestEntry::builder()
                .source(FUNCTION_SOURCE)
                .detail_type(notice.detail_type)
                .detail(notice.detail.to_string())
                .build()
        });
        let answer = client
            .put_events()
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(failure::of("PutEvents"))?;
        // A 200 may carry failures of single entries.
        if let Some(failed) = answer.entries().iter().find(|entry| entry.error_code().is_some()) {
            let code = failed.error_code().unwrap_or_default();
            let cause = format!("{code}: {}", failed.error_message().unwrap_or_default());
            return Err(PortError::Transient { call: "PutEvents", cause });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

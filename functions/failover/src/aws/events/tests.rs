//! Notices as events, and failures hidden in a success.

use super::*;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_smithy_mocks::{mock, mock_client};
use serde_json::json;

fn notice() -> Notice {
    Notice {
        alerts: Vec::new(),
        detail_type: "Vipward Move",
        detail: json!({ "service": "redis" }),
    }
}

#[tokio::test]
async fn a_notice_is_an_event_of_the_function() {
    let rule = mock!(Client::put_events)
        .match_requests(|request| {
            let entry = &request.entries()[0];
            request.entries().len() == 1
                && entry.source() == Some("vipward.function")
                && entry.detail_type() == Some("Vipward Move")
                && entry.detail() == Some("{\"service\":\"redis\"}")
        })
        .then_output(|| PutEventsOutput::builder().build());
    let client = mock_client!(aws_sdk_eventbridge, [&rule]);
    assert_eq!(put(&client, &notice()).await, Ok(()));
}

#[tokio::test]
async fn a_failed_entry_inside_a_success_is_a_failure() {
    let rule = mock!(Client::put_events).then_output(|| {
        let entry = PutEventsResultEntry::builder()
            .error_code("InternalFailure")
            .error_message("words")
            .build();
        PutEventsOutput::builder().failed_entry_count(1).entries(entry).build()
    });
    let client = mock_client!(aws_sdk_eventbridge, [&rule]);
    let error = put(&client, &notice()).await.expect_err("it fails");
    assert_eq!(error.to_string(), "PutEvents failed for now: InternalFailure: words");
}

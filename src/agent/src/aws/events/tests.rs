use aws_sdk_eventbridge::error::ErrorMetadata;
use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsInput, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use vipward_core::hint::HINT_VERSION;
use vipward_core::{HintEntry, Verdict};

use super::*;

const SOURCE: &str = "vipward.agent.prod-db.resource-01";

fn said() -> Option<Timestamp> {
    Timestamp::from_millisecond(1_570_035_880_250).ok()
}

fn hint() -> Hint {
    Hint {
        version: HINT_VERSION,
        cluster: "prod-db".parse().expect("a name"),
        start_id: "4ee3ffd5-9a2c-4c43-9f34-1a6ae1c39d1b".to_owned(),
        sequence: 7,
        config_digest: "0123456789abcdef".to_owned(),
        metrics_failing_ms: None,
        observations: vec![HintEntry {
            lag_ms: None,
            primary: None,
            leaving: false,
            unready_ms: None,
            arrived: None,
            arrived_ms: None,
            subject: "resource-02".parse().expect("a name"),
            service: "redis".parse().expect("a name"),
            verdict: Verdict::Unhealthy,
            held_ms: 1500,
            cause: Some("no connection".to_owned()),
        }],
    }
}

fn is_as_agreed(request: &PutEventsInput) -> bool {
    let [entry] = request.entries() else {
        return false;
    };
    let detail = entry.detail().and_then(|text| serde_json::from_str::<Hint>(text).ok());
    entry.source() == Some(SOURCE)
        && entry.detail_type() == Some("Vipward Observation")
        && entry.time() == Some(&DateTime::from_millis(1_570_035_880_250))
        && entry.event_bus_name().is_none()
        && detail == Some(hint())
}

#[tokio::test]
async fn a_hint_is_one_entry_from_the_nodes_own_source() {
    let rule = mock!(Client::put_events)
        .match_requests(is_as_agreed)
        .then_output(|| PutEventsOutput::builder().build());
    let client = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
    assert_eq!(put(&client, SOURCE, &hint(), said()).await, Ok(()));
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn a_failed_entry_inside_a_success_is_a_failure() {
    let rule = mock!(Client::put_events).then_output(|| {
        let entry = PutEventsResultEntry::builder()
            .error_code("ThrottlingException")
            .error_message("slow down")
            .build();
        PutEventsOutput::builder().failed_entry_count(1).entries(entry).build()
    });
    let client = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
    let expected = SendError::Refused {
        code: "ThrottlingException".to_owned(),
        message: "slow down".to_owned(),
    };
    assert_eq!(put(&client, SOURCE, &hint(), said()).await, Err(expected));
}

#[tokio::test]
async fn a_denied_request_is_told_in_the_words_of_aws() {
    let rule = mock!(Client::put_events).then_error(|| {
        PutEventsError::generic(
            ErrorMetadata::builder().code("AccessDeniedException").message("no").build(),
        )
    });
    let client = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
    let Err(SendError::Failed(text)) = put(&client, SOURCE, &hint(), said()).await else {
        panic!("a refusal is a failure")
    };
    assert!(text.contains("AccessDeniedException"), "{text}");
}

use aws_sdk_cloudwatch::error::ErrorMetadata;
use aws_sdk_cloudwatch::operation::put_metric_data::{
    PutMetricDataError, PutMetricDataInput, PutMetricDataOutput,
};
use aws_smithy_mocks::{RuleMode, mock, mock_client};

use super::*;
use vipward_core::Verdict;
use vipward_core::telemetry::SelfHealth;

fn said() -> Option<Timestamp> {
    Timestamp::from_millisecond(1_570_035_880_250).ok()
}

fn data() -> [Datum; 2] {
    let service: vipward_core::ServiceName = "redis".parse().expect("a name");
    let subject = "resource-02".parse().expect("a name");
    let healthy = SelfHealth { verdict: Verdict::Healthy, leaving: false, unready: false };
    [Datum::self_health(service.clone(), healthy), Datum::peer_health(service, subject, false)]
}

fn is_as_agreed(request: &PutMetricDataInput) -> bool {
    let rows: Vec<_> = request
        .metric_data()
        .iter()
        .map(|datum| {
            let dimensions: Vec<_> = datum
                .dimensions()
                .iter()
                .map(|d| (d.name().unwrap_or_default(), d.value().unwrap_or_default()))
                .collect();
            let value = datum.value().map(|value| value.to_string());
            assert_eq!(datum.storage_resolution(), Some(1));
            assert_eq!(datum.timestamp(), Some(&DateTime::from_secs(1_570_035_880)));
            (datum.metric_name().unwrap_or_default(), dimensions, value.unwrap_or_default())
        })
        .collect();
    let own = ("SelfHealth", vec![("Service", "redis")], "1".to_owned());
    let of_peer =
        ("PeerHealth", vec![("Service", "redis"), ("Subject", "resource-02")], "0".to_owned());
    request.namespace() == Some("Vipward/prod-db/resource-01") && rows == [own, of_peer]
}

#[tokio::test]
async fn all_values_go_in_one_request() {
    let rule = mock!(Client::put_metric_data)
        .match_requests(is_as_agreed)
        .then_output(|| PutMetricDataOutput::builder().build());
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    assert_eq!(put(&client, "Vipward/prod-db/resource-01", &data(), said()).await, Ok(()));
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_aws() {
    let rule = mock!(Client::put_metric_data).then_error(|| {
        PutMetricDataError::generic(
            ErrorMetadata::builder().code("AccessDenied").message("not your namespace").build(),
        )
    });
    let client = mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]);
    let Err(SendError::Failed(text)) = put(&client, "Vipward/prod-db/other", &data(), said()).await
    else {
        panic!("a refusal is a failure")
    };
    assert!(text.contains("AccessDenied") && text.contains("not your namespace"), "{text}");
}

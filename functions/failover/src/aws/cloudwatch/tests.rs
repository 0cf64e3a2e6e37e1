//! What is asked of CloudWatch, and how series become words.

use super::*;
use crate::aws::fixture::{config, start};
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::EvaluationState;
use aws_smithy_mocks::{mock, mock_client};
use std::time::Duration;
use vipward_core::Verdict;
use vipward_core::config::Role;
use vipward_core::telemetry::{IS_PRIMARY, PEER_HEALTH, REPLICA_LAG, SELF_HEALTH};

fn at(second: i64) -> Timestamp {
    start() + SignedDuration::from_secs(second)
}

#[tokio::test]
async fn quiet_alarms_are_asked_for_and_only_ours_that_are_evaluated_and_ok_are_heard() {
    let rule = mock!(Client::describe_alarms)
        .match_requests(|request| {
            request.alarm_name_prefix() == Some("vipward/test/")
                && request.state_value() == Some(&StateValue::Ok)
        })
        .then_output(|| {
            let quiet =
                |name: &str| MetricAlarm::builder().alarm_name(name).state_value(StateValue::Ok);
            let own = |node: &str| quiet(&format!("vipward/test/redis/{node}/self"));
            DescribeAlarmsOutput::builder()
                .metric_alarms(own("a").build())
                .metric_alarms(own("b").state_value(StateValue::Alarm).build())
                .metric_alarms(own("c").evaluation_state(EvaluationState::PartialData).build())
                .metric_alarms(own("d").evaluation_state("IN_WARM_UP".into()).build())
                .metric_alarms(quiet("vipward/test/something-else").build())
                .build()
        });
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let alarms = quiet_alarms(&client, &config()).await.expect("read");
    let heard: Vec<_> = alarms.iter().map(ToString::to_string).collect();
    assert_eq!(heard, ["vipward/test/redis/a/self"]);
}

fn empty(id: String) -> MetricDataResult {
    MetricDataResult::builder().id(id).status_code(StatusCode::Complete).build()
}

fn said(id: &str, second: i64, value: f64) -> MetricDataResult {
    MetricDataResult::builder()
        .id(id)
        .timestamps(DateTime::from_secs(at(second).as_second()))
        .values(value)
        .status_code(StatusCode::Complete)
        .build()
}

/// Results of six questions that are complete and empty, but for these.
fn results(others: &[MetricDataResult]) -> GetMetricDataOutput {
    let ids = (0..6).flat_map(|index| [format!("least{index}"), format!("greatest{index}")]);
    let is_other = |id: &String| others.iter().any(|other| other.id() == Some(id.as_str()));
    let all = ids.filter(|id| !is_other(id)).map(empty).chain(others.iter().cloned());
    GetMetricDataOutput::builder().set_metric_data_results(Some(all.collect())).build()
}

async fn read(client: &Client, config: &Config) -> Published {
    let services = BTreeSet::from(["redis".parse().expect("a name")]);
    metrics(client, config, &services, at(-60), at(0)).await.expect("read")
}

#[tokio::test]
async fn every_topic_of_the_services_is_asked_for_in_one_call() {
    let rule = mock!(Client::get_metric_data)
        .match_requests(|request| {
            let queries = request.metric_data_queries();
            let stat = |index: usize| queries[index].metric_stat().expect("a metric");
            let name = |index| stat(index).metric().and_then(Metric::metric_name);
            queries.len() == 6
                && stat(0).stat() == Some("Minimum")
                && stat(1).stat() == Some("Maximum")
                && stat(0).period() == Some(1)
                && [name(0), name(1)] == [Some(SELF_HEALTH); 2]
                && name(2) == Some(PEER_HEALTH)
                && stat(2).metric().and_then(Metric::namespace) == Some("Vipward/test/b")
        })
        .then_output(|| results(&[said("least1", -3, 0.0)]));
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let published = read(&client, &config()).await;
    let [(key, word)] = published.observations.as_slice() else { panic!("{published:?}") };
    assert_eq!((key.observer.as_str(), key.subject.as_str()), ("b", "a"));
    assert_eq!((word.value.verdict, word.at), (Verdict::Unhealthy, at(-3)));
}

#[tokio::test]
async fn an_unreadable_series_is_an_error_and_not_a_silence() {
    let rule =
        mock!(Client::get_metric_data).sequence().http_status(500, None).repeatedly().build();
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let services = BTreeSet::from(["redis".parse().expect("a name")]);
    let error = metrics(&client, &config(), &services, at(-60), at(0)).await.expect_err("it fails");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_series_that_failed_inside_a_success_is_no_silence_either() {
    for status in [StatusCode::InternalError, StatusCode::PartialData, StatusCode::Forbidden] {
        for id in ["least0", "greatest0"] {
            let status = status.clone();
            let rule = mock!(Client::get_metric_data).then_output(move || {
                let failed = MetricDataResult::builder().id(id).status_code(status.clone()).build();
                results(&[failed])
            });
            let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
            let published = read(&client, &config()).await;
            let services = BTreeSet::from(["redis".parse().expect("a name")]);
            assert_eq!((published.observations, published.incomplete), (Vec::new(), services));
        }
    }
}

#[tokio::test]
async fn where_the_vip_follows_a_primary_it_is_asked_who_is_one() {
    let mut config = config();
    config.services[0].role = Role::Primary;
    let rule = mock!(Client::get_metric_data)
        .match_requests(|request| {
            let asked =
                request.metric_data_queries().iter().filter_map(|query| query.metric_stat());
            let roles = asked.filter(|stat| {
                stat.metric().and_then(Metric::metric_name) == Some(IS_PRIMARY)
                    && stat.stat() == Some("Minimum")
            });
            roles.count() == 2
        })
        .then_output(|| {
            let by = |statistic| {
                [said(&format!("{statistic}2"), -3, 1.0), said(&format!("{statistic}5"), -3, 0.0)]
            };
            results(&[by("least"), by("greatest")].concat())
        });
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let published = read(&client, &config).await;
    let said = published.primaries.iter().map(|(node, _, is)| (node.as_str(), is.value));
    assert_eq!(said.collect::<Vec<_>>(), [("a", true), ("b", false)]);
}

#[tokio::test]
async fn where_lag_matters_it_is_asked_for_too() {
    let mut config = config();
    let max_lag = Some(Duration::from_secs(10));
    config.services[0].check.kind = vipward_core::config::CheckKind::Redis {
        user: None,
        password_file: None,
        max_lag,
        tls: None,
    };
    let rule = mock!(Client::get_metric_data)
        .match_requests(|request| {
            let queries = request.metric_data_queries();
            let asked = queries.iter().filter_map(|query| query.metric_stat());
            let lags = asked.filter(|stat| {
                stat.metric().and_then(Metric::metric_name) == Some(REPLICA_LAG)
                    && stat.stat() == Some("Maximum")
            });
            queries.len() == 8 && lags.count() == 2
        })
        .then_output(|| results(&[said("greatest2", -3, 2.5)]));
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let published = read(&client, &config).await;
    let [(node, _, lag)] = published.lags.as_slice() else { panic!("{published:?}") };
    assert_eq!((node.as_str(), lag.value), ("a", Duration::from_millis(2_500)));
}

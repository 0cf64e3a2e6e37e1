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

/// Results of four series that are complete and empty, but for one.
fn results(other: &MetricDataResult) -> GetMetricDataOutput {
    let empty = |index: usize| {
        let id = format!("q{index}");
        MetricDataResult::builder().id(id).status_code(StatusCode::Complete).build()
    };
    let others = (0..4).map(empty).filter(|result| result.id() != other.id());
    GetMetricDataOutput::builder()
        .set_metric_data_results(Some(others.chain([other.clone()]).collect()))
        .build()
}

#[tokio::test]
async fn every_topic_of_the_services_is_asked_for_in_one_call() {
    let rule = mock!(Client::get_metric_data)
        .match_requests(|request| {
            let queries = request.metric_data_queries();
            let stat = |index: usize| queries[index].metric_stat().expect("a metric");
            let name = |index| stat(index).metric().and_then(Metric::metric_name);
            queries.len() == 4
                && stat(0).stat() == Some("Minimum")
                && stat(0).period() == Some(1)
                && name(0) == Some(SELF_HEALTH)
                && name(1) == Some(PEER_HEALTH)
                && stat(1).metric().and_then(Metric::namespace) == Some("Vipward/test/b")
        })
        .then_output(|| {
            let result = MetricDataResult::builder()
                .id("q1")
                .timestamps(DateTime::from_secs(at(-3).as_second()))
                .values(0.0)
                .status_code(StatusCode::Complete)
                .build();
            results(&result)
        });
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let services = BTreeSet::from(["redis".parse().expect("a name")]);
    let published = metrics(&client, &config(), &services, at(-60), at(0)).await.expect("read");
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
        let rule = mock!(Client::get_metric_data).then_output(move || {
            results(&MetricDataResult::builder().id("q0").status_code(status.clone()).build())
        });
        let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
        let services = BTreeSet::from(["redis".parse().expect("a name")]);
        let published = metrics(&client, &config(), &services, at(-60), at(0)).await.expect("read");
        assert_eq!((published.observations, published.incomplete), (Vec::new(), services));
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
            let series = |index: usize| {
                MetricDataResult::builder()
                    .id(format!("q{index}"))
                    .status_code(StatusCode::Complete)
            };
            let said = |index, value| {
                let stamp = DateTime::from_secs(at(-3).as_second());
                series(index).timestamps(stamp).values(value).build()
            };
            let mut all: Vec<_> = [0, 1, 3, 4].map(|index| series(index).build()).into();
            all.extend([said(2, 1.0), said(5, 0.0)]);
            GetMetricDataOutput::builder().set_metric_data_results(Some(all)).build()
        });
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let services = BTreeSet::from(["redis".parse().expect("a name")]);
    let published = metrics(&client, &config, &services, at(-60), at(0)).await.expect("read");
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
            queries.len() == 6 && lags.count() == 2
        })
        .then_output(|| {
            let lag = MetricDataResult::builder()
                .id("q2")
                .timestamps(DateTime::from_secs(at(-3).as_second()))
                .values(2.5)
                .status_code(StatusCode::Complete)
                .build();
            let mut all = results(&lag);
            for index in 4..6 {
                let id = format!("q{index}");
                let empty = MetricDataResult::builder().id(id).status_code(StatusCode::Complete);
                all.metric_data_results.get_or_insert_default().push(empty.build());
            }
            all
        });
    let client = mock_client!(aws_sdk_cloudwatch, [&rule]);
    let services = BTreeSet::from(["redis".parse().expect("a name")]);
    let published = metrics(&client, &config, &services, at(-60), at(0)).await.expect("read");
    let [(node, _, lag)] = published.lags.as_slice() else { panic!("{published:?}") };
    assert_eq!((node.as_str(), lag.value), ("a", Duration::from_millis(2_500)));
}

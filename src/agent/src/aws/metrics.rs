//! `PutMetricData`: all values in one request, at one-second resolution, with AWS's time of the
//! moment at which they were so.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use jiff::Timestamp;
use vipward_core::telemetry::{DIM_SERVICE, DIM_SUBJECT};
use vipward_observe::datum::Datum;
use vipward_observe::ports::SendError;

use super::{answered, failed};

/// `StorageResolution` of high-resolution metrics, in seconds.
const RESOLUTION: i32 = 1;

pub(super) async fn put(
    client: &Client,
    namespace: &str,
    data: &[Datum],
    said: Option<Timestamp>,
) -> Result<(), SendError> {
    let said = said.map(|said| DateTime::from_secs(said.as_second()));
    client
        .put_metric_data()
        .namespace(namespace)
        .set_metric_data(Some(data.iter().map(|datum| metric_datum(datum, said)).collect()))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| failed(&error))
}

/// Asks for nothing, for the date of the answer, whatever that is.
pub(super) async fn ask(client: &Client, namespace: &str) -> Result<(), SendError> {
    answered(client.put_metric_data().namespace(namespace).send().await)
}

fn metric_datum(datum: &Datum, said: Option<DateTime>) -> MetricDatum {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let subject = datum.subject.as_ref().map(|subject| dimension(DIM_SUBJECT, subject.as_str()));
    let service = datum.service.as_ref().map(|service| dimension(DIM_SERVICE, service.as_str()));
    let dimensions = [service, subject];
    MetricDatum::builder()
        .metric_name(datum.metric)
        .set_dimensions(Some(dimensions.into_iter().flatten().collect()))
        .set_timestamp(said)
        .value(datum.value)
        .storage_resolution(RESOLUTION)
        .build()
}

#[cfg(test)]
mod tests;

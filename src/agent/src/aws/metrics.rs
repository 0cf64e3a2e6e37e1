//! `PutMetricData`: all values in one request, at one-second resolution, without a time stamp so
//! that CloudWatch's clock counts and not this host's.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use vipward_core::signals::{DIM_SERVICE, DIM_SUBJECT};

use super::failed;
use crate::outlet::SendError;
use crate::view::Datum;

/// `StorageResolution` of high-resolution metrics, in seconds.
const RESOLUTION: i32 = 1;

pub(super) async fn put(client: &Client, namespace: &str, data: &[Datum]) -> Result<(), SendError> {
    client
        .put_metric_data()
        .namespace(namespace)
        .set_metric_data(Some(data.iter().map(metric_datum).collect()))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| failed(&error))
}

fn metric_datum(datum: &Datum) -> MetricDatum {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let subject = datum.subject.as_ref().map(|subject| dimension(DIM_SUBJECT, subject.as_str()));
    let dimensions = [Some(dimension(DIM_SERVICE, datum.service.as_str())), subject];
    MetricDatum::builder()
        .metric_name(datum.metric)
        .set_dimensions(Some(dimensions.into_iter().flatten().collect()))
        .value(datum.value)
        .storage_resolution(RESOLUTION)
        .build()
}

#[cfg(test)]
mod tests;

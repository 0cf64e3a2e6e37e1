//! CloudWatch on the wire: one layer of operations, and three protocols as thin codecs around it.

mod alarms;
mod answer;
mod cbor;
mod get_data;
mod json;
mod page;
mod protocol;
mod put_data;
mod query;

use jiff::Timestamp;
use serde_json::Value;
use vipward_region_model::cloudwatch::{CloudWatch, Properties};
use vipward_region_model::iam::{Context, NAMESPACE};

use crate::wire::Access;
use crate::wire::{ApiError, Request, Response};
use answer::Answer;
use protocol::Protocol;

pub use protocol::operation;

pub fn handle(cloudwatch: &mut CloudWatch, now: Timestamp, request: &Request) -> Response {
    let protocol = Protocol::of(request);
    let (operation, outcome) = match protocol.read(request) {
        Ok(call) => {
            let outcome = operate(cloudwatch, now, &call.operation, &call.input);
            (call.operation, outcome)
        }
        Err(error) => (String::new(), Err(error)),
    };
    protocol.write(request, &operation, outcome.as_ref().map(Option::as_ref))
}

/// Answers a request with an error, whatever it asks for.
pub fn refuse(request: &Request, error: &ApiError) -> Response {
    Protocol::of(request).write(request, "", Err(error))
}

/// What a call is about, for IAM: nothing in particular, but for its namespace.
pub(super) fn access(request: &Request) -> Access {
    let input = Protocol::of(request).read(request).map(|call| call.input).unwrap_or_default();
    let namespace = Properties::root(&input).text("Namespace").ok().flatten();
    let namespace = namespace.map(|namespace| (NAMESPACE, vec![namespace]));
    (Vec::new(), Context::from_iter(namespace))
}

/// HTTP status of a refusal: the protocols that name an error in the body all say 400.
pub(super) fn denial_status(request: &Request) -> u16 {
    if Protocol::of(request) == Protocol::Query { 403 } else { 400 }
}

/// Carries out an operation. The query protocol knows operations without an answer: `None`.
fn operate(
    cloudwatch: &mut CloudWatch,
    now: Timestamp,
    operation: &str,
    input: &Value,
) -> Result<Option<Answer>, ApiError> {
    let input = Properties::root(input);
    match operation {
        "PutMetricData" => put_data::put_metric_data(cloudwatch, now, &input).map(|()| None),
        "GetMetricData" => get_data::get_metric_data(cloudwatch, now, &input).map(Some),
        "GetMetricStatistics" => get_data::get_metric_statistics(cloudwatch, now, &input).map(Some),
        "ListMetrics" => get_data::list_metrics(cloudwatch, now, &input).map(Some),
        "PutMetricAlarm" => alarms::put(cloudwatch, now, &input).map(|()| None),
        "DescribeAlarms" => alarms::describe(cloudwatch, now, &input).map(Some),
        "DeleteAlarms" => alarms::delete(cloudwatch, &input).map(|()| None),
        "SetAlarmState" => alarms::set_state(cloudwatch, now, &input).map(|()| None),
        _ => Err(ApiError::new(
            "InvalidAction",
            400,
            format!("Could not find operation {operation}"),
        )),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", 400, message)
}

fn contradictory(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombination", 400, message)
}

#[cfg(test)]
mod tests;

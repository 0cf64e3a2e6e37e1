//! Lambda's REST protocol, as far as `Invoke` goes.

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_region_model::Place;
use vipward_region_model::iam::Context;
use vipward_region_model::lambda::{Answer, Lambda};

use super::{ApiError, Request, Response};
use crate::wire::Access;

/// What comes of an Invoke call.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Now(Response),
    /// The response is [`answered`] with the answer to this request id.
    Waits(String),
}

/// The operation that a path and method stand for; empty when it is none.
pub fn operation(request: &Request) -> String {
    let invoke = request.method == "POST" && function_name(&request.path).is_some();
    if invoke { "Invoke".to_owned() } else { String::new() }
}

/// What a call is about, for IAM: the function.
pub(super) fn access(request: &Request, place: &Place) -> Access {
    let function = function_name(&request.path).map(|name| {
        let Place { account, region } = place;
        if name.starts_with("arn:") {
            name
        } else {
            format!("arn:aws:lambda:{region}:{account}:function:{name}")
        }
    });
    (function.into_iter().collect(), Context::new())
}

pub fn handle(lambda: &mut Lambda, now: Timestamp, request: &Request) -> Reply {
    invoke(lambda, now, request).unwrap_or_else(|error| Reply::Now(error_response(&error)))
}

/// The response to a synchronous invocation that ended.
pub fn answered(request_id: &str, answer: Answer) -> Response {
    let response = Response::new(200, "application/json", answer.payload)
        .with_header("x-amzn-requestid", request_id)
        .with_header("x-amz-executed-version", "$LATEST");
    match answer.error {
        Some(kind) => response.with_header("x-amz-function-error", kind),
        None => response,
    }
}

pub fn error_response(error: &ApiError) -> Response {
    let side = if error.status < 500 { "User" } else { "Server" };
    let body = json!({ "Type": side, "Message": error.message, "message": error.message });
    Response::new(error.status, "application/json", body.to_string())
        .with_header("x-amzn-errortype", error.code.clone())
}

fn invoke(lambda: &mut Lambda, now: Timestamp, request: &Request) -> Result<Reply, ApiError> {
    let name = function_name(&request.path).filter(|_| request.method == "POST");
    let name = name.ok_or_else(|| {
        ApiError::new("UnknownOperationException", 404, "the region has only Invoke")
    })?;
    let payload = payload(request)?;
    match request.header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => lambda.invoke(&name, payload, now).map(Reply::Waits),
        "Event" => {
            let request_id = lambda.enqueue(&name, payload, now)?;
            let accepted = Response::new(202, "application/json", "");
            Ok(Reply::Now(accepted.with_header("x-amzn-requestid", request_id)))
        }
        "DryRun" => {
            lambda.function(&name)?;
            Ok(Reply::Now(Response::new(204, "application/json", "")))
        }
        other => Err(ApiError::new(
            "InvalidParameterValueException",
            400,
            format!("{other} is not an invocation type"),
        )),
    }
}

/// `/2015-03-31/functions/{name or ARN}/invocations`, the name percent-decoded.
fn function_name(path: &str) -> Option<String> {
    let name = path.strip_prefix("/2015-03-31/functions/")?.strip_suffix("/invocations")?;
    // The same encoding as a form's, but for `+`, which no function name holds.
    form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned())
}

fn payload(request: &Request) -> Result<Vec<u8>, ApiError> {
    if request.body.is_empty() {
        return Ok(b"{}".to_vec());
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(_) => Ok(request.body.clone()),
        Err(error) => Err(ApiError::new(
            "InvalidRequestContentException",
            400,
            format!("Could not parse request body into json: {error}"),
        )),
    }
}

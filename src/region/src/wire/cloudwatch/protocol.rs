//! Which of the three protocols a request speaks, and how an answer or an error goes back in it.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use vipward_region_model::ids::stable_id;

use super::answer::Answer;
use super::{cbor, json, query};
use crate::wire::{ApiError, Request, Response};

const TARGET: &str = "GraniteServiceVersion20100801";

/// The largest body of a request, as sent.
const LARGEST_BODY: usize = 1 << 20;

/// The largest body of a request after decompression: well above what 1,000 metrics of 150 values
/// need.
const LARGEST_UNPACKED: u64 = 16 << 20;

/// A protocol in which `CloudWatch` can be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Cbor,
    /// AWS JSON 1.0.
    Json,
    Query,
}

#[derive(Debug, PartialEq)]
pub struct Call {
    pub operation: String,
    /// Its input, with times as numbers or texts.
    pub input: Value,
}

impl Protocol {
    pub fn of(request: &Request) -> Self {
        if request.path.starts_with("/service/") {
            Self::Cbor
        } else if request.header("x-amz-target").is_some() {
            Self::Json
        } else {
            Self::Query
        }
    }

    pub fn read(self, request: &Request) -> Result<Call, ApiError> {
        let body = unpack(request)?;
        let call = match self {
            Self::Cbor => cbor::decode(&body).map(|input| (path_operation(request), input)),
            Self::Json => json::decode(&body).map(|input| (target_operation(request), input)),
            Self::Query => query::decode(&body),
        };
        let (operation, input) =
            call.map_err(|fault| ApiError::new("SerializationException", 400, fault))?;
        Ok(Call { operation, input })
    }

    pub fn write(
        self,
        request: &Request,
        operation: &str,
        outcome: Result<Option<&Answer>, &ApiError>,
    ) -> Response {
        let id = request_id(request);
        let response = match (self, outcome) {
            (Self::Query, Ok(answer)) => xml(200, query::encode(operation, answer, &id)),
            (Self::Query, Err(error)) => xml(error.status, query::encode_error(error, &id)),
            (_, Ok(None)) => self.empty(),
            (_, Ok(Some(answer))) => self.body(200, answer),
            (_, Err(error)) => self.error(error),
        };
        response.with_header("x-amzn-requestid", id)
    }

    fn empty(self) -> Response {
        match self {
            Self::Cbor => Response {
                status: 200,
                headers: vec![("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned())],
                body: Vec::new(),
            },
            _ => self.body(200, &Answer::Structure(Vec::new())),
        }
    }

    fn body(self, status: u16, answer: &Answer) -> Response {
        match self {
            Self::Cbor => Response::new(status, "application/cbor", cbor::encode(answer))
                .with_header("smithy-protocol", "rpc-v2-cbor"),
            _ => Response::new(status, "application/x-amz-json-1.0", json::encode(answer)),
        }
    }

    /// The two younger protocols name the error's shape; its code of the Query days goes in a
    /// header, which is where the SDKs still take it from.
    fn error(self, error: &ApiError) -> Response {
        let side = if error.status < 500 { "Sender" } else { "Receiver" };
        let answer = Answer::Structure(vec![
            ("__type", Answer::text(format!("com.amazonaws.cloudwatch#{}", shape(&error.code)))),
            ("message", Answer::text(&error.message)),
        ]);
        self.body(error.status, &answer)
            .with_header("x-amzn-query-error", format!("{};{side}", error.code))
    }
}

/// The operation that a request asks for, as well as can be told.
pub fn operation(request: &Request) -> String {
    match Protocol::of(request) {
        Protocol::Cbor => path_operation(request),
        Protocol::Json => target_operation(request),
        Protocol::Query => {
            Protocol::Query.read(request).map(|call| call.operation).unwrap_or_default()
        }
    }
}

fn path_operation(request: &Request) -> String {
    let operation = request.path.split_once("/operation/").map(|(_, operation)| operation);
    operation.unwrap_or_default().to_owned()
}

fn target_operation(request: &Request) -> String {
    let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
    let operation =
        target.filter(|(service, _)| *service == TARGET).map(|(_, operation)| operation);
    operation.unwrap_or_default().to_owned()
}

/// A request's id follows from its signature and body: the region has no chance in it.
fn request_id(request: &Request) -> String {
    let signature = request.header("authorization").unwrap_or_default();
    stable_id(&[signature, &String::from_utf8_lossy(&request.body)])
}

fn xml(status: u16, text: String) -> Response {
    Response::new(status, "text/xml", text)
}

fn unpack(request: &Request) -> Result<Vec<u8>, ApiError> {
    let too_large =
        || ApiError::new("RequestEntityTooLarge", 413, "the request is larger than 1 MB");
    if request.body.len() > LARGEST_BODY {
        return Err(too_large());
    }
    if request.header("content-encoding") != Some("gzip") {
        return Ok(request.body.clone());
    }
    let mut body = Vec::new();
    let mut reader = GzDecoder::new(request.body.as_slice()).take(LARGEST_UNPACKED + 1);
    reader
        .read_to_end(&mut body)
        .map_err(|error| ApiError::new("SerializationException", 400, error.to_string()))?;
    if body.len() as u64 > LARGEST_UNPACKED {
        return Err(too_large());
    }
    Ok(body)
}

/// The name of the error's shape in the service's model, for a code of the Query protocol.
fn shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "ValidationError" => "ValidationException",
        "InvalidFormat" => "InvalidFormatFault",
        "LimitExceeded" => "LimitExceededFault",
        "AccessDenied" => "AccessDeniedException",
        "InternalServiceError" => "InternalServiceFault",
        code => code,
    }
}

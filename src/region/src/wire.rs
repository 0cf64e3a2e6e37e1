//! The wire protocols in front of the model: a request comes in as bytes and leaves as bytes.
//!
//! Nothing here knows sockets or time; a driver carries the bytes and passes `now`.

pub mod authorize;
pub mod call;
pub mod cloudwatch;
pub mod ec2;
pub mod events;
pub mod form;
pub mod imds;
pub mod lambda;
pub mod xml;

use std::collections::BTreeMap;

pub use vipward_region_model::ApiError;
use vipward_region_model::iam::Context;

/// What a call is about, for IAM: resources and context.
type Access = (Vec<String>, Context);

/// One HTTP request, read to its end.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ... in upper case.
    pub method: String,
    /// The path as sent, still percent-encoded, without the query.
    pub path: String,
    /// The query without its `?`, still percent-encoded; empty when there is none.
    pub query: String,
    /// Header values by lower-cased name.
    pub headers: BTreeMap<String, String>,
    /// The body as sent; a `content-encoding` is not undone.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its lower-cased name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// One HTTP response, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Header names and values, in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body; its length header is the driver's.
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

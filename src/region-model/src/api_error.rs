//! What goes wrong with a call, as AWS says it.

use std::borrow::Cow;

/// An error as a service's API reports it; each protocol gives it its own shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code, `RequestLimitExceeded` for example.
    pub code: Cow<'static, str>,
    /// The text beside it.
    pub message: String,
    /// HTTP status code.
    pub status: u16,
}

impl ApiError {
    /// An error with its code, HTTP status and text.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        status: u16,
        message: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), message: message.into(), status }
    }
}

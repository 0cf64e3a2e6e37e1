//! What an invocation ends with.

use jiff::SignedDuration;
use serde_json::json;

/// The end of an invocation, as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The function's answer, or an error document.
    pub payload: Vec<u8>,
    /// Kind of function error (the `X-Amz-Function-Error` header); `None` when it went well.
    pub error: Option<&'static str>,
}

impl Answer {
    /// The function answered.
    pub fn ok(payload: Vec<u8>) -> Self {
        Self { payload, error: None }
    }

    /// The function, or its runtime, reported an error document of its own.
    pub fn reported(payload: Vec<u8>) -> Self {
        Self { payload, error: Some("Unhandled") }
    }

    /// The process ended before it answered.
    pub(super) fn exited(request_id: &str, how: &str) -> Self {
        Self::fault(
            "Runtime.ExitError",
            &format!("RequestId: {request_id} Error: Runtime exited with error: {how}"),
        )
    }

    pub(super) fn timed_out(request_id: &str, after: SignedDuration) -> Self {
        Self::fault(
            "Sandbox.Timedout",
            &format!(
                "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
                after.as_secs_f64()
            ),
        )
    }

    fn fault(kind: &str, message: &str) -> Self {
        Self::reported(json!({ "errorType": kind, "errorMessage": message }).to_string().into())
    }
}

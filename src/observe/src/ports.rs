//! The ports through which the agent speaks to AWS and hears of its instance, in the agent's words.

use vipward_core::Hint;

use crate::datum::Datum;

/// Carries what the agent has to say. One attempt each, bounded in time.
pub trait Outlet {
    /// Publishes all values in one request.
    fn publish(&self, data: &[Datum]) -> impl Future<Output = Result<(), SendError>>;

    /// Puts the hint on the event bus.
    fn hint(&self, hint: &Hint) -> impl Future<Output = Result<(), SendError>>;
}

/// Why something could not be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is nobody to speak to yet.
    #[error("no AWS region: set AWS_REGION, or let the instance metadata service answer")]
    NoRegion,
    /// The request failed; the text is the SDK's chain of errors.
    #[error("{0}")]
    Failed(String),
    /// EventBridge took the request but not the event in it.
    #[error("EventBridge refused the event: {code}: {message}")]
    Refused {
        /// Such as `ThrottlingException`.
        code: String,
        /// EventBridge's words.
        message: String,
    },
}

/// What the instance's metadata say.
pub trait Metadata: Send + 'static {
    /// The text at a path below `meta-data/`; `None` when there is nothing. One attempt, bounded in
    /// time.
    fn get(
        &mut self,
        path: &str,
    ) -> impl Future<Output = Result<Option<String>, MetadataError>> + Send;
}

/// The metadata could not be read: what they would have said is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MetadataError(pub String);

//! The port to the instance metadata service, in the agent's words.

/// What the instance's metadata say.
pub trait Metadata: Send + Sync + 'static {
    /// The text at a path below `meta-data/`; `None` when there is nothing. One attempt, bounded in
    /// time.
    fn get(&self, path: &str)
    -> impl Future<Output = Result<Option<String>, MetadataError>> + Send;
}

/// The metadata could not be read: what they would have said is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MetadataError(pub String);

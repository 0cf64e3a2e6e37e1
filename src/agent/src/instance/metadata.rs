//! The instance's metadata, from their service.

use vipward_core::text::chain;
use vipward_imds::{Endpoint, Imds, ImdsError, StatusCode};
use vipward_observe::ports::{Metadata, MetadataError};

/// The variable by which every AWS program is told to leave it alone.
const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// This instance's metadata.
pub struct InstanceMetadata(Imds);

impl InstanceMetadata {
    /// The service where every AWS program finds it; `None` where it is switched off, or where the
    /// variable that points to it is wrong.
    #[expect(clippy::disallowed_methods, reason = "the adapter to the AWS programs' environment")]
    pub fn find() -> Option<Self> {
        let disabled = std::env::var(DISABLED);
        if disabled.is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        match Endpoint::from_environment() {
            Ok(endpoint) => Some(Self(Imds::new(endpoint))),
            Err(error) => {
                tracing::error!(%error, "instance metadata not asked");
                None
            }
        }
    }
}

impl Metadata for InstanceMetadata {
    async fn get(&mut self, path: &str) -> Result<Option<String>, MetadataError> {
        match self.0.get(&format!("/latest/meta-data/{path}")).await {
            Ok(text) => Ok(Some(text)),
            Err(ImdsError::Status { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(MetadataError(chain(&error))),
        }
    }
}

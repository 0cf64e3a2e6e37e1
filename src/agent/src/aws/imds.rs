//! The instance metadata service, version 2, by the SDK's own client, which keeps the token.

use std::time::Duration;

use aws_config::imds::Client;
use aws_config::imds::client::error::ImdsError;
use vipward_core::text::chain;

use vipward_observe::ports::{Metadata, MetadataError};

/// It is on the host itself: what takes longer is not there.
const TIMEOUT: Duration = Duration::from_secs(1);
const NOT_FOUND: u16 = 404;
/// The variable by which every AWS SDK is told to leave it alone.
const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// This instance's metadata.
pub struct Imds(Client);

impl Imds {
    /// The service where every AWS program finds it; `None` where it is switched off.
    #[expect(clippy::disallowed_methods, reason = "the adapter to the SDKs' environment")]
    pub fn find() -> Option<Self> {
        let disabled = std::env::var(DISABLED);
        if disabled.is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let client = Client::builder()
            .max_attempts(1)
            .connect_timeout(TIMEOUT)
            .read_timeout(TIMEOUT)
            .operation_timeout(2 * TIMEOUT)
            .build();
        Some(Self(client))
    }
}

impl Metadata for Imds {
    async fn get(&self, path: &str) -> Result<Option<String>, MetadataError> {
        match self.0.get(format!("/latest/meta-data/{path}")).await {
            Ok(text) => Ok(Some(text.into())),
            Err(ImdsError::ErrorResponse(answer))
                if answer.response().status().as_u16() == NOT_FOUND =>
            {
                Ok(None)
            }
            Err(error) => Err(MetadataError(chain(&error))),
        }
    }
}

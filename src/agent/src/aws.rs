//! The outlet to CloudWatch and EventBridge, and the instance's metadata. No SDK type leaves this module.

pub mod authorities;
mod date;
mod events;
mod imds;
mod metrics;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
pub use imds::Imds;
use tokio::sync::OnceCell;
use vipward_core::signals::{hint_source, namespace};
use vipward_core::text::chain;
use vipward_core::{ClusterName, Hint, NodeName};

use crate::outlet::{Outlet, SendError};
use crate::view::Datum;

// News is worth sending for seconds only: then newer news is due. The SDK's own limits are a
// minute long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const WHOLE_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// One node's voice in AWS: its namespace and its event source, which its role allows it alone.
pub struct Aws {
    namespace: String,
    source: String,
    /// Made at first use and again until it works: at boot the metadata service, which may know
    /// the region, can come later than the agent.
    clients: OnceCell<Clients>,
}

struct Clients {
    cloudwatch: aws_sdk_cloudwatch::Client,
    eventbridge: aws_sdk_eventbridge::Client,
}

impl Aws {
    /// The outlet of `node`. Region, credentials and endpoints are found as every AWS program
    /// finds them.
    pub fn new(cluster: &ClusterName, node: &NodeName) -> Self {
        Self {
            namespace: namespace(cluster, node),
            source: hint_source(cluster, node),
            clients: OnceCell::new(),
        }
    }

    async fn clients(&self) -> Result<&Clients, SendError> {
        self.clients.get_or_try_init(connect).await
    }
}

impl Outlet for Aws {
    async fn publish(&self, data: &[Datum]) -> Result<(), SendError> {
        metrics::put(&self.clients().await?.cloudwatch, &self.namespace, data).await
    }

    async fn hint(&self, hint: &Hint) -> Result<(), SendError> {
        events::put(&self.clients().await?.eventbridge, &self.source, hint).await
    }
}

async fn connect() -> Result<Clients, SendError> {
    let config = load_config().await;
    if config.region().is_none() {
        return Err(SendError::NoRegion);
    }
    Ok(Clients {
        cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
            aws_sdk_cloudwatch::config::Builder::from(&config)
                .interceptor(date::DateCheck::default())
                .build(),
        ),
        eventbridge: aws_sdk_eventbridge::Client::new(&config),
    })
}

async fn load_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(WHOLE_TIMEOUT)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(retries)
        // It would wake the agent dozens of times a second for as long as a request lasts, and find
        // nothing: the limits above end a stalled one long before it would.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

fn failed(error: &dyn Error) -> SendError {
    SendError::Failed(chain(error))
}

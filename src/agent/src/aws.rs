//! The outlet to CloudWatch and EventBridge. No SDK type leaves this module.

pub mod authorities;
mod date;
mod events;
mod metrics;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudwatch::error::SdkError;
use date::Dates;
use jiff::Timestamp;
use tokio::sync::OnceCell;
use vipward_core::telemetry::{hint_source, namespace};
use vipward_core::text::chain;
use vipward_core::{ClusterName, Hint, NodeName};

use vipward_observe::datum::Datum;
use vipward_observe::ports::{Outlet, SendError};

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
    dates: Dates,
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
            dates: Dates::new(),
            clients: OnceCell::new(),
        }
    }

    async fn clients(&self) -> Result<&Clients, SendError> {
        self.clients.get_or_try_init(|| connect(&self.dates)).await
    }

    /// What AWS's clock showed at that time of the agent's own. As long as no answer has told,
    /// something is asked: nothing is said that does not carry its age. `None` where answers come
    /// without a date: then the time of arrival has to do.
    async fn time(
        &self,
        now: Timestamp,
        ask: impl Future<Output = Result<(), SendError>>,
    ) -> Result<Option<Timestamp>, SendError> {
        if self.dates.time().at(now).is_none() {
            ask.await?;
        }
        Ok(self.dates.time().at(now))
    }
}

impl Outlet for Aws {
    async fn publish(&self, data: &[Datum]) -> Result<(), SendError> {
        let now = self.dates.now();
        let client = &self.clients().await?.cloudwatch;
        let said = self.time(now, metrics::ask(client, &self.namespace)).await?;
        metrics::put(client, &self.namespace, data, said).await
    }

    async fn hint(&self, hint: &Hint) -> Result<(), SendError> {
        let now = self.dates.now();
        let client = &self.clients().await?.eventbridge;
        let said = self.time(now, events::ask(client, &self.source)).await?;
        events::put(client, &self.source, hint, said).await
    }
}

async fn connect(dates: &Dates) -> Result<Clients, SendError> {
    let config = load_config().await;
    if config.region().is_none() {
        return Err(SendError::NoRegion);
    }
    let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(&config);
    let eventbridge = aws_sdk_eventbridge::config::Builder::from(&config);
    Ok(Clients {
        cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
            cloudwatch.interceptor(dates.clone()).build(),
        ),
        eventbridge: aws_sdk_eventbridge::Client::from_conf(
            eventbridge.interceptor(dates.clone()).build(),
        ),
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
        .http_client(vipward_aws_http::client())
        .timeout_config(timeouts)
        .retry_config(retries)
        // It would wake the agent dozens of times a second for as long as a request lasts, and find
        // nothing: the limits above end a stalled one long before it would.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

/// Whether there was an answer, be it a refusal.
fn answered<T, E, R>(outcome: Result<T, SdkError<E, R>>) -> Result<(), SendError>
where
    SdkError<E, R>: Error,
{
    match outcome {
        Ok(_) | Err(SdkError::ServiceError(_) | SdkError::ResponseError(_)) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn Error) -> SendError {
    SendError::Failed(chain(error))
}

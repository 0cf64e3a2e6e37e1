//! Clients set for failover: seconds, not the SDK's patience. A failover that waits a minute for
//! one hung connection is none.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use super::Aws;

impl Aws {
    /// Clients from the environment that Lambda gives.
    pub async fn from_environment() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_secs(1));
        // What CloudWatch says is worth a short wait only: fresh hints are enough without it.
        let patience = timeouts
            .to_builder()
            .operation_attempt_timeout(Duration::from_secs(1))
            .operation_timeout(Duration::from_millis(2_500))
            .build();
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(retries)
            .load()
            .await;
        Self {
            // EC2 is asked once; the next pass asks again, and anew about all else. A change that
            // was not answered may take effect yet: whether to repeat it is not for the SDK to
            // decide.
            ec2: aws_sdk_ec2::Client::from_conf(
                aws_sdk_ec2::config::Builder::from(&shared)
                    .retry_config(RetryConfig::disabled())
                    .build(),
            ),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
                aws_sdk_cloudwatch::config::Builder::from(&shared).timeout_config(patience).build(),
            ),
            events: aws_sdk_eventbridge::Client::new(&shared),
        }
    }
}

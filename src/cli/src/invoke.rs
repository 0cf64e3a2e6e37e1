//! Asks a Lambda function. The only place that speaks to AWS.

use std::error::Error;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::Value;

/// Why a function gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeFailure {
    /// Lambda says no.
    #[error("cannot invoke {function}: {code}: {message}")]
    Refused {
        /// The function.
        function: String,
        /// The error's code in the API.
        code: String,
        /// What Lambda says.
        message: String,
    },
    /// The request did not come through.
    #[error("cannot reach {function}")]
    Unreached {
        /// The function.
        function: String,
        /// What the SDK says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The function itself failed.
    #[error("{function} failed: {kind}: {message}")]
    Failed {
        /// The function.
        function: String,
        /// Its `errorType`.
        kind: String,
        /// Its `errorMessage`.
        message: String,
    },
}

impl InvokeFailure {
    /// What may help.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { code, .. } if code == "ResourceNotFoundException" => {
                "deploy the template first, and set AWS_REGION to its region".to_owned()
            }
            Self::Refused { code, .. } if code.starts_with("AccessDenied") => {
                "you need the policy that the stack names in its output OperatorPolicy".to_owned()
            }
            Self::Refused { .. } | Self::Unreached { .. } => {
                "set AWS_REGION and credentials as for the aws command, and check the network"
                    .to_owned()
            }
            Self::Failed { function, .. } => format!("its log is /aws/lambda/{function}"),
        }
    }
}

/// What a function that failed sends in place of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FunctionError {
    error_type: String,
    error_message: String,
}

impl Default for FunctionError {
    fn default() -> Self {
        Self {
            error_type: "unknown error".to_owned(),
            error_message: "it gave no message".to_owned(),
        }
    }
}

/// Sends `request` to `function` and waits for its answer.
///
/// # Errors
/// It cannot be reached, may not be invoked, or failed.
pub async fn invoke(function: &str, request: &Value) -> Result<Vec<u8>, InvokeFailure> {
    let client = client().await;
    let output = client
        .invoke()
        .function_name(function)
        .payload(Blob::new(request.to_string()))
        .send()
        .await
        .map_err(|error| not_invoked(function, error))?;
    answer_of(function, output)
}

/// A person waits: give up in seconds, not in the SDK's minutes. The failover function may take
/// thirty, and refuses while it is at something else; to order twice does no harm.
async fn client() -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(32))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(vipward_aws_http::client())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .load()
        .await;
    Client::new(&config)
}

fn not_invoked<E, R>(function: &str, error: SdkError<E, R>) -> InvokeFailure
where
    E: aws_sdk_lambda::error::ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let function = function.to_owned();
    match error.code() {
        Some(code) => InvokeFailure::Refused {
            function,
            code: code.to_owned(),
            message: error.message().unwrap_or("no message").to_owned(),
        },
        None => InvokeFailure::Unreached { function, source: Box::new(error) },
    }
}

fn answer_of(function: &str, output: InvokeOutput) -> Result<Vec<u8>, InvokeFailure> {
    let failed = output.function_error.is_some();
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    if !failed {
        return Ok(payload);
    }
    let error: FunctionError = serde_json::from_slice(&payload).unwrap_or_default();
    Err(InvokeFailure::Failed {
        function: function.to_owned(),
        kind: error.error_type,
        message: error.error_message,
    })
}

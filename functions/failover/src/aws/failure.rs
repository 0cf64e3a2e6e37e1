//! From the SDK's errors to the port's two kinds: worth trying again, or not.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use crate::ports::PortError;

/// Codes that say "later", whatever their HTTP status.
const LATER: [&str; 9] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
];

/// The failure of `call` in the port's words.
pub(super) fn of<E>(call: &'static str) -> impl Fn(SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| {
        let transient = match &error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or_default();
                answer.raw().status().is_server_error() || LATER.contains(&code)
            }
            SdkError::ConstructionFailure(_) => false,
            // No answer, or none that makes sense: it may have had its effect all the same.
            _ => true,
        };
        let cause = cause(&error);
        if transient {
            PortError::Transient { call, cause }
        } else {
            PortError::Refused { call, cause }
        }
    }
}

fn cause<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let (Some(code), message) = (error.code(), error.message()) {
        return message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"));
    }
    let mut chain = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        chain = format!("{chain}: {inner}");
        source = inner.source();
    }
    chain
}

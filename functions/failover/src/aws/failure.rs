//! From the SDK's errors to the port's two kinds: worth trying again, or not.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use vipward_reconcile::ports::PortError;

/// The failure of `call` in the port's words.
pub(super) fn of<E>(call: &'static str) -> impl Fn(SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| {
        let cause = cause(&error);
        match &error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or_default();
                PortError::answered(call, answer.raw().status().as_u16(), code, cause)
            }
            SdkError::ConstructionFailure(_) => PortError::Refused { call, cause },
            // No answer, or none that makes sense: it may have had its effect all the same.
            _ => PortError::Uncertain { call, cause },
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

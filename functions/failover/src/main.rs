//! The Lambda `bootstrap`: reads the environment, loads the configuration that ships beside it,
//! and answers the Runtime API.

use std::env::{self, VarError};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use vipward_core::text::chain;
use vipward_core::{Config, Exit, Faults};
use vipward_failover::aws::Aws;
use vipward_reconcile::handler::Function;
use vipward_reconcile::role::{NoRole, Role};

/// Why the function ends.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read the environment variable {name}")]
    Variable { name: &'static str, source: VarError },
    #[error(transparent)]
    Role(#[from] NoRole),
    #[error("the configuration is wrong")]
    Configuration(#[from] Faults),
    #[error("the Lambda runtime failed")]
    Runtime(#[from] lambda_runtime::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::INFO)
        .init();
    let exit = match run().await {
        Ok(()) => Exit::Fine,
        Err(failure) => {
            tracing::error!(error = chain(&failure), "function not started");
            match failure {
                Failure::Configuration(_) => Exit::BadConfiguration,
                _ => Exit::Failed,
            }
        }
    };
    exit.into()
}

async fn run() -> Result<(), Failure> {
    let role: Role = variable("VIPWARD_ROLE")?.parse()?;
    let path = PathBuf::from(variable("VIPWARD_CONFIG")?);
    let config = Config::load(&path, |path| std::fs::read_to_string(path))?;
    let function = &Function::new(config, Aws::from_environment().await, role);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = i64::try_from(event.context.deadline)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX);
        let answer = function.handle(&event.payload, deadline, &mut print).await;
        // The runtime tells the caller the error, but none of its causes.
        answer.map_err(|error| lambda_runtime::Error::from(chain(&error)))
    }))
    .await?;
    Ok(())
}

/// One line of the function's log.
fn print(value: &Value) {
    // Lambda reads stdout for as long as the function lives: a failed write has no one to tell.
    let _ = writeln!(std::io::stdout().lock(), "{value}");
}

#[expect(clippy::disallowed_methods, reason = "Lambda configures functions by the environment")]
fn variable(name: &'static str) -> Result<String, Failure> {
    env::var(name).map_err(|source| Failure::Variable { name, source })
}

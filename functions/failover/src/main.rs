//! The Lambda `bootstrap`: reads the environment, loads the configuration that ships beside it,
//! and answers the Runtime API.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use vipward_core::{Config, Exit, Faults};
use vipward_failover::aws::Aws;
use vipward_reconcile::handler::Function;
use vipward_reconcile::role::Role;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::INFO)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "function not started");
            let faulty = error.downcast_ref::<Faults>().is_some();
            if faulty { Exit::BadConfiguration.into() } else { ExitCode::FAILURE }
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let role: Role = variable("VIPWARD_ROLE")?.parse()?;
    let path = PathBuf::from(variable("VIPWARD_CONFIG")?);
    let config = Config::load(&path, |path| std::fs::read_to_string(path))?;
    let function = &Function::new(config, Aws::from_environment().await, role);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = i64::try_from(event.context.deadline)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX);
        function
            .handle(&event.payload, deadline, &mut print)
            .await
            .map_err(lambda_runtime::Error::from)
    }))
    .await
    .map_err(|error| anyhow::anyhow!(error))
}

/// One line of the function's log.
fn print(value: &Value) {
    // Lambda reads stdout for as long as the function lives: a failed write has no one to tell.
    let _ = writeln!(std::io::stdout().lock(), "{value}");
}

#[expect(clippy::disallowed_methods, reason = "Lambda configures functions by the environment")]
fn variable(name: &str) -> anyhow::Result<String> {
    std::env::var(name).map_err(|error| anyhow::anyhow!("environment variable {name}: {error}"))
}

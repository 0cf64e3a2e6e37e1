//! `exec`: a command ends with exit code 0.

use std::net::SocketAddr;
use std::time::Duration;

use crate::command::{Command, CommandError, how_failed};
use crate::{Outcome, Pass, ProbeFailure};

pub(crate) async fn probe(
    target: SocketAddr,
    words: &[String],
    user: Option<&str>,
    limit: Duration,
) -> Outcome {
    let mut environment = vec![("VIPWARD_ADDRESS", target.ip().to_string())];
    if target.port() != 0 {
        environment.push(("VIPWARD_PORT", target.port().to_string()));
    }
    let ran = Command { words, user, environment }.run(limit).await;
    let status = ran.outcome.map_err(|error| match error {
        CommandError::Late { .. } => ProbeFailure::timed_out(error.to_string()),
        _ => ProbeFailure::inconclusive(error.to_string()),
    })?;
    match (how_failed(status), ran.output.as_str()) {
        (None, _) => Ok(Pass::PLAIN),
        (Some(how), "") => Err(ProbeFailure::failed(how)),
        (Some(how), said) => Err(ProbeFailure::failed(format!("{how}: {said}"))),
    }
}

#[cfg(test)]
mod tests;

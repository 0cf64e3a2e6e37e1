//! `vipward-agent status`: asks the running agent, and shows what it says.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::args::{OutputFormat, StatusArgs};
use crate::failure::{AgentError, DEGRADED};
use crate::status::Status;

/// An agent that runs answers at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than the largest cluster's status takes.
const MOST_BYTES: u64 = 4 << 20;

/// Prints the status; the exit code.
///
/// # Errors
/// When no agent answers, or not as one does.
pub fn status(args: &StatusArgs) -> Result<u8, AgentError> {
    let path = &args.socket;
    let document =
        ask(path).map_err(|source| AgentError::NoAnswer { path: path.clone(), source })?;
    let status: Status = serde_json::from_str(&document)
        .map_err(|source| AgentError::Answer { path: path.clone(), source })?;
    let said = match args.output {
        OutputFormat::Text => status.text(),
        OutputFormat::Json => document,
    };
    io::stdout()
        .lock()
        .write_all(said.as_bytes())
        .map_err(AgentError::system("write to standard output"))?;
    Ok(if status.degraded() { DEGRADED } else { 0 })
}

fn ask(path: &Path) -> io::Result<String> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut document = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut document)?;
    Ok(document)
}

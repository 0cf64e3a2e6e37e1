//! Asking the running agent, and `vipward-agent status`, which shows what it says.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use vipward_core::Exit;
use vipward_observe::requests::{Refusal, Request};
use vipward_observe::status::Status;

use crate::failure::Failure;
use crate::options::{OutputFormat, StatusOptions};

/// An agent that runs answers at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than the largest cluster's status takes.
const MOST_BYTES: u64 = 4 << 20;

/// Prints the status; how the program ends.
///
/// # Errors
/// When no agent answers, or not as one does.
pub fn status(options: &StatusOptions) -> Result<Exit, Failure> {
    let status = ask(&options.socket, &Request::Status)?;
    let said = match options.output {
        OutputFormat::Text => status.text(),
        OutputFormat::Json => {
            let json = serde_json::to_string(&status).map_err(io::Error::from);
            json.map_err(Failure::system("write the status"))? + "\n"
        }
    };
    io::stdout()
        .lock()
        .write_all(said.as_bytes())
        .map_err(Failure::system("write to standard output"))?;
    Ok(if status.degraded() { Exit::Degraded } else { Exit::Fine })
}

/// Asks the agent that listens on `path`; its status once it has done what was asked.
///
/// # Errors
/// When no agent answers, not as one does, or with a refusal.
pub fn ask(path: &Path, request: &Request) -> Result<Status, Failure> {
    let document = UnixStream::connect(path)
        .and_then(|stream| exchange(stream, request))
        .map_err(|source| Failure::NoAnswer { path: path.to_owned(), source })?;
    if let Ok(refusal) = serde_json::from_str::<Refusal>(&document) {
        return Err(refusal.into());
    }
    serde_json::from_str(&document)
        .map_err(|source| Failure::Answer { path: path.to_owned(), source })
}

fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let written = stream.write_all(&line);
    // An agent that has waited for a request long enough tells its status and hangs up: that does
    // for the question, and carries no order out.
    if *request != Request::Status {
        written?;
    }
    let mut document = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut document)?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vipward_observe::requests::Which;

    /// What a request is answered by an agent that has waited for it long enough.
    fn too_late(request: &Request) -> io::Result<String> {
        let (ours, mut agents) = UnixStream::pair().expect("two sockets");
        agents.write_all(b"the status").expect("there is room");
        drop(agents);
        exchange(ours, request)
    }

    #[test]
    fn an_order_that_came_too_late_is_not_taken_for_carried_out() {
        assert_eq!(too_late(&Request::Status).expect("it asked for that"), "the status");
        let leave = Request::Leave { which: Which::All, reason: "upgrade".to_owned() };
        for order in [leave, Request::Stay { which: Which::All }] {
            let error = too_late(&order).expect_err("nobody has heard it");
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{order:?}");
        }
    }
}

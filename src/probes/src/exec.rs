//! `exec`: a command ends with exit code 0. It runs without a shell, as the agent's own user or as a
//! named one, with an almost empty environment, in a process group of its own that does not outlive
//! its time.

mod account;

use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::deadline::Deadline;
use crate::{Outcome, Pass, Shortfall};

/// How much of the output is kept: more than a cause can hold.
const KEPT: usize = 1024;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) async fn probe(
    target: SocketAddr,
    command: &[String],
    user: Option<&str>,
    deadline: &Deadline,
) -> Outcome {
    let [program, arguments @ ..] = command else {
        return Err(Shortfall::error("the command is empty"));
    };
    let account = match user {
        Some(user) => Some(account::find(user, deadline).await?),
        None => None,
    };
    let cannot = |error: io::Error| {
        let who = user.map(|user| format!(" as {user}")).unwrap_or_default();
        let hint = match (user, error.kind()) {
            (Some(_), io::ErrorKind::PermissionDenied) => account::NEEDS,
            _ => "",
        };
        Shortfall::error(format!("cannot run {program}{who}: {error}{hint}"))
    };
    let (writer, mut output) = pipe::pipe().map_err(cannot)?;
    let writer = writer.into_blocking_fd().map_err(cannot)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("VIPWARD_ADDRESS", target.ip().to_string())
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(cannot)?)
        .stderr(writer)
        .current_dir("/")
        .process_group(0);
    if let Some(account) = account {
        account.give(&mut command);
    }
    if target.port() != 0 {
        command.env("VIPWARD_PORT", target.port().to_string());
    }
    let mut group = Group(command.spawn().map_err(cannot)?);
    // With it go our ends for writing, so that reading ends when the command's are closed.
    drop(command);
    let mut kept = Vec::new();
    let ended = async {
        tokio::select! {
            status = group.0.wait() => status,
            error = keep(&mut output, &mut kept) => Err(error),
        }
    };
    let late = || format!("{program} did not end");
    let status = deadline.bound(ended, late).await?.map_err(cannot)?;
    // What it wrote last may still be in the pipe.
    let mut rest = [0; KEPT];
    if let Ok(read) = output.try_read(&mut rest) {
        kept.extend_from_slice(&rest[..read]);
    }
    judge(status, &String::from_utf8_lossy(&kept))
}

fn judge(status: ExitStatus, output: &str) -> Outcome {
    let how = match (status.code(), status.signal()) {
        (Some(0), _) => return Ok(Pass::PLAIN),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    };
    match output.trim() {
        "" => Err(Shortfall::fail(how)),
        said => Err(Shortfall::fail(format!("{how}: {said}"))),
    }
}

/// Reads for ever, so that the command never waits for a reader, and keeps the beginning.
async fn keep(output: &mut pipe::Receiver, kept: &mut Vec<u8>) -> io::Error {
    let mut buffer = [0; KEPT];
    loop {
        if let Err(error) = output.readable().await {
            return error;
        }
        match output.try_read(&mut buffer) {
            // Every end for writing is closed: only the command's end is still to come.
            Ok(0) => return std::future::pending().await,
            Ok(read) => {
                let wanted = read.min(KEPT.saturating_sub(kept.len()));
                kept.extend_from_slice(&buffer[..wanted]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return error,
        }
    }
}

/// A command and whatever it started. Dropped before its end (the time is up, or the agent stops),
/// all of it is killed; the runtime reaps it.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // No number once it has ended: it may by then be another's.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended by itself in between.
            let _killed = kill_process_group(id, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;

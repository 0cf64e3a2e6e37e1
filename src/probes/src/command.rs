//! A command that people wrote, for a check or a hook: it runs without a shell, as this process's
//! own user or as a named one, with an almost empty environment, in a process group of its own that
//! does not outlive its time.

mod account;

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::time::timeout;

/// How much of the output is kept, from its beginning: more than a cause can hold.
pub const KEPT: usize = 1024;
/// The one variable that every command has.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What to run.
#[derive(Debug, Clone)]
pub struct Command<'c> {
    /// The program's whole path, and its arguments.
    pub words: &'c [String],
    /// Whom it runs as; without, as this process.
    pub user: Option<&'c str>,
    /// Its environment beside [`PATH`].
    pub environment: Vec<(&'static str, String)>,
}

/// Why there is no exit code.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no program.
    #[error("the command is empty")]
    Empty,
    /// The user it is to run as is not known, or cannot be looked up.
    #[error("{0}")]
    NoUser(String),
    /// The system does not run it.
    #[error("{0}")]
    CannotRun(String),
    /// Its time was up; it and all that it started were killed.
    #[error("{program} did not end within {} ms", limit.as_millis())]
    Late {
        /// The program.
        program: String,
        /// Its time.
        limit: Duration,
    },
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    /// How it ended, if it did.
    pub outcome: Result<ExitStatus, CommandError>,
    /// The beginning of what it wrote, at most [`KEPT`] bytes.
    pub output: String,
}

impl Command<'_> {
    /// Runs it to its end or to the end of its time. Dropped before, it and all that it started are
    /// killed.
    pub async fn run(&self, limit: Duration) -> Ran {
        let mut kept = Vec::new();
        let outcome = timeout(limit, self.attempt(&mut kept)).await;
        let late = || CommandError::Late { program: self.program().to_owned(), limit };
        let outcome = outcome.unwrap_or_else(|_| Err(late()));
        Ran { outcome, output: String::from_utf8_lossy(&kept).trim().to_owned() }
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    async fn attempt(&self, kept: &mut Vec<u8>) -> Result<ExitStatus, CommandError> {
        if self.words.is_empty() {
            return Err(CommandError::Empty);
        }
        let account = match self.user {
            Some(user) => Some(account::find(user).await?),
            None => None,
        };
        let cannot = |error| self.cannot(&error);
        let (writer, mut output) = pipe::pipe().map_err(cannot)?;
        let mut command = self.prepared(writer).map_err(cannot)?;
        if let Some(account) = account {
            account.give(&mut command);
        }
        let mut group = Group(command.spawn().map_err(cannot)?);
        // With it go our ends for writing, so that reading ends when the command's are closed.
        drop(command);
        let status = tokio::select! {
            status = group.0.wait() => status,
            error = keep(&mut output, kept) => Err(error),
        };
        // What it wrote last may still be in the pipe.
        let mut rest = [0; KEPT];
        if let Ok(read) = output.try_read(&mut rest) {
            take(kept, &rest[..read]);
        }
        status.map_err(cannot)
    }

    fn prepared(&self, writer: pipe::Sender) -> io::Result<tokio::process::Command> {
        let writer = writer.into_blocking_fd()?;
        let mut command = tokio::process::Command::new(self.program());
        command
            .args(&self.words[1..])
            .env_clear()
            .env("PATH", PATH)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .current_dir("/")
            .process_group(0);
        Ok(command)
    }

    fn cannot(&self, error: &io::Error) -> CommandError {
        let who = self.user.map(|user| format!(" as {user}")).unwrap_or_default();
        let hint = match (self.user, error.kind()) {
            (Some(_), io::ErrorKind::PermissionDenied) => account::NEEDS,
            _ => "",
        };
        CommandError::CannotRun(format!("cannot run {}{who}: {error}{hint}", self.program()))
    }
}

/// How a command failed; `None` where it ended with exit code 0.
pub fn how_failed(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit code {code}")),
        (None, Some(signal)) => Some(format!("ended by signal {signal}")),
        (None, None) => Some("ended in an unknown way".to_owned()),
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
            Ok(read) => take(kept, &buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return error,
        }
    }
}

fn take(kept: &mut Vec<u8>, read: &[u8]) {
    let wanted = read.len().min(KEPT.saturating_sub(kept.len()));
    kept.extend_from_slice(&read[..wanted]);
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

//! A `vipward-region` as a child process, for the steps that need something to talk to.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// It is ready in milliseconds; this only ends a wait that would not end by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running region. Dropping it ends the process.
#[derive(Debug)]
pub struct Region {
    child: Child,
    endpoint: String,
    journal: PathBuf,
}

impl Region {
    /// Starts a region in `world` (a path in the clone) and waits until it serves. Its journal and
    /// its log stay in the target directory, under the step's name.
    pub fn start(workspace: &Workspace, world: &Path, step: &str, name: &str) -> Result<Self> {
        let scratch = workspace.scratch(step)?;
        let journal = scratch.join(format!("{name}.jsonl"));
        let journal_file = File::create(&journal).context("cannot create the journal")?;
        let log = File::create(scratch.join(format!("{name}.log")))
            .context("cannot create the region's log")?;

        let mut child = workspace
            .command(workspace.binary("vipward-region")?)
            .arg("--world")
            .arg(world)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start vipward-region")?;
        let stdout = child.stdout.take().context("the region has no stdout")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || keep_journal(stdout, journal_file, &sender));

        // From here on, dropping this ends the process, whatever goes wrong.
        let mut region = Self { child, endpoint: String::new(), journal };
        region.endpoint = match receiver.recv_timeout(PATIENCE) {
            Ok(endpoint) => endpoint,
            Err(RecvTimeoutError::Disconnected) => {
                bail!("vipward-region ended before it was ready; see {}", scratch.display())
            }
            Err(RecvTimeoutError::Timeout) => bail!("vipward-region is not ready after 30 s"),
        };
        Ok(region)
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What an AWS client reads: the endpoint, the region's name, credentials of no value.
    pub fn environment(&self) -> [(&'static str, String); 7] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "wire".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "wire".to_owned()),
            ("AWS_PAGER", String::new()),
            ("VIPWARD_JOURNAL", self.journal()),
        ]
    }

    pub fn journal(&self) -> String {
        self.journal.display().to_string()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies the journal to its file, line by line, and sends the endpoint when the region names it.
/// It goes on reading when the file cannot be written: a full pipe would stop the region.
fn keep_journal(stdout: ChildStdout, mut file: File, sender: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let _ = writeln!(file, "{line}");
        if let Some(endpoint) = ready(&line) {
            let _ = sender.send(endpoint);
        }
    }
}

/// The endpoint, if this is the journal's `ready` line.
fn ready(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line.get("event")? != "ready" {
        return None;
    }
    line.get("endpoint")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ready_line_names_the_endpoint() {
        let line =
            r#"{"at":"2026-01-02T03:04:05Z","event":"ready","endpoint":"http://127.0.0.1:4566"}"#;
        assert_eq!(ready(line).as_deref(), Some("http://127.0.0.1:4566"));
        assert_eq!(ready(r#"{"event":"api","endpoint":"x"}"#), None);
        assert_eq!(ready("talk that is no JSON"), None);
    }
}

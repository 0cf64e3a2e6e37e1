//! Child processes: started, listened to, killed; an end that nobody asked for is told.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::clock;
use crate::log::Log;
use crate::record::Record;

#[derive(Debug, thiserror::Error)]
#[error("cannot start {name}")]
pub struct StartError {
    name: String,
    source: std::io::Error,
}

/// A running child process. Dropping it kills the process.
#[derive(Debug)]
pub struct Process {
    pid: Option<Pid>,
    end_expected: Arc<AtomicBool>,
    ended: watch::Receiver<bool>,
    // Holds the child, which is killed when this task is dropped.
    watcher: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts `command`; each line of its output becomes a record told by `name`.
    pub fn start(mut command: Command, name: &str, log: &Log) -> Result<Self, StartError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: a Ctrl-C is for the lab, which ends its processes itself.
        command.kill_on_drop(true).process_group(0);
        let mut child =
            command.spawn().map_err(|source| StartError { name: name.to_owned(), source })?;
        let listeners = [
            child.stdout.take().map(|out| tokio::spawn(listen(out, name.to_owned(), log.clone()))),
            child.stderr.take().map(|err| tokio::spawn(listen(err, name.to_owned(), log.clone()))),
        ];
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let end_expected = Arc::new(AtomicBool::new(false));
        let (tell, ended) = watch::channel(false);
        let (name, log, wanted) = (name.to_owned(), log.clone(), Arc::clone(&end_expected));
        let watcher = tokio::spawn(async move {
            let status = wait_for_end(&mut child).await;
            for listener in listeners.into_iter().flatten() {
                let _ = listener.await;
            }
            if !wanted.load(Ordering::Relaxed) {
                log.note("process ended by itself", json!({"process": name, "status": status}));
            }
            tell.send_replace(true);
        });
        Ok(Self { pid, end_expected, ended, watcher })
    }

    /// Kills it at once, as a crash would, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.end(Signal::KILL).await;
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(&mut self) {
        self.end(Signal::TERM).await;
    }

    async fn end(&mut self, signal: Signal) {
        self.end_expected.store(true, Ordering::Relaxed);
        self.send(signal);
        let _ = self.ended.wait_for(|ended| *ended).await;
    }

    fn send(&self, signal: Signal) {
        if let Some(pid) = self.pid.filter(|_| !*self.ended.borrow()) {
            // It may have ended this very moment: then there is nothing left to do.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At once, so that nothing of it outlives the lab's folder: the watcher drops its child
        // only in a later turn.
        self.send(Signal::KILL);
        self.watcher.abort();
    }
}

async fn wait_for_end(child: &mut Child) -> String {
    child
        .wait()
        .await
        .map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string())
}

async fn listen(output: impl AsyncRead + Unpin, name: String, log: Log) {
    let mut lines = BufReader::new(output).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            log.push(Record::parse(&name, line.trim_end(), clock::now()));
        }
    }
}

//! Real servers for the tests: processes of ours in directories of their own, ended with the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use vipward_core::config::{Check, CheckKind};

use crate::testing::scratch::fresh_directory;
use crate::testing::scripted::check;
use crate::{Outcome, ProbeFailure, probe};

/// Starts tried when another process takes the port first.
const TRIES: usize = 5;
/// A test that waits longer than this for a state of a server has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; ended when dropped, and its directory removed.
pub(crate) struct Daemon {
    process: Child,
    directory: PathBuf,
    /// How it is told to end: `KILL`, unless that leaves something behind.
    pub end_signal: &'static str,
    pub address: SocketAddr,
}

impl Daemon {
    /// Starts the server; where it is not installed, `needed` says what is to be.
    pub fn spawn(
        command: &mut Command,
        needed: &str,
        address: SocketAddr,
        directory: PathBuf,
    ) -> Self {
        let log = std::fs::File::create(directory.join("test.log")).expect("a writable directory");
        let process = command
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                let _removed = std::fs::remove_dir_all(&directory);
                panic!("this test needs {needed}: {error}")
            });
        Self { process, directory, end_signal: "KILL", address }
    }

    /// Starts servers until one answers the probe in whatever way: the port of one whose process
    /// ended before was taken.
    pub async fn answering(kind: &CheckKind, start: impl AsyncFn() -> Self) -> Self {
        for _ in 0..TRIES {
            let mut daemon = start().await;
            if daemon.answers(kind).await {
                return daemon;
            }
            eprintln!("{}", std::fs::read_to_string(daemon.directory.join("test.log")).unwrap());
        }
        panic!("no server started on {TRIES} free ports");
    }

    async fn answers(&mut self, kind: &CheckKind) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.process.try_wait(), Ok(None)) {
            match probe(self.address, &check(kind.clone())).await {
                Ok(_) | Err(ProbeFailure::Inconclusive(_)) => return true,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        false
    }

    /// Probes until it comes to that.
    pub async fn comes_to(&self, check: &Check, expected: impl Fn(&Outcome) -> bool) {
        let began = Instant::now();
        loop {
            let outcome = probe(self.address, check).await;
            if expected(&outcome) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it stays at {outcome:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A file in the server's directory.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.join(name);
        std::fs::write(&path, content).expect("a writable directory");
        path
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the process and waits for its end.
    pub fn stop(&mut self) {
        self.signal(self.end_signal);
        self.signal("CONT");
        self.process.wait().expect("our own child");
    }

    /// Sends a signal such as `STOP`.
    pub fn signal(&self, name: &str) {
        // The shell's own kill: present wherever a shell is. It may have ended by itself.
        let command = format!("kill -{name} {}", self.process.id());
        Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status().expect("a shell");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.stop();
        }
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

/// An address that nobody listened on just now.
pub(crate) async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("bound")
}

/// Runs a command that prepares something, to its end.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Database servers refuse to run as root: then the command runs as the user of their package.
pub(crate) fn as_user(user: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
    command
}

/// Gives the directory and all in it to the user that [`as_user`] runs commands as.
pub(crate) fn give_to(user: &str, directory: &Path) {
    if is_root() {
        run(Command::new("chown").arg("-R").arg(format!("{user}:")).arg(directory));
    }
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

/// A data directory that is initialised once, and copied for each server.
pub(crate) struct Template(PathBuf);

impl Template {
    /// Makes one in a directory of that user.
    pub fn new(user: &str, initialise: impl FnOnce(&Path)) -> Self {
        let template = Self(fresh_directory(&format!("{user}-template")));
        give_to(user, &template.0);
        initialise(&template.0);
        template
    }

    /// A copy of it.
    pub fn copy(&self, to: &Path) {
        run(Command::new("cp").arg("-a").arg(self.0.join(".")).arg(to));
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

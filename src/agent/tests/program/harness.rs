//! A directory of files, the program, and a running agent that is listened to.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for a word before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that goes when the test does.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vipward-agent-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a writable temporary directory");
        Self(path)
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a writable directory");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What stays behind is in the temporary directory.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

pub fn config(port: u16) -> String {
    format!(
        r#"
cluster = "lab"
subnet = "127.77.0.0/24"
[[node]]
name = "a"
address = "127.77.0.21"
eni = "eni-0a1b2c3d4e5f60001"
[[node]]
name = "b"
address = "127.77.0.22"
eni = "eni-0a1b2c3d4e5f60002"
[[service]]
name = "web"
vip = "127.77.0.200"
check = {{ kind = "tcp", port = {port} }}
"#
    )
}

/// The program with nothing of this machine's AWS settings.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipward-agent"));
    command.env_clear().args(arguments);
    command
}

/// A command of the program that reads that file.
pub fn agent(command: &str, config: &Path) -> Command {
    let mut command = program(&[command]);
    command.arg("--config").arg(config);
    command
}

pub fn outcome(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A running agent; killed when dropped.
pub struct Running {
    child: Child,
    /// What the service manager was told, a line each.
    told: Receiver<String>,
    /// Its log, a line each.
    logged: Receiver<String>,
    directory: Arc<Directory>,
}

impl Running {
    pub fn start(port: u16, environment: &[(&str, &str)]) -> Self {
        Self::start_with(&config(port), environment)
    }

    /// Starts one with that file.
    pub fn start_with(config: &str, environment: &[(&str, &str)]) -> Self {
        let directory = Directory::new();
        directory.file("vipward.toml", config);
        Self::start_in(Arc::new(directory), environment)
    }

    /// Ends it as systemd does, and starts it again where it was.
    pub fn restart(self, environment: &[(&str, &str)]) -> Self {
        let directory = Arc::clone(&self.directory);
        assert_eq!(self.terminate(), Some(0));
        Self::start_in(directory, environment)
    }

    fn start_in(directory: Arc<Directory>, environment: &[(&str, &str)]) -> Self {
        let file = directory.0.join("vipward.toml");
        let notify = directory.0.join("notify");
        if notify.exists() {
            std::fs::remove_file(&notify).expect("the socket of the start before");
        }
        let socket = directory.0.join("notify");
        let manager = UnixDatagram::bind(&socket).expect("a socket in the directory");
        let (teller, told) = mpsc::channel();
        // Read at all times, as systemd does: a full socket would hold the agent up.
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok(length) = manager.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.lines().any(|line| teller.send(line.to_owned()).is_err()) {
                    return;
                }
            }
        });
        let mut child = agent("run", &file)
            .args(["--node", "a", "--log", "json", "--socket"])
            .arg(directory.0.join("agent.sock"))
            .arg("--memory")
            .arg(directory.0.join("hooks.json"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(["--metrics-listen", "127.0.0.1:0"])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "200000")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (sink, logged) = mpsc::channel();
        thread::spawn(move || {
            // A test that has seen enough no longer listens.
            log.lines().map_while(Result::ok).all(|line| sink.send(line).is_ok())
        });
        Self { child, told, logged, directory }
    }

    /// Waits for a word to the service manager.
    pub fn tells(&self, word: &str) {
        let told = || self.told.recv_timeout(PATIENCE).expect("the agent goes on telling");
        while told() != word {}
    }

    /// Waits for a log line of that message.
    pub fn logs(&self, message: &str) -> serde_json::Value {
        self.logs_any(&[message])
    }

    /// Waits for a log line of one of these messages.
    pub fn logs_any(&self, messages: &[&str]) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.logged.recv_timeout(left).expect("the agent logs it in time");
            let entry: serde_json::Value = serde_json::from_str(&line).expect("a JSON line");
            if messages.iter().any(|message| entry["message"] == *message) {
                return entry;
            }
        }
    }

    /// Waits for a log line of that message with that value.
    pub fn logs_with(&self, message: &str, field: &str, value: u64) -> serde_json::Value {
        loop {
            let entry = self.logs(message);
            if entry[field] == value {
                return entry;
            }
        }
    }

    /// Its file.
    pub fn file(&self) -> PathBuf {
        self.directory.0.join("vipward.toml")
    }

    /// Its status socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.0.join("agent.sock")
    }

    /// Sends it that signal.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status().expect("a shell");
        assert!(status.success(), "{command}");
    }

    /// Asks it to end, as systemd does; its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.tells("STOPPING=1");
        self.logs("agent stopped");
        self.child.wait().expect("our own child").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, or ended here.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

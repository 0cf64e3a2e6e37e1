//! The program as it is run: exit codes, the service manager's protocol, and life without AWS.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long a test waits for a word before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that goes when the test does.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vipward-agent-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a writable temporary directory");
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
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

fn config(port: u16) -> String {
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

/// The agent with nothing of this machine's AWS settings.
fn agent(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipward-agent"));
    command.env_clear().arg("--config").arg(config).args(arguments);
    command
}

fn outcome(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn check_says_who_this_is() {
    let directory = Directory::new();
    let file = directory.file("vipward.toml", &config(4242));
    let (code, stdout, _) = outcome(agent(&file, &["--node", "a", "--check"]));
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "a of cluster lab: probes 1 own and 1 other services\n")
    );
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let directory = Directory::new();
    let good = directory.file("good.toml", &config(4242));
    let bad = directory.file("bad.toml", &config(4242).replace("port =", "prot ="));
    let absent = directory.0.join("absent.toml");
    for (file, arguments, code, word) in [
        (&bad, vec!["--node", "a", "--check"], 3, "prot"),
        (&absent, vec!["--check"], 3, "absent.toml"),
        (&good, vec!["--check"], 3, "no node or witness has an address of this host"),
        (&good, vec!["--node", "c", "--check"], 3, "there is no node or witness c"),
        (&good, vec!["--node", "Not A Name"], 2, "Not A Name"),
        (&good, vec!["--unknown"], 2, "--unknown"),
    ] {
        let (got, _, stderr) = outcome(agent(file, &arguments));
        assert_eq!(got, Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(word), "{arguments:?}: {stderr}");
    }
}

/// A running agent; killed when dropped.
struct Running {
    child: Child,
    /// What the service manager was told, a line each.
    told: Receiver<String>,
    /// Its log, a line each.
    logged: Receiver<String>,
    _directory: Directory,
}

impl Running {
    fn start(port: u16, environment: &[(&str, &str)]) -> Self {
        let directory = Directory::new();
        let file = directory.file("vipward.toml", &config(port));
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
        let mut child = agent(&file, &["--node", "a", "--log", "json"])
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
        Self { child, told, logged, _directory: directory }
    }

    /// Waits for a word to the service manager.
    fn tells(&self, word: &str) {
        let told = || self.told.recv_timeout(PATIENCE).expect("the agent goes on telling");
        while told() != word {}
    }

    /// Waits for a log line of that message.
    fn logs(&self, message: &str) -> serde_json::Value {
        loop {
            let line = self.logged.recv_timeout(PATIENCE).expect("the agent goes on logging");
            let entry: serde_json::Value = serde_json::from_str(&line).expect("a JSON line");
            if entry["message"] == message {
                return entry;
            }
        }
    }

    /// Asks it to end, as systemd does; its exit code.
    fn terminate(mut self) -> Option<i32> {
        let command = format!("kill -TERM {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status().expect("a shell");
        assert!(status.success(), "{command}");
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

#[test]
fn the_service_manager_is_told_and_sigterm_ends_it_well() {
    let listener = TcpListener::bind("127.77.0.21:0").expect("a free port on loopback");
    let port = listener.local_addr().expect("bound").port();
    let agent = Running::start(port, &[]);
    agent.tells("READY=1");
    agent.tells("WATCHDOG=1");
    agent.tells("STATUS=1 healthy, 1 unhealthy, 0 unknown");
    let changed = agent.logs("verdict changed");
    assert_eq!((&changed["service"], &changed["from"]), (&"web".into(), &"unknown".into()));
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn without_a_region_it_says_so_and_works_on() {
    // The metadata service is off, so nothing can tell the region.
    let agent = Running::start(1, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    let failed = agent.logs("hint failed");
    assert!(
        failed["error"].as_str().is_some_and(|error| error.contains("no AWS region")),
        "{failed}"
    );
    agent.logs("hint failed");
    agent.tells("STATUS=0 healthy, 2 unhealthy, 0 unknown");
    assert_eq!(agent.terminate(), Some(0));
}

#[test]
fn with_aws_out_of_reach_it_says_so_and_works_on() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", closed.local_addr().expect("bound"));
    drop(closed);
    let agent = Running::start(
        1,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ],
    );
    let failed = agent.logs("metrics failed");
    assert!(
        failed["error"].as_str().is_some_and(|error| error.contains("Connection refused")),
        "{failed}"
    );
    agent.logs("hint failed");
    agent.logs("hint failed");
    assert_eq!(agent.terminate(), Some(0));
}

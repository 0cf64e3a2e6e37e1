//! The real program under test, with an ear for its log and one for what it tells the service
//! manager.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::metadata::Metadata;
use crate::namespace::await_that;

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_vipward-alias");

/// Where the program asks for instance metadata.
const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// How long to wait for what must come. Well below the unit's slow resync of a minute: what comes
/// within it was brought by an event.
const DEADLINE: Duration = Duration::from_secs(20);

/// Two services, so that the aliases are numbered 1 and 2.
const CONFIG: &str = r#"
cluster = "prod-db"
subnet = "172.31.0.0/20"
policy = { alias = "MODE" }
[[node]]
name = "resource-01"
address = "172.31.0.11"
eni = "eni-0a1b2c3d4e5f60001"
[[node]]
name = "resource-02"
address = "172.31.0.124"
eni = "eni-0a1b2c3d4e5f60002"
[[service]]
name = "mysql"
vip = "172.31.0.201"
check = { kind = "tcp", port = 3306 }
[[service]]
name = "redis"
vip = "172.31.0.202"
check = { kind = "redis", port = 6379 }
"#;

/// The program's command line with the test's file, after `prefix` (a wrapper and its arguments, or
/// the program).
fn command(files: &Path, mode: &str, prefix: &[OsString], arguments: &[&str]) -> Command {
    let config = files.join("vipward.toml");
    fs::write(&config, CONFIG.replace("MODE", mode)).expect("the file is written");
    let mut command = Command::new(&prefix[0]);
    command.args(&prefix[1..]).arg("--config").arg(config).args(arguments);
    command
}

/// Runs the program to its end.
pub fn run(files: &Path, prefix: &[OsString], arguments: &[&str]) -> Output {
    command(files, "static", prefix, arguments).output().expect("the program runs")
}

/// Runs its doctor to the end, with instance metadata to ask; answers with exit code and words. Its
/// umask is that of a hardened host: what it writes is for others to read all the same.
pub fn doctor(files: &Path, mode: &str, metadata: &Metadata, arguments: &[&str]) -> (i32, String) {
    let strict = ["sh", "-c", "umask 077; exec \"$0\" \"$@\"", PROGRAM].map(OsString::from);
    let mut command = command(files, mode, &strict, &["doctor"]);
    let output = command.args(arguments).env(ENDPOINT, metadata.url()).output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().expect("it ended by itself"), said)
}

/// The program while it runs.
pub struct Unit {
    child: Child,
    log: Receiver<Value>,
    manager: UnixDatagram,
    report: PathBuf,
    /// What it told the service manager when it was ready.
    pub greeting: String,
}

impl Unit {
    /// Starts it and waits until it has told the service manager that it is ready.
    pub fn start(files: &Path) -> Self {
        Self::begin(files, "static", None)
    }

    /// The same in mode `follow`, with instance metadata to ask.
    pub fn follow(files: &Path, metadata: &Metadata) -> Self {
        Self::begin(files, "follow", Some(metadata))
    }

    fn begin(files: &Path, mode: &str, metadata: Option<&Metadata>) -> Self {
        let report = files.join("alias.json");
        let _ = fs::remove_file(&report);
        let socket = files.join("notify");
        let _ = fs::remove_file(&socket);
        let manager = UnixDatagram::bind(&socket).expect("a socket for the service manager");
        manager.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let mut child = command(files, mode, &[PROGRAM.into()], &["--log", "json", "--report"])
            .arg(&report)
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "120000000")
            .envs(metadata.map(|metadata| (ENDPOINT, metadata.url())))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, log) = channel();
        let lines = BufReader::new(child.stderr.take().expect("it was piped")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("unit: {line}");
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let mut unit = Self { child, log, manager, report, greeting: String::new() };
        unit.greeting = unit.hear_manager("READY=1");
        unit
    }

    /// Waits until the service manager is told `word`, and answers with the whole datagram.
    pub fn hear_manager(&self, word: &str) -> String {
        let mut buffer = [0; 1024];
        loop {
            let length = self.manager.recv(&mut buffer).expect("the unit speaks in time");
            let told = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if told.lines().any(|line| line == word) {
                return told;
            }
        }
    }

    /// Waits for an event of the log, and answers with it.
    pub fn hear(&self, message: &str) -> Value {
        loop {
            let event = self.next(message);
            if event["message"] == message {
                return event;
            }
        }
    }

    /// Waits for an event with one of these messages, and answers with which it was.
    pub fn hear_one_of<'m>(&self, messages: &[&'m str]) -> &'m str {
        loop {
            let event = self.next(messages[0]);
            if let Some(heard) = messages.iter().find(|message| event["message"] == **message) {
                return heard;
            }
        }
    }

    fn next(&self, awaited: &str) -> Value {
        let event = self.log.recv_timeout(DEADLINE);
        event.unwrap_or_else(|_| panic!("{awaited:?} was not logged in time"))
    }

    /// Waits until the report for the agent says of a service what is `wanted`, and answers with
    /// that; every file that is seen must be whole.
    pub fn report(&self, service: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let said = RefCell::new(Value::Null);
        await_that("the report says so", || {
            let text = fs::read_to_string(&self.report).unwrap_or_else(|_| "{}".to_owned());
            let report: Value = serde_json::from_str(&text).expect("the report is whole");
            let states = report["aliases"].as_array().into_iter().flatten();
            let state = states.clone().find(|state| state["service"] == service);
            *said.borrow_mut() = state.cloned().unwrap_or(Value::Null);
            state.is_some_and(&wanted)
        });
        said.into_inner()
    }

    /// Waits for two events of this message, in any order, and answers with the VIPs they name,
    /// sorted.
    pub fn hear_two(&self, message: &str) -> [String; 2] {
        let mut vips = [(); 2].map(|()| {
            self.hear(message)["vip"].as_str().expect("the event names a VIP").to_owned()
        });
        vips.sort();
        vips
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("sh runs");
        assert!(status.success(), "{kill}");
    }

    /// Waits for its end.
    pub fn end(mut self) -> ExitStatus {
        self.child.wait().expect("the unit is our child")
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

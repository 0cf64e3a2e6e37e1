//! `cargo xtask soak`: what the agent takes of a host when nothing goes well. Services that flap, a
//! CloudWatch that takes connections and never answers, and the release build in between.
//!
//! Two agents run side by side: with six services, and with MongoDB besides. It prints a table and
//! writes nothing but the agents' own files, in its scratch directory.

pub mod conversation;
mod figures;
mod peers;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::report::say;
use crate::workspace::{self, Workspace};
use conversation::Protocol;
use figures::{Figures, Sample};
use peers::Peers;

/// Two nodes on loopback; the agents are on the first.
const NODES: [&str; 2] = ["127.77.1.11", "127.77.1.12"];
const STEP: Duration = Duration::from_secs(1);

/// The services that every agent has; `exec` has no peer.
const COMMON: [Protocol; 5] =
    [Protocol::Tcp, Protocol::Http, Protocol::Redis, Protocol::Mysql, Protocol::Postgres];

/// What one agent has to watch and may take.
struct Load {
    name: &'static str,
    mongodb: bool,
    most_mib: f64,
}

const LOADS: [Load; 2] = [
    Load { name: "six services", mongodb: false, most_mib: 20.0 },
    Load { name: "and MongoDB", mongodb: true, most_mib: 30.0 },
];

/// Builds the agent, lets it run, and measures.
pub fn run(workspace: &Workspace, minutes: u32) -> Result<ExitCode> {
    ensure!(minutes >= 2, "a soak of less than 2 minutes shows nothing: use --minutes 10");
    say("building the agent as it is released; ten minutes or so the first time");
    let mut build = workspace.command("cargo");
    build.args(["build", "--release", "--locked", "--package", "vipward-agent"]);
    workspace::run(&mut build)?;
    let program = workspace.target.join("release/vipward-agent");
    let scratch = workspace.scratch("soak")?;
    let peers = Peers::start(&NODES)?;
    let agents = LOADS.iter().map(|load| start(workspace, &program, &scratch, &peers, load));
    let mut agents = agents.collect::<Result<Vec<_>>>()?;
    say(format_args!("{minutes} minutes; a line each minute\n\n{}", Figures::HEADINGS));
    let begun = Instant::now();
    let end = begun + Duration::from_mins(1) * minutes;
    while Instant::now() < end {
        thread::sleep(STEP);
        for agent in &mut agents {
            agent.measure(begun.elapsed())?;
        }
    }
    say("");
    let mut failures = Vec::new();
    for agent in &agents {
        say(agent.figures.summary(agent.load.name));
        failures.extend(agent.figures.failures(agent.load.name, agent.load.most_mib));
    }
    for failure in &failures {
        say(format_args!("too much: {failure}"));
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A running agent; ended when dropped.
struct Agent<'l> {
    process: Child,
    load: &'l Load,
    figures: Figures,
}

impl Agent<'_> {
    fn measure(&mut self, at: Duration) -> Result<()> {
        let ended = self.process.try_wait().context("cannot look after the agent")?;
        ensure!(ended.is_none(), "the agent of {:?} has ended", self.load.name);
        let sample = Sample::of(self.process.id())?;
        if let Some(line) = self.figures.take(at, sample) {
            say(format_args!("{:<13} {line}", self.load.name));
        }
        Ok(())
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}

fn start<'l>(
    workspace: &Workspace,
    program: &Path,
    scratch: &Path,
    peers: &Peers,
    load: &'l Load,
) -> Result<Agent<'l>> {
    let password = scratch.join("password");
    fs::write(&password, "secret\n").context("cannot write a password file")?;
    let file = scratch.join(if load.mongodb { "mongodb.toml" } else { "six.toml" });
    fs::write(&file, configuration(peers, &password, load.mongodb))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let mut command: Command = workspace.command(program);
    command
        .env_clear()
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "soak")
        .env("AWS_SECRET_ACCESS_KEY", "soak")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", format!("http://{}", peers.dead_end()))
        .args(["run", "--node", "a", "--socket", "none", "--log", "json", "--config"])
        .arg(&file)
        .stderr(Stdio::null());
    let process = command.spawn().context("cannot start the agent")?;
    Ok(Agent { process, load, figures: Figures::default() })
}

fn configuration(peers: &Peers, password: &Path, mongodb: bool) -> String {
    let [a, b] = NODES;
    let mut text = format!(
        "cluster = \"soak\"\nsubnet = \"127.77.1.0/24\"\n\
         [[node]]\nname = \"a\"\naddress = \"{a}\"\neni = \"eni-0a1b2c3d4e5f60001\"\n\
         [[node]]\nname = \"b\"\naddress = \"{b}\"\neni = \"eni-0a1b2c3d4e5f60002\"\n"
    );
    let mut service = |number: usize, name: &str, check: &str| {
        let vip = 200 + number;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "[[service]]\nname = \"{name}\"\nvip = \"127.77.1.{vip}\"\ncheck = {{ {check} }}"
        );
    };
    service(0, "exec", "kind = \"exec\", command = [\"/bin/true\"]");
    let password = password.display();
    let mongodb = mongodb.then_some(Protocol::Mongodb);
    for (number, protocol) in (1..).zip(COMMON.into_iter().chain(mongodb)) {
        let login = match protocol {
            Protocol::Mysql | Protocol::Postgres => {
                format!(", user = \"vipward\", password_file = \"{password}\"")
            }
            _ => String::new(),
        };
        let (kind, port) = (protocol.kind(), peers.port(protocol));
        service(number, kind, &format!("kind = \"{kind}\", port = {port}{login}"));
    }
    text
}

//! Step `lambda`: the function's unmodified binary under `cargo lambda watch` and `invoke`.
//!
//! `watch --only-lambda-apis` serves the Runtime API and starts nothing itself, so the binary of
//! the step `build` is run: left to itself, `watch` would build the package alone, with other
//! features, and aws-sdk-ec2 once more.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::install::python;
use crate::region::Region;
use crate::report::say;
use crate::wire::WORLD;
use crate::workspace::Workspace;

/// An alarm's state change, exactly as EventBridge delivers it.
const EVENT: &str = "src/reconcile/fixtures/alarm.json";

/// Where the function finds its configuration; on Lambda it lies under /opt.
const CONFIGURATION: &str = "infra/example/vipward.toml";

/// `cargo lambda` serves and answers in a second; this only ends what would not end by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends one alarm event and wants an answer that is no error.
pub fn run(workspace: &Workspace) -> Result<()> {
    let region = Region::start(workspace, Path::new(WORLD), "lambda", "region")?;
    let scratch = workspace.scratch("lambda")?;
    let log = |name: &str| File::create(scratch.join(name)).context("cannot create a log");
    let port = free_port()?.to_string();
    let address = ["--invoke-address", "127.0.0.1", "--invoke-port", port.as_str()];
    let tools = [python::TOOLS.programs(workspace)];

    let mut watch = workspace.command_with("cargo", &tools);
    watch.args(["lambda", "watch", "--only-lambda-apis"]).args(address);
    let _watch = Running::start(watch.stdout(log("watch.log")?).stderr(Stdio::null()))?;
    wait_until_served(port.parse()?)?;

    // `_` is the name that cargo lambda gives a function that it did not start.
    let mut function = workspace.command(workspace.binary("bootstrap")?);
    function
        .envs(region.environment())
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt"))
        .env("AWS_LAMBDA_FUNCTION_NAME", "_")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("VIPWARD_ROLE", "failover")
        .env("VIPWARD_CONFIG", CONFIGURATION);
    let function_log = scratch.join("function.log");
    let _function = Running::start(function.stdout(log("function.log")?).stderr(Stdio::null()))?;

    let mut invoke = workspace.command_with("cargo", &tools);
    invoke.args(["lambda", "invoke", "--data-file", EVENT]).args(address);
    Running::start(&mut invoke)?
        .end_within(PATIENCE)
        .with_context(|| format!("no answer; the function's log: {}", function_log.display()))?;
    let said = fs::read_to_string(&function_log).context("cannot read the function's log")?;
    ensure!(
        said.lines().any(|line| line.contains(r#""record":"decision""#)),
        "the function answered, but recorded no decision; see {}",
        function_log.display()
    );
    say("the function answered, and recorded its decision");
    Ok(())
}

/// A child that ends with its owner.
struct Running(Child);

impl Running {
    fn start(command: &mut std::process::Command) -> Result<Self> {
        let child = command.spawn();
        Ok(Self(
            child.with_context(|| format!("cannot start {}", command.get_program().display()))?,
        ))
    }

    /// Waits for the end, which must come in time and be a success.
    fn end_within(mut self, patience: Duration) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < patience {
            if let Some(status) = self.0.try_wait()? {
                ensure!(status.success(), "it failed: {status}");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("it did not end within {} s", patience.as_secs())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `cargo lambda` cannot be told to choose one itself. Should another program take it in between,
/// the step fails and says so.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn wait_until_served(port: u16) -> Result<()> {
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        ensure!(started.elapsed() < PATIENCE, "cargo lambda does not serve after 30 s");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

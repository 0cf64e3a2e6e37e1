//! The sandbox: namespaces of the lab's own, which the kernel takes away with everything in them
//! when the lab ends, however it ends.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin, Command};

use crate::fabric_kind::FabricKind;

const NAMESPACES: [&str; 6] =
    ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const AS_ROOT_OF_ITS_OWN: [&str; 2] = ["--user", "--map-root-user"];

/// Whoever listens here on the first address of a loopback block has the block.
const CLAIM_PORT: u16 = 7000;

/// How long a lab that is called off may take to end in good order.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FabricChoice {
    /// Namespaces where the machine allows them, loopback where not
    Auto,
    /// Network namespaces, or fail
    Namespaces,
    /// Loopback forwarders
    Loopback,
}

/// The fabric to use, and why that one.
#[derive(Debug)]
pub struct ChosenFabric {
    pub fabric: FabricKind,
    /// Why not the other; empty when that goes without saying.
    pub reason: String,
    /// Keeps other labs off the loopback block while this one lives.
    pub claim: Option<TcpListener>,
}

#[derive(Debug, thiserror::Error)]
pub enum NoFabric {
    #[error("this machine allows no network namespaces: {0}")]
    NoNamespaces(String),
    #[error("no block of 127.0.0.0/16 is free")]
    NoBlock,
}

/// Finds out by trying which fabric the machine allows.
pub async fn choose_fabric(choice: FabricChoice) -> Result<ChosenFabric, NoFabric> {
    if choice == FabricChoice::Loopback {
        return loopback("it was asked for".to_owned());
    }
    match (try_namespaces().await, choice) {
        (Ok(()), _) => {
            Ok(ChosenFabric { fabric: FabricKind::Namespaces, reason: String::new(), claim: None })
        }
        (Err(told), FabricChoice::Namespaces) => Err(NoFabric::NoNamespaces(told)),
        (Err(told), _) => loopback(format!("network namespaces are not allowed here: {told}")),
    }
}

/// The first loopback block that no other lab has.
fn loopback(reason: String) -> Result<ChosenFabric, NoFabric> {
    let claim = |block: u8| {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, block, 1), CLAIM_PORT)).ok()?;
        Some((block, listener))
    };
    let (block, listener) = (1..=u8::MAX).find_map(claim).ok_or(NoFabric::NoBlock)?;
    Ok(ChosenFabric { fabric: FabricKind::Loopback(block), reason, claim: Some(listener) })
}

/// Does once, with all that the fabric will do, what the lab will rest on.
async fn try_namespaces() -> Result<(), String> {
    let probe = "mount -t tmpfs none /run && ip link add name probe type veth peer name eborp \
                 && echo 1 > /proc/sys/net/ipv4/ip_forward";
    let mut command = unshare();
    command.args(["sh", "-c", probe]).kill_on_drop(true);
    let output = command.output().await.map_err(|error| format!("unshare: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(told.lines().next().unwrap_or("unshare failed without a word").to_owned())
}

/// `unshare` with the lab's namespaces; it dies with this process. It has a process group of its
/// own: a Ctrl-C is for this process, which ends the lab in good order.
fn unshare() -> Command {
    let mut command = Command::new("setpriv");
    command.process_group(0);
    command.args(["--pdeathsig", "KILL", "--", "unshare"]).args(NAMESPACES);
    if !rustix::process::geteuid().is_root() {
        command.args(AS_ROOT_OF_ITS_OWN);
    }
    command
}

/// A lab that runs inside namespaces of its own.
#[derive(Debug)]
pub struct Sandbox {
    lab: Child,
    /// While it is open, the lab inside goes on.
    stdin: Option<ChildStdin>,
}

impl Sandbox {
    /// Runs this program again inside.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(program: &Path, arguments: Vec<OsString>) -> io::Result<Self> {
        let mut command = unshare();
        command.arg("--").arg(program).args(arguments).stdin(Stdio::piped()).kill_on_drop(true);
        let mut lab = command.spawn()?;
        let stdin = lab.stdin.take();
        Ok(Self { lab, stdin })
    }

    /// Ends as the lab inside does.
    ///
    /// # Errors
    /// Somebody else ended it.
    pub async fn ended(&mut self) -> io::Result<ExitCode> {
        let status = self.lab.wait().await?;
        match status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(code) => Ok(ExitCode::from(code)),
            None => Err(io::Error::other(format!("the lab was ended from outside: {status}"))),
        }
    }

    /// Has the lab end, and waits until nothing of it is left: the kernel lets the first process of
    /// its namespaces go only after all the others.
    ///
    /// # Errors
    /// It could not be waited for.
    pub async fn cancel(mut self) -> io::Result<()> {
        drop(self.stdin.take());
        match tokio::time::timeout(ENDS_WITHIN, self.lab.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => self.lab.kill().await,
        }
    }
}

/// Inside: returns when the lab outside cancels, or is gone.
///
/// # Errors
/// Standard input is not the pipe that [`Sandbox`] made.
pub async fn cancelled() -> io::Result<()> {
    let pipe = io::stdin().as_fd().try_clone_to_owned()?;
    let mut pipe = Receiver::from_owned_fd(pipe)?;
    // Nothing is ever written to it: the first thing to be read is its end.
    pipe.read(&mut [0]).await.map(drop)
}

/// What has to be done first inside: a `/run` of its own, where `ip netns` keeps its names.
///
/// # Errors
/// What `mount` said.
pub async fn prepare() -> io::Result<()> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "none", "/run"]).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        Ok(())
    } else {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(io::Error::other(format!("mounting a tmpfs on /run: {}", told.trim())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_labs_get_two_loopback_blocks() {
        let [one, other] = ["one", "other"].map(|reason| loopback(reason.to_owned()));
        let (one, other) = (one.expect("is free"), other.expect("is free"));
        assert_ne!(one.fabric, other.fabric);
    }
}

//! Running one hook: without a shell, as a named user if one is named, in a process group of its own
//! that does not outlive its time.

use std::io;
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use nix::unistd::{User, geteuid};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use vipward_core::NodeName;

use super::Due;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of the output is kept, from its beginning.
const KEPT: usize = 1024;

/// What a hook is told, beside what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// This node.
    pub node: NodeName,
    /// The service's VIP.
    pub vip: Ipv4Addr,
    /// The addresses of the other nodes.
    pub peers: Vec<Ipv4Addr>,
}

impl Setting {
    fn peers(&self) -> String {
        self.peers.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// What came of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// The beginning of what it wrote.
    pub output: String,
}

/// Runs a hook to its end or to the end of its time. Dropped before, it and all that it started are
/// killed.
pub async fn run(due: &Due, setting: &Setting) -> Ended {
    let mut output = Vec::new();
    let failure = match attempt(due, setting, &mut output).await {
        Ok(status) if status.success() => None,
        Ok(status) => Some(how(status)),
        Err(error) => Some(error.to_string()),
    };
    Ended { failure, output: String::from_utf8_lossy(&output).trim().to_owned() }
}

async fn attempt(due: &Due, setting: &Setting, kept: &mut Vec<u8>) -> io::Result<ExitStatus> {
    let [program, arguments @ ..] = due.hook.command.as_slice() else {
        return Err(io::Error::other("the command is empty"));
    };
    let (writer, mut output) = pipe::pipe()?;
    let writer = writer.into_blocking_fd()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("VIPWARD_SERVICE", due.service.as_str())
        .env("VIPWARD_VIP", setting.vip.to_string())
        .env("VIPWARD_NODE", setting.node.as_str())
        .env("VIPWARD_PEERS", setting.peers())
        .env("VIPWARD_EVENT", due.occasion.word())
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .current_dir("/")
        .process_group(0);
    become_user(&mut command, due.hook.user.as_deref())?;
    let mut group = Group(command.spawn()?);
    // With it go our ends for writing.
    drop(command);
    let ended = async {
        tokio::select! {
            status = group.0.wait() => status,
            error = keep(&mut output, kept) => Err(error),
        }
    };
    let status = timeout(due.hook.timeout, ended).await;
    let late =
        || io::Error::new(io::ErrorKind::TimedOut, format!("killed after {:?}", due.hook.timeout));
    let status = status.map_err(|_| late())?;
    // What it wrote last may still be in the pipe.
    let mut rest = [0; KEPT];
    if let Ok(read) = output.try_read(&mut rest) {
        kept.extend_from_slice(&rest[..read.min(KEPT.saturating_sub(kept.len()))]);
    }
    status
}

/// A lookup of a local user reads a file; the agent can wait for it.
fn become_user(command: &mut Command, user: Option<&str>) -> io::Result<()> {
    let Some(name) = user else { return Ok(()) };
    let none = || io::Error::new(io::ErrorKind::NotFound, format!("there is no user {name}"));
    let user = User::from_name(name)?.ok_or_else(none)?;
    // As oneself it runs anyway, without any privilege.
    if user.uid != geteuid() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    Ok(())
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

/// Reads for ever, so that the hook never waits for a reader, and keeps the beginning.
async fn keep(output: &mut pipe::Receiver, kept: &mut Vec<u8>) -> io::Error {
    let mut buffer = [0; KEPT];
    loop {
        match output.read(&mut buffer).await {
            // Every end for writing is closed: only the hook's end is still to come.
            Ok(0) => return std::future::pending().await,
            Ok(read) => {
                let wanted = read.min(KEPT.saturating_sub(kept.len()));
                kept.extend_from_slice(&buffer[..wanted]);
            }
            Err(error) => return error,
        }
    }
}

/// A hook and whatever it started; dropped before its end, all of it is killed.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vipward_core::config::Hook;

    use super::*;
    use crate::hooks::Occasion;

    async fn ran(script: &str, user: Option<&str>, timeout: Duration) -> Ended {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let hook = Hook { command, user: user.map(str::to_owned), timeout };
        let service = "web".parse().expect("a name");
        let due = Due { service, occasion: Occasion::Acquire, hook };
        let node = "a".parse().expect("a name");
        let peers = vec![Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
        run(&due, &Setting { node, vip: Ipv4Addr::LOCALHOST, peers }).await
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_hook_knows_what_it_is_for_and_nothing_else() {
        let ended = ran("env | grep -v ^PWD= | sort", None, LONG).await;
        assert_eq!(ended.failure, None);
        let path = format!("PATH={PATH}");
        let expected = [
            path.as_str(),
            "VIPWARD_EVENT=acquire",
            "VIPWARD_NODE=a",
            "VIPWARD_PEERS=127.0.0.2 127.0.0.3",
            "VIPWARD_SERVICE=web",
            "VIPWARD_VIP=127.0.0.1",
        ];
        let lines: Vec<_> = ended.output.lines().filter(|line| !line.starts_with('_')).collect();
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn what_it_wrote_and_how_it_failed_is_told() {
        let ended = ran("echo no room >&2; exit 7", None, LONG).await;
        assert_eq!(
            (ended.failure.as_deref(), ended.output.as_str()),
            (Some("exit code 7"), "no room")
        );
        let much = ran("yes | head -c 1000000", None, LONG).await;
        assert_eq!((much.failure, much.output.len() <= KEPT), (None, true));
    }

    #[tokio::test]
    async fn after_its_time_all_that_it_started_is_killed() {
        let script = "sleep 1000 & echo $!; wait";
        let ended = ran(script, None, Duration::from_millis(500)).await;
        assert_eq!(ended.failure.as_deref(), Some("killed after 500ms"));
        let child = ended.output.parse::<i32>().ok().and_then(Pid::from_raw).expect("its number");
        let gone = async {
            while rustix::process::test_kill_process(child).is_ok() {
                // Killed, and perhaps not yet reaped by whoever inherits it.
                let state =
                    std::fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
                if state.is_ok_and(|stat| stat.contains(") Z ")) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, gone).await.expect("its child is killed too");
    }

    #[tokio::test]
    async fn who_cannot_be_is_a_failure() {
        let ended = ran("true", Some("no-such-user"), LONG).await;
        assert_eq!(ended.failure.as_deref(), Some("there is no user no-such-user"));
        let me = User::from_uid(geteuid()).expect("readable").expect("I am somebody").name;
        assert_eq!(ran("true", Some(&me), LONG).await.failure, None);
    }
}

//! Running one hook, and what it is told.

use std::net::Ipv4Addr;

use vipward_core::NodeName;
use vipward_probes::command::{Command, how_failed};

use vipward_observe::hooks::Due;

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
    let command = Command {
        words: &due.hook.command,
        user: due.hook.user.as_deref(),
        environment: vec![
            ("VIPWARD_SERVICE", due.service.to_string()),
            ("VIPWARD_VIP", setting.vip.to_string()),
            ("VIPWARD_NODE", setting.node.to_string()),
            ("VIPWARD_PEERS", setting.peers()),
            ("VIPWARD_EVENT", due.occasion.word().to_owned()),
        ],
    };
    let ran = command.run(due.hook.timeout).await;
    let failure = match ran.outcome {
        Ok(status) => how_failed(status),
        Err(error) => Some(error.to_string()),
    };
    Ended { failure, output: ran.output }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nix::unistd::{User, geteuid};
    use rustix::process::Pid;
    use tokio::time::timeout;
    use vipward_core::config::Hook;
    use vipward_probes::command::{KEPT, PATH};

    use super::*;
    use vipward_observe::hooks::Occasion;

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
        assert_eq!(ended.failure.as_deref(), Some("/bin/sh did not end within 500 ms"));
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
        assert_eq!(ended.failure.as_deref(), Some("the user no-such-user: it does not exist"));
        let me = User::from_uid(geteuid()).expect("readable").expect("I am somebody").name;
        assert_eq!(ran("true", Some(&me), LONG).await.failure, None);
    }
}

//! Whether this process could run a hook: what `vipward-agent check` says of each.

use std::io;
use std::os::unix::fs::PermissionsExt as _;

use nix::unistd::{User, geteuid};
use serde::Serialize;
use vipward_core::config::{Config, Hook};
use vipward_core::{NodeName, ServiceName};

use vipward_observe::hooks::Occasion;

/// Numbers of the capabilities to end another user's processes, and to become that user.
const NEEDED: [u32; 3] = [5, 6, 7];

/// A hook, and what is in its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Of which service.
    pub service: ServiceName,
    /// What for.
    pub occasion: Occasion,
    /// Its program.
    pub program: String,
    /// Whom it runs as; without, as the agent itself.
    pub user: Option<String>,
    /// Why it could not be run.
    pub obstacle: Option<String>,
}

/// Of every hook that the node would run; none on a witness.
pub fn of_all(config: &Config, me: &NodeName) -> Vec<Readiness> {
    let capabilities = capabilities();
    let services = config.services.iter().filter(|_| config.node(me).is_some());
    let hooks = services.flat_map(|service| {
        let occasions = [Occasion::Acquire, Occasion::Release, Occasion::Fault];
        occasions.into_iter().filter_map(move |occasion| {
            Some((service.name.clone(), occasion, occasion.hook(&service.hooks)?))
        })
    });
    let readiness = |(service, occasion, hook): (ServiceName, Occasion, &Hook)| Readiness {
        service,
        occasion,
        program: hook.command.first().cloned().unwrap_or_default(),
        user: hook.user.clone(),
        obstacle: obstacle(hook, capabilities),
    };
    hooks.map(readiness).collect()
}

fn obstacle(hook: &Hook, capabilities: u64) -> Option<String> {
    let program = hook.command.first()?;
    match std::fs::metadata(program) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some(format!("{program} does not exist"));
        }
        Err(error) => return Some(format!("{program}: {error}")),
        Ok(file) if !file.is_file() || file.permissions().mode() & 0o111 == 0 => {
            return Some(format!("{program} is not executable"));
        }
        Ok(_) => {}
    }
    let name = hook.user.as_ref()?;
    match User::from_name(name) {
        Err(error) => Some(format!("cannot look up the user {name}: {error}")),
        Ok(None) => Some(format!("the user {name} does not exist")),
        Ok(Some(user)) if user.uid == geteuid() => None,
        Ok(Some(_)) => {
            let able = NEEDED.iter().all(|bit| capabilities & (1 << bit) != 0);
            (!able).then(|| {
                format!("running it as {name} takes root, or CAP_SETUID, CAP_SETGID and CAP_KILL")
            })
        }
    }
}

/// The effective capabilities of this process; see `proc_pid_status(5)`. None when they cannot be
/// read.
fn capabilities() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn in_the_way(program: &str, user: Option<&str>, capabilities: u64) -> Option<String> {
        let (command, user) = (vec![program.to_owned()], user.map(str::to_owned));
        obstacle(&Hook { command, user, timeout: Duration::from_secs(1) }, capabilities)
    }

    #[test]
    fn what_would_keep_a_hook_from_running_is_told() {
        let every = u64::MAX;
        assert_eq!(in_the_way("/bin/sh", None, 0), None);
        for (program, user, expected) in [
            ("/no/such", None, "/no/such does not exist"),
            ("/etc/passwd", None, "/etc/passwd is not executable"),
            ("/etc", None, "/etc is not executable"),
            ("/bin/sh", Some("no-such-user"), "the user no-such-user does not exist"),
        ] {
            assert_eq!(in_the_way(program, user, every).as_deref(), Some(expected));
        }
        // Whoever runs the tests is one of the two, and not the other.
        let other = if geteuid().is_root() { "daemon" } else { "root" };
        assert_eq!(in_the_way("/bin/sh", Some(other), every), None);
        let told = in_the_way("/bin/sh", Some(other), every & !(1 << 7)).expect("it may not");
        assert!(told.contains("CAP_SETUID"), "{told}");
    }
}

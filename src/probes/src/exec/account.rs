//! Another user of this host, for a command to run as.

use nix::unistd::{User, geteuid};
use tokio::process::Command;

use crate::Shortfall;
use crate::deadline::Deadline;

/// Added to what the system says when it does not let us.
pub(super) const NEEDS: &str =
    " (as another user only root runs it, or who has CAP_SETUID, CAP_SETGID and CAP_KILL)";

/// Numbers of the user and of the group that is first for it; of no other group.
pub(super) struct Account {
    user: u32,
    group: u32,
}

/// Asks the host's own list of users, which may be a server elsewhere.
pub(super) async fn find(name: &str, deadline: &Deadline) -> Result<Account, Shortfall> {
    let named = name.to_owned();
    let asking = tokio::task::spawn_blocking(move || User::from_name(&named));
    let missing = || format!("the user {name} is not looked up");
    let asked = deadline.bound(asking, missing).await;
    let cannot = |why: &str| Shortfall::error(format!("the user {name}: {why}"));
    match asked.map_err(|late| Shortfall::error(late.to_string()))? {
        Ok(Ok(Some(user))) => Ok(Account { user: user.uid.as_raw(), group: user.gid.as_raw() }),
        Ok(Ok(None)) => Err(cannot("there is none of that name")),
        Ok(Err(error)) => Err(cannot(&error.to_string())),
        Err(error) => Err(cannot(&error.to_string())),
    }
}

impl Account {
    /// Makes the command run as this user; as oneself it does anyway.
    pub fn give(&self, command: &mut Command) {
        if self.user != geteuid().as_raw() {
            command.uid(self.user).gid(self.group);
        }
    }
}

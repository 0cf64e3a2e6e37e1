//! Another user of this host, for a command to run as.

use nix::unistd::{User, geteuid};
use tokio::process::Command;

use super::CommandError;

/// Added to what the system says when it does not let us.
pub(super) const NEEDS: &str =
    " (running it as another user takes root, or CAP_SETUID, CAP_SETGID and CAP_KILL)";

/// Numbers of the user and of the group that is first for it; of no other group.
pub(super) struct Account {
    user: u32,
    group: u32,
}

/// Asks the host's own list of users, which may be a server elsewhere.
pub(super) async fn find(name: &str) -> Result<Account, CommandError> {
    let named = name.to_owned();
    let asked = tokio::task::spawn_blocking(move || User::from_name(&named)).await;
    let cannot = |cause: &str| CommandError::NoUser(format!("the user {name}: {cause}"));
    match asked {
        Ok(Ok(Some(user))) => Ok(Account { user: user.uid.as_raw(), group: user.gid.as_raw() }),
        Ok(Ok(None)) => Err(cannot("it does not exist")),
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

//! What a node runs when a VIP comes and goes: the `on_…` tables of a service.

use std::time::Duration;

use serde::Serialize;

use super::Service;
use super::probe::{command, login_word};
use super::table::Table;
use super::value::duration;
use crate::timing::METADATA_LAG;

const SECOND: Duration = Duration::from_secs(1);
const EXAMPLE: &str = "[\"/usr/share/vipward/hooks/mysql\"]";

/// What a node runs for a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hooks {
    /// When the node has got the VIP.
    pub on_acquire: Option<Hook>,
    /// When it has lost the VIP.
    pub on_release: Option<Hook>,
    /// When its own service has become unhealthy.
    pub on_fault: Option<Hook>,
}

impl Hooks {
    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Those that there are.
    pub fn all(&self) -> impl Iterator<Item = &Hook> {
        [&self.on_acquire, &self.on_release, &self.on_fault].into_iter().flatten()
    }
}

/// A command that a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// The program's absolute path and its arguments; no shell reads them.
    pub command: Vec<String>,
    /// Whom it runs as; without, as the agent itself.
    pub user: Option<String>,
    /// After which it has failed, and all that it started is killed.
    pub timeout: Duration,
}

impl Service {
    /// A holder is ready to be served at the VIP by so long after it came: the instance metadata
    /// have named it, and `on_acquire` has ended.
    pub fn ready_within(&self) -> Duration {
        let acquired = self.hooks.on_acquire.as_ref().map(|hook| hook.timeout);
        METADATA_LAG + acquired.unwrap_or_default()
    }
}

/// All hooks of a service.
pub(super) fn hooks(service: &Table<'_>) -> Hooks {
    let hook = |key, title: &str| hook(&service.table(key, title)?);
    Hooks {
        on_acquire: hook("on_acquire", "on_acquire in [[service]]"),
        on_release: hook("on_release", "on_release in [[service]]"),
        on_fault: hook("on_fault", "on_fault in [[service]]"),
    }
}

fn hook(table: &Table<'_>) -> Option<Hook> {
    let command = table.required("command", EXAMPLE, command);
    let user = table.optional("user", login_word);
    let timeout = table.optional("timeout", duration(SECOND / 10..=600 * SECOND));
    table.finish();
    Some(Hook { command: command?, user, timeout: timeout.unwrap_or(10 * SECOND) })
}

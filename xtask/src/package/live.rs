//! The units of the package, run: by the systemd of the root in which the package was tried, booted
//! as process 1 of namespaces of its own. It takes root, and nothing that runs on this host.

use std::path::Path;

use anyhow::{Context, Result};

use crate::install::apt;
use crate::workspace::{self, Workspace};

/// Boots, and leaves nothing behind.
const BOOT: &str = "infra/packaging/debian/boot.sh";

/// Many times what it takes: a systemd that hangs is a failure, too.
const SECONDS: &str = "300";

/// Installs, starts, kills, reloads, stops, upgrades and removes what has units, in a network
/// without a way out.
///
/// # Errors
/// A unit does not behave; no systemd can be booted here.
pub fn try_out(workspace: &Workspace, root: &Path) -> Result<()> {
    let mut boot = apt::as_root(workspace, "timeout")?;
    boot.args(["--foreground", "--verbose", SECONDS, "unshare", "--mount", "sh", BOOT]).arg(root);
    workspace::run(&mut boot).context("the units were not seen to behave under a systemd that runs")
}

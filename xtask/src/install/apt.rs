//! Packages of Debian and Ubuntu.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Need;
use crate::report::say;
use crate::workspace::{self, Workspace};

/// A program, the package that has it, and who needs it.
const PROGRAMS: [(&str, &str, Need); 15] = [
    ("ip", "iproute2", Need::Network),
    ("unshare", "util-linux", Need::Network),
    ("nsenter", "util-linux", Need::Network),
    ("networkctl", "systemd", Need::Network),
    ("systemd-analyze", "systemd", Need::Systemd),
    ("dbus-daemon", "dbus", Need::Network),
    ("ifup", "ifupdown", Need::Network),
    ("redis-server", "redis-server", Need::Redis),
    ("mariadbd", "mariadb-server", Need::Databases),
    ("mariadb-install-db", "mariadb-server", Need::Databases),
    ("psql", "postgresql", Need::Databases),
    ("objdump", "binutils", Need::Packaging),
    ("debootstrap", "debootstrap", Need::Packaging),
    ("rpm", "rpm", Need::Packaging),
    ("cpio", "cpio", Need::Packaging),
];

/// Packages that also start a server.
const SERVERS: [&str; 3] = ["redis-server", "mariadb-server", "postgresql"];

/// The packages whose programs are not on the search path, each once.
pub fn missing(workspace: &Workspace, needs: &[Need]) -> Vec<&'static str> {
    let mut packages: Vec<_> = PROGRAMS
        .iter()
        .filter(|(_, _, need)| needs.contains(need))
        .filter(|(program, _, _)| workspace.program(program).is_none())
        .map(|(_, package, _)| *package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Installs packages; as an ordinary user by `sudo`, if it asks for no password.
pub fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if workspace.program("apt-get").is_none() {
        bail!("missing here: what Debian has in {}; install it and try again", packages.join(" "));
    }
    let root = is_root(workspace)?;
    if !root && !sudo_asks_nothing(workspace) {
        bail!("missing: {}; as root, run `{by_hand}` and try again", packages.join(" "));
    }
    say(format_args!("installing by apt: {}", packages.join(" ")));
    let advice = || format!("run `{by_hand}` as root and try again");
    workspace::run(apt_get(workspace, root).arg("update")).with_context(advice)?;
    workspace::run(
        apt_get(workspace, root)
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
    .with_context(advice)?;
    for server in SERVERS.iter().filter(|server| packages.contains(server)) {
        let service = server.trim_end_matches("-server");
        say(format_args!(
            "note: where systemd runs, Debian has now started a {service} of its own, which"
        ));
        say(format_args!("      nothing here uses; `systemctl disable --now {service}` ends it"));
    }
    Ok(())
}

fn apt_get(workspace: &Workspace, root: bool) -> Command {
    let mut command = by_root(workspace, root, "env");
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2"]);
    command
}

/// A program run by root; as an ordinary user by `sudo`, which must ask for no password.
///
/// # Errors
/// When it cannot be told who this is.
pub fn as_root(workspace: &Workspace, program: &str) -> Result<Command> {
    Ok(by_root(workspace, is_root(workspace)?, program))
}

fn by_root(workspace: &Workspace, root: bool, program: &str) -> Command {
    if root {
        return workspace.command(program);
    }
    let mut command = workspace.command("sudo");
    command.args(["-n", program]);
    command
}

fn is_root(workspace: &Workspace) -> Result<bool> {
    Ok(workspace::output(workspace.command("id").arg("-u"))?.trim() == "0")
}

fn sudo_asks_nothing(workspace: &Workspace) -> bool {
    let mut command = workspace.command("sudo");
    command.args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

//! The package for Amazon Linux 2023 and RHEL: made, and taken apart by rpm's own tools.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::release::{Build, PROGRAMS};
use super::{MANIFEST_OF, make_empty};
use crate::install::cargo_tool::GENERATE_RPM;
use crate::workspace::{self, Workspace};

/// What cargo-generate-rpm makes of the manifest's list.
pub fn make(workspace: &Workspace, build: &Build, folder: &Path) -> Result<PathBuf> {
    let mut command = workspace.command(GENERATE_RPM.find(workspace)?);
    command.args(["--package", "src/cli", "--auto-req", "builtin", "--target-dir"]);
    command.arg(&workspace.target).arg("--output").arg(folder.join(format!("{MANIFEST_OF}.rpm")));
    if let Some(triple) = build.triple {
        command.args(["--target", triple]);
    }
    workspace::run(&mut command)?;
    Ok(folder.join(format!("{MANIFEST_OF}.rpm")))
}

/// What it asks for and runs is in it, and its programs start.
pub fn take_apart(workspace: &Workspace, package: &Path) -> Result<()> {
    let query = |what: &[&str]| {
        workspace::output(
            workspace.command("rpm").args(["--query", "--package"]).args(what).arg(package),
        )
    };
    let asked = query(&["--requires"])?;
    ensure!(asked.contains("libc.so.6"), "the package asks for no C library:\n{asked}");
    ensure!(query(&["--scripts"])?.contains("systemd-sysusers"), "nothing makes the agent's user");

    let root = workspace.scratch("package")?.join("rpm-root");
    make_empty(&root)?;
    workspace::run(
        workspace
            .command("sh")
            .args(["-c", "rpm2cpio \"$1\" | cpio --quiet --extract --make-directories", "sh"])
            .arg(package)
            .current_dir(&root),
    )?;
    for program in PROGRAMS {
        workspace::run(workspace.command(root.join("usr/bin").join(program)).arg("--version"))?;
    }
    let units = fs::read_dir(root.join("usr/lib/systemd/system")).context("it has no units")?;
    ensure!(units.count() >= 2, "it lacks units");
    Ok(())
}

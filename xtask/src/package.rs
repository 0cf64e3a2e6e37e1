//! `cargo xtask package`: the programs for hosts as a .deb and an .rpm, built, inspected and tried.

mod debian;
mod glibc;
mod live;
mod release;
mod rpm;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::install::{self, Need};
use crate::report::say;
use crate::workspace::Workspace;

/// The crate whose manifest lists what goes where.
const MANIFEST_OF: &str = "vipward";

/// Builds both packages, tries the one in a fresh Debian, its units included, and takes the other
/// apart.
pub fn run(workspace: &Workspace) -> Result<()> {
    install::ensure(workspace, &[Need::Packaging])?;
    let build = release::build(workspace)?;
    let folder = workspace.target.join("packages");
    make_empty(&folder)?;
    let deb = debian::make(workspace, &build, &folder)?;
    let rpm = rpm::make(workspace, &build, &folder)?;
    rpm::take_apart(workspace, &rpm)?;
    debian::try_out(workspace, &build, &deb)?;
    for package in [deb, rpm] {
        say(format_args!("{:>9}  {}", size(&package)?, package.display()));
    }
    Ok(())
}

fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn size(file: &Path) -> Result<String> {
    let length =
        fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(format!("{}.{} MB", length / 1_000_000, length / 100_000 % 10))
}

#[cfg(test)]
mod tests;

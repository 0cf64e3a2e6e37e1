//! The release build of what hosts run, for hosts with a C library as old as the oldest supported.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{glibc, make_empty};
use crate::install::{self, Need, python};
use crate::report::say;
use crate::workspace::{self, Workspace};

/// The programs on hosts and people's machines. The function is built by SAM.
pub const PROGRAMS: [&str; 3] = ["vipward", "vipward-agent", "vipward-alias"];

/// Writes the manual pages and completions of the others.
const MANUAL: &str = "vipward-manual";

/// The one processor that is built for.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

#[derive(Debug)]
pub struct Build {
    /// What cargo was told to build for, where it was told: then that has a folder of its own.
    pub triple: Option<&'static str>,
    pub folder: PathBuf,
}

/// Builds with the host's C library, and where that turns out to be too new, once more by zig.
pub fn build(workspace: &Workspace) -> Result<Build> {
    let mut build = Build { triple: None, folder: workspace.target.join("release") };
    workspace::run(workspace.command("cargo").arg("build").args(selection()))?;
    if let Some(program) = too_new(workspace, &build)? {
        let oldest = glibc::OLDEST;
        say(format_args!("{program} asks for a glibc newer than {oldest}: built again by zig"));
        build = by_zig(workspace)?;
        let program = too_new(workspace, &build)?;
        ensure!(program.is_none(), "{program:?} still asks for a newer glibc");
    }
    write_manual(workspace, &build)?;
    Ok(build)
}

/// Only these: the function is not for hosts, and aws-sdk-ec2 takes a quarter of an hour.
fn selection() -> Vec<&'static str> {
    let packages = PROGRAMS.into_iter().chain([MANUAL]).flat_map(|name| ["--package", name]);
    ["--release", "--locked"].into_iter().chain(packages).collect()
}

fn by_zig(workspace: &Workspace) -> Result<Build> {
    install::ensure(workspace, &[Need::Cross])?;
    let target = format!("{TRIPLE}.{}", glibc::OLDEST);
    workspace::run(
        workspace
            .command_with("cargo", &[python::CROSS.programs(workspace)])
            .args(["zigbuild", "--target", &target])
            .args(selection()),
    )?;
    Ok(Build { triple: Some(TRIPLE), folder: workspace.target.join(TRIPLE).join("release") })
}

/// A program that asks for a C library newer than the oldest supported one.
fn too_new(workspace: &Workspace, build: &Build) -> Result<Option<&'static str>> {
    for program in PROGRAMS {
        let asked = glibc::asked_by(workspace, &build.folder.join(program))?;
        say(format_args!("{program} asks for glibc {asked}"));
        if asked > glibc::OLDEST {
            return Ok(Some(program));
        }
    }
    Ok(None)
}

/// Beside the programs, where the manifest's lists find it.
fn write_manual(workspace: &Workspace, build: &Build) -> Result<()> {
    let folder = build.folder.join("manual");
    make_empty(&folder)?;
    workspace::run(workspace.command(build.folder.join(MANUAL)).arg(&folder))?;
    for page in manual_pages(&folder)? {
        workspace::run(workspace.command("gzip").args(["-9", "--no-name"]).arg(page))?;
    }
    Ok(())
}

fn manual_pages(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.join("man")).context("there are no manual pages")?;
    let pages: std::io::Result<Vec<_>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    pages.context("cannot list the manual pages")
}

//! Step `wire`: the `aws` command and boto3 as clients of the embedded region.
//!
//! Each script of `tests/wire` gets a region of its own: its endpoint as the argument, and in the
//! environment, as any program of AWS's would find it. A script fails by its exit code.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, ensure};

use crate::install::python;
use crate::region::Region;
use crate::report::say;
use crate::workspace::{self, Workspace};

const SCRIPTS: &str = "tests/wire";

/// The world that the scripts, and the step `lambda`, find in the region.
pub const WORLD: &str = "tests/wire/world.toml";

/// Runs every script, and fails if one fails or if there is none.
pub fn run(workspace: &Workspace) -> Result<()> {
    let tools = python::TOOLS.programs(workspace);
    let scripts =
        scripts(&workspace.root.join(SCRIPTS)).with_context(|| format!("cannot list {SCRIPTS}"))?;
    ensure!(!scripts.is_empty(), "{SCRIPTS} holds no script");

    let mut failed = Vec::new();
    for script in scripts {
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let region = Region::start(workspace, Path::new(WORLD), "wire", &name)?;
        let mut command =
            workspace.command_with(tools.join("python"), std::slice::from_ref(&tools));
        command.arg(&script).arg(region.endpoint()).envs(region.environment());
        if let Err(error) = workspace::run(&mut command) {
            say(format_args!("error: {error:#}; the region's journal: {}", region.journal()));
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// In the order of their names, so that two runs do the same.
fn scripts(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut scripts = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| path.as_ref().is_ok_and(|p| p.extension().is_some_and(|e| e == "py")))
        .collect::<io::Result<Vec<_>>>()?;
    scripts.sort();
    Ok(scripts)
}

//! `cargo xtask simulate`: builds the simulator, then becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};

/// The simulator's program.
const PROGRAM: &str = "vipward-simulator";

/// Histories that each run of the tests plays.
const ORDINARY: &str = "500";

/// Plays the histories that the arguments ask for. Returns only on failure.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    workspace::run(&mut workspace.build())?;
    let program = workspace.binary(PROGRAM)?;
    let failure = workspace.command(&program).arg("seeds").args(arguments).exec();
    Err(failure).with_context(|| format!("cannot start {}", program.display()))
}

/// The step of `cargo xtask test`.
pub fn step(workspace: &Workspace) -> Result<()> {
    let program = workspace.binary(PROGRAM)?;
    workspace::run(workspace.command(program).args(["seeds", "--seeds", ORDINARY]))
}

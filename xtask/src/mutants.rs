//! `cargo xtask mutants`: breaks each rule of the decision on purpose, one at a time, and shows that
//! a test notices. Takes the better part of an hour, so it is no step of the tests.

use anyhow::Result;

use crate::install::cargo_tool::MUTANTS;
use crate::workspace::{self, Workspace};

/// The core, and in it whatever decides. The core's own tests are to notice: they take a second.
const PACKAGE: &str = "vipward-core";
const RULES: [&str; 6] = [
    "src/core/src/audit.rs",
    "src/core/src/decide.rs",
    "src/core/src/decide/*.rs",
    "src/core/src/glance.rs",
    "src/core/src/judge.rs",
    "src/core/src/ledger.rs",
];

/// Installs what is needed and runs it; `arguments` go to `cargo mutants`.
pub fn run(workspace: &Workspace, arguments: &[std::ffi::OsString]) -> Result<()> {
    MUTANTS.install(workspace)?;
    let mut command = workspace.command(MUTANTS.find(workspace)?);
    command.args(["mutants", "--package", PACKAGE, "--output"]).arg(workspace.scratch("mutants")?);
    for rules in RULES {
        command.args(["--file", rules]);
    }
    // Each mutant is built in a copy: the target directory must be the copy's own.
    workspace::run(command.args(arguments).env_remove("CARGO_TARGET_DIR"))
}

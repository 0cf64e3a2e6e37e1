//! `cargo xtask mutants`: breaks each rule of the decision on purpose, one at a time, and shows
//! that a test notices. Takes an hour or more, so it is no step of the tests.

use anyhow::Result;

use crate::install::cargo_tool::MUTANTS;
use crate::workspace::{self, Workspace};

/// Whatever decides, and whatever carries it out. Each package's own tests are to notice: they take
/// two seconds, by a clock that they move themselves.
const PACKAGES: [&str; 2] = ["vipward-core", "vipward-reconcile"];
/// A mutant that is not through in so many seconds goes round in circles.
const TIMEOUT: &str = "8";
const RULES: [&str; 23] = [
    "src/core/src/audit.rs",
    "src/core/src/decide.rs",
    "src/core/src/decide/*.rs",
    "src/core/src/drain.rs",
    "src/core/src/evidence/*.rs",
    "src/core/src/judge.rs",
    "src/core/src/ledger.rs",
    "src/core/src/plan.rs",
    "src/core/src/triage.rs",
    "src/reconcile/src/alerted.rs",
    "src/reconcile/src/arrival.rs",
    "src/reconcile/src/attempts.rs",
    "src/reconcile/src/backoff.rs",
    "src/reconcile/src/concern.rs",
    "src/reconcile/src/execute.rs",
    "src/reconcile/src/gather.rs",
    "src/reconcile/src/memory.rs",
    "src/reconcile/src/notices.rs",
    "src/reconcile/src/orders.rs",
    "src/reconcile/src/reading.rs",
    "src/reconcile/src/reconcile.rs",
    "src/reconcile/src/series.rs",
    "src/reconcile/src/turns.rs",
];

/// Installs what is needed and runs it; `arguments` go to `cargo mutants`.
pub fn run(workspace: &Workspace, arguments: &[std::ffi::OsString]) -> Result<()> {
    MUTANTS.install(workspace)?;
    let mut command = workspace.command(MUTANTS.find(workspace)?);
    command.args(["mutants", "--output"]).arg(workspace.scratch("mutants")?);
    for package in PACKAGES {
        // Built in half the time, and their tests are quick all the same.
        let plain = format!("--cargo-arg=--config=profile.dev.package.{package}.opt-level=0");
        command.args(["--package", package, &plain]);
    }
    command.args(["--minimum-test-timeout", TIMEOUT]);
    for rules in RULES {
        command.args(["--file", rules]);
    }
    // Each mutant is built in a copy: the target directory must be the copy's own.
    workspace::run(command.args(arguments).env_remove("CARGO_TARGET_DIR"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_rule_is_where_it_is_looked_for() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for rules in RULES {
            assert!(root.join(rules.trim_end_matches("/*.rs")).exists(), "{rules}");
        }
    }
}

//! cargo-deny: found, or built once and kept outside the clone.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::report::say;
use crate::workspace::{self, Workspace};

const VERSION: &str = "0.20.2";

/// Step `deny`. Its advisory database comes from outside the package registries, so advisories
/// are left to people: `cargo deny check advisories`.
pub fn check(workspace: &Workspace) -> Result<()> {
    let program = find(workspace).context("cargo-deny is not installed")?;
    workspace::run(
        workspace
            .command(program)
            .args(["--locked", "check", "--hide-inclusion-graph"])
            .args(["bans", "licenses", "sources"]),
    )
}

/// Builds cargo-deny unless it is there: two or three minutes. Without optimisation, since it runs
/// for seconds; without default features, since they fetch advisories.
pub fn install(workspace: &Workspace) -> Result<()> {
    if find(workspace).is_some() {
        return Ok(());
    }
    let place = place(workspace);
    let build = place.join("build");
    say(format_args!("installing by cargo into {}: cargo-deny {VERSION}", place.display()));
    workspace::run(
        workspace
            .command("cargo")
            .args(["install", "cargo-deny", "--version", VERSION, "--locked"])
            .args(["--no-default-features", "--debug", "--quiet", "--root"])
            .arg(&place)
            .env("CARGO_TARGET_DIR", &build)
            .env("CARGO_PROFILE_DEV_DEBUG", "false"),
    )?;
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
}

/// The user's own if it is of this version, since older ones read other files; else ours.
fn find(workspace: &Workspace) -> Option<PathBuf> {
    let ours = place(workspace).join("bin/cargo-deny");
    let candidates = [Some(ours), workspace.program("cargo-deny")];
    candidates.into_iter().flatten().find(|program| {
        let output = workspace.command(program).arg("--version").stderr(Stdio::null()).output();
        output.is_ok_and(|output| is_wanted(&String::from_utf8_lossy(&output.stdout)))
    })
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.cache.join(format!("cargo-deny-{VERSION}"))
}

fn is_wanted(version_line: &str) -> bool {
    version_line.split_whitespace().nth(1) == Some(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_does_not_do() {
        assert!(is_wanted(&format!("cargo-deny {VERSION}\n")));
        assert!(!is_wanted("cargo-deny 0.14.2\n"));
        assert!(!is_wanted(""));
    }
}

//! Python tools, in a virtual environment that is made once for each set of requirements.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::report::say;
use crate::workspace::{self, Workspace};

const REQUIREMENTS: &str = include_str!("../../requirements.txt");
const REQUIREMENTS_ALONE: &str = include_str!("../../requirements-alone.txt");

/// SAM runs on no older one.
const USABLE: &str = "import ensurepip, sys; sys.exit(sys.version_info < (3, 10))";

/// Written last, so that an environment without it is half made.
const COMPLETE: &str = "complete";

/// Where the tools' programs are, once they are installed.
pub fn programs(workspace: &Workspace) -> PathBuf {
    environment(workspace).join("bin")
}

/// Whether the environment is complete. One that is half made (a run was interrupted) is removed.
pub fn is_installed(workspace: &Workspace) -> Result<bool> {
    let environment = environment(workspace);
    if environment.join(COMPLETE).is_file() {
        return Ok(true);
    }
    if environment.exists() {
        fs::remove_dir_all(&environment)
            .with_context(|| format!("cannot remove {}", environment.display()))?;
    }
    Ok(false)
}

/// A Python that can make virtual environments: the user's, else Debian's.
pub fn interpreter(workspace: &Workspace) -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let mut command = workspace.command(python);
        command.args(["-c", USABLE]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// Makes the environment; about 550 MB and two minutes.
pub fn install(workspace: &Workspace) -> Result<()> {
    let environment = environment(workspace);
    let python = interpreter(workspace).context("there is no Python 3.10 or newer with venv")?;
    say(format_args!("installing by pip into {}:", environment.display()));
    for line in [REQUIREMENTS, REQUIREMENTS_ALONE].into_iter().flat_map(requirements) {
        say(format_args!("  {line}"));
    }
    workspace::run(workspace.command(python).args(["-m", "venv"]).arg(&environment))?;
    workspace::run(pip(workspace, &environment).args(["-r", "xtask/requirements.txt"]))?;
    workspace::run(pip(workspace, &environment).args([
        "--no-deps",
        "-r",
        "xtask/requirements-alone.txt",
    ]))?;
    File::create(environment.join(COMPLETE)).context("cannot mark the environment complete")?;
    Ok(())
}

fn pip(workspace: &Workspace, environment: &Path) -> Command {
    let mut command = workspace.command(environment.join("bin/python"));
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command
}

/// Named for its requirements: a change makes a new one, and two clones can differ.
fn environment(workspace: &Workspace) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    for text in [REQUIREMENTS, REQUIREMENTS_ALONE] {
        requirements(text).for_each(|line| line.hash(&mut hasher));
    }
    workspace.cache.join(format!("tools-{:016x}", hasher.finish()))
}

fn requirements(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        for line in [REQUIREMENTS, REQUIREMENTS_ALONE].into_iter().flat_map(requirements) {
            assert!(line.contains("=="), "{line} names no version");
        }
    }

    #[test]
    fn comments_are_no_requirements() {
        let lines: Vec<_> = requirements("# why\n\nboto3==1\n").collect();
        assert_eq!(lines, ["boto3==1"]);
    }
}

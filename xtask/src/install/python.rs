//! Python tools, in virtual environments that are made once for each set of requirements.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::report::say;
use crate::workspace::{self, Workspace};

/// SAM runs on no older one.
const USABLE: &str = "import ensurepip, sys; sys.exit(sys.version_info < (3, 10))";

/// Written last, so that an environment without it is half made.
const COMPLETE: &str = "complete";

/// A virtual environment, and the files that say what is in it.
#[derive(Debug)]
pub struct Environment {
    name: &'static str,
    files: &'static [Requirements],
}

/// A file of requirements: its path in the clone, its text, and how pip reads it.
#[derive(Debug)]
struct Requirements {
    path: &'static str,
    text: &'static str,
    options: &'static [&'static str],
}

/// What the tests use: about 550 MB and two minutes.
pub const TOOLS: Environment = Environment {
    name: "tools",
    files: &[
        Requirements {
            path: "xtask/requirements.txt",
            text: include_str!("../../requirements.txt"),
            options: &[],
        },
        Requirements {
            path: "xtask/requirements-alone.txt",
            text: include_str!("../../requirements-alone.txt"),
            options: &["--no-deps"],
        },
    ],
};

/// What builds for hosts with an older C library.
pub const CROSS: Environment = Environment {
    name: "cross",
    files: &[Requirements {
        path: "xtask/requirements-cross.txt",
        text: include_str!("../../requirements-cross.txt"),
        options: &[],
    }],
};

/// The server that the probe of MongoDB is tried on: about 150 MB.
pub const MONGODB: Environment = Environment {
    name: "mongodb",
    files: &[Requirements {
        path: "xtask/requirements-mongodb.txt",
        text: include_str!("../../requirements-mongodb.txt"),
        // Where there is no wheel, pip would build a storage engine for half an hour.
        options: &["--no-deps", "--only-binary=:all:"],
    }],
};

impl Environment {
    /// Where its programs are, once they are installed.
    pub fn programs(&self, workspace: &Workspace) -> PathBuf {
        self.place(workspace).join("bin")
    }

    /// Whether it is complete. One that is half made (a run was interrupted) is removed.
    pub fn is_installed(&self, workspace: &Workspace) -> Result<bool> {
        let place = self.place(workspace);
        if place.join(COMPLETE).is_file() {
            return Ok(true);
        }
        if place.exists() {
            fs::remove_dir_all(&place)
                .with_context(|| format!("cannot remove {}", place.display()))?;
        }
        Ok(false)
    }

    pub fn install(&self, workspace: &Workspace) -> Result<()> {
        let place = self.place(workspace);
        let python =
            interpreter(workspace).context("there is no Python 3.10 or newer with venv")?;
        say(format_args!("installing by pip into {}:", place.display()));
        for line in self.requirements() {
            say(format_args!("  {line}"));
        }
        workspace::run(workspace.command(python).args(["-m", "venv"]).arg(&place))?;
        for file in self.files {
            workspace::run(
                workspace
                    .command(place.join("bin/python"))
                    .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                    .args(file.options)
                    .args(["-r", file.path]),
            )?;
        }
        File::create(place.join(COMPLETE)).context("cannot mark the environment complete")?;
        Ok(())
    }

    /// Named for its requirements: a change makes a new one, and two clones can differ.
    fn place(&self, workspace: &Workspace) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.requirements().for_each(|line| line.hash(&mut hasher));
        workspace.cache.join(format!("{}-{:016x}", self.name, hasher.finish()))
    }

    fn requirements(&self) -> impl Iterator<Item = &'static str> {
        self.files.iter().flat_map(|file| requirements(file.text))
    }
}

/// A Python that can make virtual environments: the user's, else Debian's.
pub fn interpreter(workspace: &Workspace) -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let mut command = workspace.command(python);
        command.args(["-c", USABLE]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

fn requirements(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        for line in [TOOLS, CROSS, MONGODB].iter().flat_map(Environment::requirements) {
            assert!(line.contains("=="), "{line} names no version");
        }
    }

    #[test]
    fn comments_are_no_requirements() {
        let lines: Vec<_> = requirements("# why\n\nboto3==1\n").collect();
        assert_eq!(lines, ["boto3==1"]);
    }
}

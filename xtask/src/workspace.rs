//! Where things are, and how child processes are started: the one place that reads the environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

/// Set by `cargo run` for this program. A nested cargo would hand them to build scripts, some of
/// which then believe that they have to run again, and hours of cache are lost.
const CARGO_LEAKS: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// Debian keeps `ip` and others here, and leaves it out of an ordinary user's PATH.
const SYSTEM_PROGRAMS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The clone, its target directory and the cache that outlives both.
#[derive(Debug)]
pub struct Workspace {
    pub root: PathBuf,
    /// Where cargo builds, as cargo itself says (it may be shared with other clones).
    pub target: PathBuf,
    /// Where tools are kept between runs and clones: `~/.cache/vipward` as a rule.
    pub cache: PathBuf,
    search_path: Vec<PathBuf>,
    leaks: Vec<OsString>,
}

impl Workspace {
    /// Reads the environment and asks cargo for the directories.
    #[expect(clippy::disallowed_methods, reason = "this is the environment's adapter")]
    pub fn find() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .no_deps()
            .exec()
            .context("cannot read the workspace")?;
        let cache = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
            (Some(cache), _) if Path::new(&cache).is_absolute() => PathBuf::from(cache),
            (_, Some(home)) => Path::new(&home).join(".cache"),
            (_, None) => metadata.target_directory.clone().into(),
        };
        let mut search_path: Vec<PathBuf> =
            env::var_os("PATH").iter().flat_map(env::split_paths).collect();
        for directory in SYSTEM_PROGRAMS.map(PathBuf::from) {
            if !search_path.contains(&directory) {
                search_path.push(directory);
            }
        }
        let leaks = env::vars_os().map(|(name, _)| name).filter(|name| leaks(name)).collect();
        Ok(Self {
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
            cache: cache.join("vipward"),
            search_path,
            leaks,
        })
    }

    /// The full path of a program, if the search path has it.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.search_path.iter().map(|directory| directory.join(name)).find(|file| file.is_file())
    }

    /// A program of this workspace, built by the step `build`.
    pub fn binary(&self, name: &str) -> Result<PathBuf> {
        let file = self.target.join("debug").join(name);
        ensure!(file.is_file(), "{} is missing; was `cargo build` run?", file.display());
        Ok(file)
    }

    /// A directory for what the steps leave behind for people to read: logs and journals.
    pub fn scratch(&self, step: &str) -> Result<PathBuf> {
        let directory = self.target.join("xtask").join(step);
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        Ok(directory)
    }

    /// A command that runs in the clone's root, without input, and finds the system's programs.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.command_with(program, &[])
    }

    /// The same, with directories that are searched first.
    pub fn command_with(&self, program: impl AsRef<OsStr>, first: &[PathBuf]) -> Command {
        // A directory with a colon in its name cannot stand in PATH; then the user's own is left.
        let path = env::join_paths(first.iter().chain(&self.search_path));
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command.env("CARGO_TARGET_DIR", &self.target);
        if let Ok(path) = path {
            command.env("PATH", path);
        }
        for name in &self.leaks {
            command.env_remove(name);
        }
        command
    }

    /// A cargo command on the whole workspace. Always the whole: choosing packages would choose
    /// other features, and build aws-sdk-ec2 again.
    pub fn cargo(&self, subcommand: &str) -> Command {
        self.cargo_with(subcommand, &[])
    }

    /// The same, with directories that are searched for programs first.
    pub fn cargo_with(&self, subcommand: &str, first: &[PathBuf]) -> Command {
        let mut command = self.command_with("cargo", first);
        command.args([subcommand, "--workspace", "--locked"]);
        command
    }

    /// Builds all there is, tests included: they ask for features of their own, and what is built
    /// without them would be built again with them.
    pub fn build(&self) -> Command {
        let mut command = self.cargo("build");
        command.arg("--all-targets");
        command
    }
}

fn leaks(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    CARGO_LEAKS.iter().any(|leak| name.starts_with(leak))
}

/// Runs a command and fails if it does, naming it as one could type it.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    crate::report::say(format_args!("$ {line}"));
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    ensure!(status.success(), "`{line}` failed: {status}");
    Ok(())
}

/// What a command prints on stdout; fails if the command does.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` failed: {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

fn shown(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cargo_run_sets_is_hidden_from_children() {
        assert!(leaks(OsStr::new("CARGO_PKG_NAME")));
        assert!(leaks(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!leaks(OsStr::new("CARGO_HOME")));
        assert!(!leaks(OsStr::new("CARGO_TARGET_DIR")));
    }

    #[test]
    fn a_failed_command_is_named() {
        let error = run(Command::new("false").arg("--really")).unwrap_err();
        assert!(error.to_string().starts_with("`false --really` failed"), "{error}");
        let error = output(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        assert!(error.to_string().contains("cannot start `no-such-program-anywhere`"), "{error}");
    }
}

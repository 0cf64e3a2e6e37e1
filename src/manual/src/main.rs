//! Writes the manual pages and the shells' completions of the installed programs, from the very
//! definitions of their command lines: `vipward-manual DIR`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, Parser};
use clap_complete::Shell;
use vipward_core::text::complaint;

/// Writes manual pages to DIR/man and completions to DIR/completions.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The directory to write to; created if it does not exist
    dir: PathBuf,
}

/// Why not everything was written.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot make {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot write the {what} of {program}")]
    Write { what: &'static str, program: String, source: io::Error },
}

fn main() -> ExitCode {
    let dir = Options::parse().dir;
    match programs().into_iter().try_for_each(|program| write(program, &dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Should standard error be closed, the exit code still says it.
            let _ = io::stderr().lock().write_all(complaint(&failure, None).as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// The programs that are installed, each under the name that people type.
fn programs() -> [Command; 3] {
    [
        vipward::options::Options::command().name("vipward"),
        vipward_agent::options::Options::command().name("vipward-agent"),
        vipward_alias::options::Options::command().name("vipward-alias"),
    ]
}

fn write(program: Command, dir: &Path) -> Result<(), Failure> {
    let (man, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&man, &completions] {
        fs::create_dir_all(folder)
            .map_err(|source| Failure::Folder { path: folder.clone(), source })?;
    }
    let name = program.get_name().to_owned();
    let failed = |what, source| Failure::Write { what, program: name.clone(), source };
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut program.clone(), &name, &completions)
            .map_err(|source| failed("completions", source))?;
    }
    clap_mangen::generate_to(program, &man).map_err(|source| failed("manual pages", source))
}

#[cfg(test)]
mod tests;

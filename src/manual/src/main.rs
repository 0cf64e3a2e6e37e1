//! Writes the manual pages and the shells' completions of the installed programs, from the very
//! definitions of their command lines: `vipward-manual DIR`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _, Parser};
use clap_complete::Shell;

/// Writes manual pages to DIR/man and completions to DIR/completions.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to; made when it is not there
    dir: PathBuf,
}

fn main() -> Result<()> {
    let dir = Options::parse().dir;
    for program in programs() {
        write(program, &dir)?;
    }
    Ok(())
}

/// The programs that are installed, each under the name that people type.
fn programs() -> [Command; 3] {
    [
        vipward::options::Options::command().name("vipward"),
        vipward_agent::args::Args::command().name("vipward-agent"),
        vipward_alias::options::Options::command().name("vipward-alias"),
    ]
}

fn write(program: Command, dir: &Path) -> Result<()> {
    let (man, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&man, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let name = program.get_name().to_owned();
    let failed = |what: &str| format!("cannot write the {what} of {name}");
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut program.clone(), &name, &completions)
            .with_context(|| failed("completions"))?;
    }
    clap_mangen::generate_to(program, &man).with_context(|| failed("manual pages"))
}

#[cfg(test)]
mod tests;

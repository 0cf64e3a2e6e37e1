//! The project's own commands: `cargo xtask demo`, `test`, `simulate`, `package`, `fuzz`, `soak`
//! and so on.

mod demo;
mod deny;
mod fuzz;
mod guards;
mod install;
mod lambda;
mod mutants;
mod package;
mod region;
mod report;
mod simulate;
mod soak;
mod steps;
mod template;
mod units;
mod wire;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::steps::Step;
use crate::workspace::Workspace;

/// The project's own commands. They install what they need and say so.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a whole cluster on this machine and watch it fail over, twice
    Demo {
        /// Passed on to `vipward-lab demo`, for instance `--service redis`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check everything that continuous integration checks
    Test {
        /// Run only this step and those it builds on; may be given again
        #[arg(long, value_name = "STEP")]
        only: Vec<Step>,
    },
    /// Build the packages for Debian and RPM hosts, and try them in a fresh Debian, units included
    Package,
    /// Feed everything that parses what others send with noise, guided by coverage
    Fuzz {
        /// How long each target is fed
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only this target; may be given again
        #[arg(long, value_name = "TARGET")]
        only: Vec<String>,
    },
    /// Measure what the agent takes while services flap and CloudWatch is dead
    Soak {
        /// How long
        #[arg(long, default_value_t = 10)]
        minutes: u32,
    },
    /// Play histories in virtual time: faults of every kind, and an auditor who knows the truth
    Simulate {
        /// Passed on to `vipward-simulator seeds`: `--seeds 10000 --from 0 --picture FILE`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Break each rule of the decision, and see that a test notices: an hour or more
    Mutants {
        /// Passed on to `cargo mutants`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Install what the demo and the tests need, and nothing else
    Setup,
}

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(code) => code,
        Err(error) => {
            report::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo { arguments } => demo::run(&workspace, &arguments),
        Command::Simulate { arguments } => simulate::run(&workspace, &arguments),
        Command::Mutants { arguments } => {
            mutants::run(&workspace, &arguments)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Test { only } => Ok(steps::run(&workspace, &only)),
        Command::Package => {
            package::run(&workspace)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Fuzz { seconds, only } => fuzz::run(&workspace, seconds, &only),
        Command::Soak { minutes } => soak::run(&workspace, minutes),
        Command::Setup => {
            install::ensure(&workspace, install::Need::OF_TESTS)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

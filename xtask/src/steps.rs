//! `cargo xtask test`: the steps, what each needs and builds on, and how they are run.

use std::collections::BTreeSet;
use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;

use crate::install::python::MONGODB;
use crate::install::{self, Need};
use crate::report::{Line, Outcome, say, seconds, summary};
use crate::workspace::{Workspace, run as run_command};
use crate::{deny, guards, lambda, simulate, template, units, wire};

/// The steps, in the order in which they run: those that fail fast first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Step {
    /// Install what the steps need
    Setup,
    /// The code is formatted
    Fmt,
    /// Imports flow one way; files are short; nothing private is named
    Guards,
    /// Bans, licences and sources of the dependencies
    Deny,
    /// No warning from clippy
    Clippy,
    /// All binaries
    Build,
    /// Five hundred histories in virtual time
    Simulate,
    /// Unit, property and end-to-end tests
    Test,
    /// The systemd units hold together and are hardened
    Units,
    /// The aws command and boto3 against the embedded region
    Wire,
    /// sam validate and cfn-lint on template.yaml
    Template,
    /// The function's binary under cargo lambda
    Lambda,
}

impl Step {
    fn needs(self) -> &'static [Need] {
        match self {
            Self::Setup
            | Self::Fmt
            | Self::Guards
            | Self::Clippy
            | Self::Build
            | Self::Simulate => &[],
            Self::Deny => &[Need::CargoDeny],
            Self::Test => &[Need::Network, Need::Redis, Need::Databases, Need::Mongodb],
            Self::Units => &[Need::Systemd],
            Self::Wire | Self::Template | Self::Lambda => &[Need::PythonTools],
        }
    }

    /// The steps without which this one makes no sense.
    fn builds_on(self) -> &'static [Step] {
        match self {
            Self::Setup | Self::Fmt | Self::Guards | Self::Clippy | Self::Build => &[],
            Self::Deny | Self::Template => &[Self::Setup],
            Self::Simulate => &[Self::Build],
            Self::Test | Self::Units | Self::Wire | Self::Lambda => &[Self::Setup, Self::Build],
        }
    }

    fn run(self, workspace: &Workspace, chosen: &BTreeSet<Self>) -> Result<()> {
        match self {
            Self::Setup => install::ensure(workspace, &needs(chosen)),
            Self::Fmt => run_command(workspace.command("cargo").args(["fmt", "--all", "--check"])),
            Self::Guards => guards::run(workspace),
            Self::Deny => deny::run(workspace),
            Self::Clippy => {
                run_command(workspace.cargo("clippy").args(["--all-targets", "--", "-Dwarnings"]))
            }
            Self::Build => run_command(&mut workspace.build()),
            Self::Simulate => simulate::step(workspace),
            Self::Test => {
                let mut test = workspace.cargo_with("test", &[MONGODB.programs(workspace)]);
                run_command(test.arg("--no-fail-fast"))
            }
            Self::Units => units::run(workspace),
            Self::Wire => wire::run(workspace),
            Self::Template => template::run(workspace),
            Self::Lambda => lambda::run(workspace),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Runs all steps, or those named and what they build on. A failure does not stop the steps that
/// can do without: one run shows all there is to mend.
pub fn run(workspace: &Workspace, only: &[Step]) -> ExitCode {
    let chosen = choose(only);
    let mut lines: Vec<Line> = Vec::new();
    let mut broken: BTreeSet<Step> = BTreeSet::new();
    for &step in &chosen {
        let cause = step.builds_on().iter().find(|earlier| broken.contains(earlier));
        let outcome = match cause {
            Some(cause) => Outcome::Skipped(cause.to_string()),
            None => run_one(workspace, step, &chosen),
        };
        if !matches!(outcome, Outcome::Passed(_)) {
            broken.insert(step);
        }
        lines.push(Line { step: step.to_string(), outcome });
    }
    say(format_args!("\n{}", summary(&lines)));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_one(workspace: &Workspace, step: Step, chosen: &BTreeSet<Step>) -> Outcome {
    say(format_args!("\n== {step}"));
    let started = Instant::now();
    let result = step.run(workspace, chosen);
    let took = started.elapsed();
    match result {
        Ok(()) => {
            say(format_args!("== {step} passed in {}", seconds(took)));
            Outcome::Passed(took)
        }
        Err(error) => {
            say(format_args!("error: {error:#}"));
            say(format_args!("== {step} FAILED after {}", seconds(took)));
            say(format_args!("   run it again: cargo xtask test --only {step}"));
            Outcome::Failed(took)
        }
    }
}

/// The steps to run, in their order: what is named and all that it builds on, or everything.
fn choose(only: &[Step]) -> BTreeSet<Step> {
    if only.is_empty() {
        return Step::value_variants().iter().copied().collect();
    }
    only.iter().flat_map(|step| step.builds_on().iter().chain([step])).copied().collect()
}

fn needs(chosen: &BTreeSet<Step>) -> Vec<Need> {
    let needs: BTreeSet<Need> = chosen.iter().flat_map(|step| step.needs()).copied().collect();
    needs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_brings_what_it_builds_on_and_nothing_else() {
        let chosen: Vec<_> = choose(&[Step::Wire]).into_iter().collect();
        assert_eq!(chosen, [Step::Setup, Step::Build, Step::Wire]);
        assert_eq!(needs(&choose(&[Step::Wire])), [Need::PythonTools]);
        assert_eq!(needs(&choose(&[Step::Fmt])), []);
    }

    #[test]
    fn without_a_choice_everything_runs() {
        assert_eq!(choose(&[]).len(), Step::value_variants().len());
        assert_eq!(needs(&choose(&[])), Need::OF_TESTS);
    }

    #[test]
    fn what_a_step_builds_on_comes_before_it_and_is_complete() {
        for &step in Step::value_variants() {
            for &earlier in step.builds_on() {
                assert!(earlier < step, "{earlier} must run before {step}");
                let missing = earlier.builds_on().iter().find(|s| !step.builds_on().contains(s));
                assert_eq!(missing, None, "{step} must name what {earlier} builds on");
            }
        }
    }

    #[test]
    fn a_step_that_needs_an_install_builds_on_setup() {
        for &step in Step::value_variants() {
            assert!(
                step.needs().is_empty() || step.builds_on().contains(&Step::Setup),
                "{step} has needs, but no setup"
            );
        }
    }
}

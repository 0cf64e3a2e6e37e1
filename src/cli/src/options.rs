//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vipward_core::ServiceName;

/// Keeps virtual IPs on healthy nodes of an AWS VPC: the operator's command.
#[derive(Debug, Parser)]
#[command(
    name = "vipward",
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 fine, 1 failed, 2 usage, 3 bad configuration, 4 degraded."
)]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a configuration, and say what it would deploy
    Check {
        /// The cluster's file
        #[arg(default_value = "vipward.toml")]
        file: PathBuf,
    },
    /// Render a configuration to a SAM template
    Render(RenderOptions),
    /// Show who holds each VIP, and what vipward makes of it
    #[command(after_help = "Exits with 4 when a VIP needs a person's look, or is about to move.")]
    Status(QueryOptions),
    /// Show the evidence behind each decision
    #[command(after_help = "Exits with 4 when a VIP needs a person's look, or is about to move.")]
    Explain {
        /// The service to explain; all by default
        service: Option<ServiceName>,
        /// How to ask
        #[command(flatten)]
        query: QueryOptions,
    },
}

/// From which file to which template.
#[derive(Debug, Args)]
pub struct RenderOptions {
    /// The cluster's file
    #[arg(default_value = "vipward.toml")]
    pub file: PathBuf,
    /// Where to write the template; standard output by default
    #[arg(short, long, value_name = "TEMPLATE")]
    pub output: Option<PathBuf>,
    /// The directory that ships with the functions, as the template is to name it; by default the
    /// one that FILE lies in, seen from the template (or from here, on standard output)
    #[arg(long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
}

/// Whom to ask, and in what form to answer.
#[derive(Debug, Args)]
pub struct QueryOptions {
    /// The cluster's file, which names the function
    #[arg(long, value_name = "FILE", default_value = "vipward.toml")]
    pub config: PathBuf,
    /// The query function's name or ARN; needs no file
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub function: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables for people
    Text,
    /// The function's answer as it is
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_service_that_is_no_name_is_a_usage_error() {
        let wrong = Options::try_parse_from(["vipward", "explain", "Redis!"]);
        assert_eq!(wrong.expect_err("it is no name").exit_code(), 2);
    }
}

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vipward_core::{Exit, NodeName};

use crate::report_file::ReportChoice;

/// Keeps every service's VIP on this node's interface.
#[derive(Debug, Parser)]
#[command(name = "vipward-alias", version, after_help = Exit::Degraded.help_up_to_this())]
pub struct Options {
    /// The cluster's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/vipward/vipward.toml", global = true)]
    pub config: PathBuf,
    /// This host's name in the configuration; by default found by its address
    #[arg(long, value_name = "NAME", global = true)]
    pub node: Option<NodeName>,
    /// The format of the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log: LogFormat,
    /// Show this host's node and interface and what would be added, and exit
    #[arg(long)]
    pub check: bool,
    /// The file that reports to the agent, or `none`; by default `/run/vipward/alias.json`, where
    /// that can be written
    #[arg(long, value_name = "PATH")]
    pub report: Option<ReportChoice>,
    /// What to do instead of keeping the VIPs
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of keeping the VIPs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what this host's network managers and kernel settings will do to the VIPs
    #[command(after_help = Exit::Degraded.when("something is wrong"))]
    Doctor(DoctorOptions),
}

/// How to look.
#[derive(Debug, Args)]
pub struct DoctorOptions {
    /// Write the advised drop-ins; nothing else is ever changed
    #[arg(long)]
    pub write: bool,
    /// The root of the network managers' files
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl LogFormat {
    /// Sends the log of this process to standard error in this form; times are UTC.
    pub fn install(self) {
        let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false);
        match self {
            Self::Text => log.with_ansi(false).init(),
            Self::Json => log.json().flatten_event(true).init(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_file_may_be_named_before_or_after_the_command() {
        for line in ["vipward-alias doctor --config f", "vipward-alias --config f doctor"] {
            let options = Options::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(options.config, PathBuf::from("f"), "{line}");
            assert!(matches!(options.command, Some(Command::Doctor(_))), "{line}");
        }
    }

    #[test]
    fn a_node_that_is_no_name_is_refused() {
        let wrong = Options::try_parse_from(["vipward-alias", "--node", "Not_A_Name"]);
        assert_eq!(wrong.expect_err("it is no name").exit_code(), 2);
    }
}

//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use vipward_core::NodeName;

/// Keeps every service's VIP on this node's interface.
#[derive(Debug, Parser)]
#[command(name = "vipward-alias", version)]
pub struct Options {
    /// The cluster's file
    #[arg(long, value_name = "FILE", default_value = "/etc/vipward/vipward.toml")]
    pub config: PathBuf,
    /// This host's node; by default the one whose address this host has
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// How to log, on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// Say which node and interface this is and what would be added, and exit
    #[arg(long)]
    pub check: bool,
}

/// The form of the log.
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
    fn a_node_that_is_no_name_is_refused() {
        let wrong = Options::try_parse_from(["vipward-alias", "--node", "Not_A_Name"]);
        assert_eq!(wrong.expect_err("it is no name").exit_code(), 2);
    }
}

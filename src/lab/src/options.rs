//! The command line.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use vipward_core::Exit;

use crate::client::Target;
use crate::isolation::FabricChoice;
use crate::service::ServiceKind;

fn exit_codes() -> String {
    let codes = Exit::BadConfiguration.help_up_to_this();
    format!(
        "{codes}\nA bad scenario counts as bad configuration. \
         An interrupted lab exits with 128 plus the signal's number."
    )
}

/// A whole cluster on one machine: region, function, nodes, network, faults.
#[derive(Debug, Parser)]
#[command(name = "vipward-lab", version, after_help = exit_codes())]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// How it is done
    #[command(flatten)]
    pub global: GlobalOptions,
}

/// What all commands share.
#[derive(Debug, Args)]
pub struct GlobalOptions {
    /// How VIPs are delivered to their holders
    #[arg(long, value_enum, default_value_t = FabricChoice::Auto, global = true)]
    pub fabric: FabricChoice,
    /// Keep logs and files even when all went well
    #[arg(long, global = true)]
    pub keep: bool,
    /// The directory of the project's binaries; by default this program's own
    #[arg(long, value_name = "DIR", env = "VIPWARD_BIN_DIR", global = true)]
    pub bin_dir: Option<PathBuf>,
    /// Print without colour
    #[arg(long, env = "NO_COLOR", value_parser = FalseyValueParser::new(), global = true)]
    pub no_color: bool,
    /// The search path that the cluster's processes get
    #[arg(
        long,
        env = "PATH",
        default_value = "/usr/sbin:/usr/bin:/sbin:/bin",
        hide = true,
        global = true
    )]
    pub path: OsString,
    /// This process is inside its namespaces already, and its folder is made
    #[arg(long, value_name = "DIR", hide = true, global = true)]
    pub inside: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show two failovers: a service that crashes, a node that dies
    Demo {
        /// What runs on the nodes
        #[arg(long, value_enum, default_value_t = ServiceKind::Builtin)]
        service: ServiceKind,
    },
    /// Play scenarios; succeeds when every expectation is met
    Run {
        /// Scenario files
        #[arg(required = true)]
        scenarios: Vec<PathBuf>,
    },
    /// The built-in service
    #[command(hide = true)]
    Serve {
        /// The node's name
        #[arg(long)]
        name: String,
        /// Where to listen
        #[arg(long)]
        listen: SocketAddrV4,
    },
    /// The client
    #[command(hide = true)]
    Client {
        /// What runs on the nodes
        #[arg(long, value_enum)]
        service: ServiceKind,
        /// A VIP to ask, as name=address:port
        #[arg(long = "target", required = true)]
        targets: Vec<Target>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Options::command().debug_assert();
    }
}

//! The command line.

use std::path::PathBuf;

use clap::Parser;
use vipward_core::NodeName;

use crate::log::LogFormat;

/// Probes this node's services and its peers', and reports what it sees to CloudWatch and
/// EventBridge.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Args {
    /// The cluster's file.
    #[arg(long, value_name = "FILE", default_value = "/etc/vipward/vipward.toml")]
    pub config: PathBuf,
    /// Which node or witness of the file this host is; found by its addresses when not given.
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
    /// How log lines on standard error are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// Check the file and find this host in it, say so, and end.
    #[arg(long)]
    pub check: bool,
}

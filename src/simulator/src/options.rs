//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use vipward_core::Exit;

fn exit_codes() -> String {
    let codes = Exit::BadConfiguration.help_up_to_this();
    format!("{codes}\nA broken rule counts as failed, a bad scenario as bad configuration.")
}

/// Plays histories of a cluster in virtual time, with the production code.
#[derive(Debug, Parser)]
#[command(name = "vipward-simulator", version, after_help = exit_codes())]
pub struct Options {
    /// What to play
    #[command(subcommand)]
    pub command: Command,
}

/// What to play.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the histories of many seeds
    Seeds {
        /// How many seeds
        #[arg(long, default_value_t = 500)]
        seeds: u64,
        /// The first seed
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Also draw the table of faults and what came of them into this file
        #[arg(long, value_name = "SVG")]
        picture: Option<PathBuf>,
        /// Run at most N of the function at once, whatever the seeds say
        #[arg(long, value_name = "N")]
        concurrency: Option<u32>,
    },
    /// Play the history of one seed and show its timeline
    Seed {
        /// The seed
        seed: u64,
    },
    /// Play a scenario and show its timeline
    Play {
        /// The scenario
        file: PathBuf,
    },
    /// Show the history of a seed as a scenario
    Show {
        /// The seed
        seed: u64,
    },
}

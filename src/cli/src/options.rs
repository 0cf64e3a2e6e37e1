//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vipward_core::{Exit, NodeName, ServiceName};

/// Keeps virtual IPs on healthy nodes of an AWS VPC: the operator's command.
#[derive(Debug, Parser)]
#[command(
    name = "vipward",
    version,
    propagate_version = true,
    after_help = Exit::Refused.help_up_to_this()
)]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a configuration and show what it would deploy
    Check {
        /// The cluster's configuration
        #[arg(default_value = "vipward.toml")]
        file: PathBuf,
    },
    /// Render a configuration to a SAM template
    Render(RenderOptions),
    /// Show which node holds each VIP, and what vipward decides about it
    #[command(after_help = degraded())]
    Status(QueryOptions),
    /// Show the evidence behind each decision
    #[command(after_help = degraded())]
    Explain {
        /// The service to explain; by default all
        service: Option<ServiceName>,
        /// How to ask
        #[command(flatten)]
        query: QueryOptions,
    },
    /// Print the commands that move each VIP by hand, for when Lambda or CloudWatch is down
    Manual {
        /// The cluster's configuration
        #[arg(long, value_name = "FILE", default_value = "vipward.toml")]
        config: PathBuf,
    },
    /// Move a VIP to another node, and say when EC2 has named it
    #[command(after_help = switched())]
    Switchover {
        /// The service
        service: ServiceName,
        /// The node to move it to; by default the best other one
        #[arg(long, value_name = "NODE")]
        to: Option<NodeName>,
        /// Whom to order
        #[command(flatten)]
        order: OrderOptions,
    },
    /// Keep VIPs off a node for a while, and wait until it holds none
    #[command(after_help = drained())]
    Drain {
        /// The node
        node: NodeName,
        /// How long: 90s, 30m, 4h or 2d, at most 14 days
        #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = drain_time)]
        lasting: Seconds,
        /// Why, as status shows it
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Who asks, as status shows it
        #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
        owner: String,
        /// How long to wait until the node holds no VIP: 30s, 5m, at most 1h
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = wait_time)]
        wait: Seconds,
        /// Do not wait: the node may hold VIPs yet
        #[arg(long, conflicts_with = "wait")]
        no_wait: bool,
        /// Whom to order
        #[command(flatten)]
        order: OrderOptions,
    },
    /// Let a drained node hold VIPs again
    Resume {
        /// The node
        node: NodeName,
        /// Whom to order
        #[command(flatten)]
        order: OrderOptions,
    },
    /// Restore a service's move budget, so that its next move need not wait
    Unfreeze {
        /// The service
        service: ServiceName,
        /// Whom to order
        #[command(flatten)]
        order: OrderOptions,
    },
}

fn degraded() -> String {
    Exit::Degraded
        .when("a VIP needs attention or is about to move, or nobody can tell how its holder is")
}

fn switched() -> String {
    format!("{}\n{}", Exit::Degraded.when("the move failed or is not proven"), refused())
}

fn drained() -> String {
    Exit::Degraded
        .when("the node may hold a VIP after the wait, and says why. The drain lasts all the same")
}

fn refused() -> String {
    Exit::Refused.when("the function refuses the order because it would not be safe")
}

/// So many whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u32);

/// The longest drain: whoever forgets one gets the node back.
const LONGEST_DRAIN: u32 = 14 * 24 * 60 * 60;

/// The longest wait: whoever waits longer watches `status`.
const LONGEST_WAIT: u32 = 60 * 60;

fn drain_time(text: &str) -> Result<Seconds, String> {
    seconds(text, LONGEST_DRAIN, "a drain lasts from 1 second to 14 days")
}

fn wait_time(text: &str) -> Result<Seconds, String> {
    seconds(text, LONGEST_WAIT, "a wait lasts from 1 second to 1 hour")
}

fn seconds(text: &str, most: u32, bounds: &str) -> Result<Seconds, String> {
    let wrong = || "not a duration such as 90s, 30m, 4h or 2d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| wrong())?;
    match number.checked_mul(factor) {
        Some(seconds) if (1..=most).contains(&seconds) => Ok(Seconds(seconds)),
        _ => Err(bounds.to_owned()),
    }
}

/// The function that takes the order.
#[derive(Debug, Args)]
pub struct OrderOptions {
    /// The cluster's configuration, which names the function
    #[arg(long, value_name = "FILE", default_value = "vipward.toml")]
    pub config: PathBuf,
    /// The failover function's name or ARN, instead of a configuration
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub function: Option<String>,
}

/// The configuration to render, and the template to write.
#[derive(Debug, Args)]
pub struct RenderOptions {
    /// The cluster's configuration
    #[arg(default_value = "vipward.toml")]
    pub file: PathBuf,
    /// Where to write the template; by default standard output
    #[arg(short, long, value_name = "TEMPLATE")]
    pub output: Option<PathBuf>,
    /// The directory that ships with the functions, as the template names it; by default the
    /// directory of FILE, relative to the template (on standard output, to the working
    /// directory)
    #[arg(long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
}

/// Whom to ask, and the format of the answer.
#[derive(Debug, Args)]
pub struct QueryOptions {
    /// The cluster's configuration, which names the function
    #[arg(long, value_name = "FILE", default_value = "vipward.toml")]
    pub config: PathBuf,
    /// The query function's name or ARN, instead of a configuration
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub function: Option<String>,
    /// The format of the answer
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables for people
    Text,
    /// The function's answer, unchanged
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
    fn a_drain_lasts_a_second_to_two_weeks() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("4h", 14_400), ("14d", 1_209_600)] {
            assert_eq!(drain_time(text), Ok(Seconds(seconds)), "{text}");
        }
        for text in ["", "s", "90", "0s", "15d", "1w", "-1s", "1.5h", "1hh", "1µ", "99999999h"] {
            assert!(drain_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_drain_is_waited_for_a_minute_or_as_long_as_told_or_not_at_all() {
        let parse = |line: &str| match Options::try_parse_from(line.split(' ')) {
            Ok(Options { command: Command::Drain { wait, no_wait, .. } }) => {
                Some((wait.0, no_wait))
            }
            _ => None,
        };
        assert_eq!(parse("vipward drain a"), Some((60, false)));
        assert_eq!(parse("vipward drain a --wait 5m"), Some((300, false)));
        assert_eq!(parse("vipward drain a --no-wait"), Some((60, true)));
        for wrong in ["--wait 0s", "--wait 2h", "--wait soon", "--wait 5s --no-wait"] {
            assert_eq!(parse(&format!("vipward drain a {wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn a_service_that_is_no_name_is_a_usage_error() {
        let wrong = Options::try_parse_from(["vipward", "explain", "Redis!"]);
        assert_eq!(wrong.expect_err("it is no name").exit_code(), 2);
    }
}

//! The command line.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;
use vipward_core::{Exit, NodeName, ServiceName, alias_report};
use vipward_observe::requests::Which;

use crate::host::log::LogFormat;

/// Where the agent answers `status`: below systemd's `RuntimeDirectory=vipward`.
pub const DEFAULT_SOCKET: &str = "/run/vipward/agent.sock";

/// The file that remembers what the hooks did: gone after a boot, as what they did may be.
pub const DEFAULT_MEMORY: &str = "/run/vipward/hooks.json";

/// Probes this node's services and its peers', and reports what it sees to CloudWatch and
/// EventBridge.
#[derive(Debug, Clone, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = Exit::Degraded.help_up_to_this()
)]
pub struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunOptions,
}

impl Options {
    /// What to do; to run, when nothing is named.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run the agent (the default)
    Run(RunOptions),
    /// Check the configuration, run each probe once, and show the results
    #[command(after_help = Exit::Degraded.when("a probe does not pass, or a hook could not run"))]
    Check(CheckOptions),
    /// Announce that services will soon leave this node, so that their VIPs move first
    #[command(
        after_help = Exit::Degraded
            .when("the time is up and a VIP is, or may be, still here")
    )]
    Leave(LeaveOptions),
    /// Take the announcement back: the services stay
    Stay(StayOptions),
    /// Show what the running agent on this host knows
    #[command(
        after_help = Exit::Degraded
            .when("a service of this node is not healthy or is unready, or its last hook failed")
    )]
    Status(StatusOptions),
}

/// The configuration, and this host's name in it.
#[derive(Debug, Clone, Args)]
pub struct HostOptions {
    /// The cluster's configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/vipward/vipward.toml")]
    pub config: PathBuf,
    /// This host's name in the configuration; by default found by its addresses.
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,
}

/// How to run.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Who this is.
    #[command(flatten)]
    pub host: HostOptions,
    /// The format of the log on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log: LogFormat,
    /// The Unix socket that answers `status`, or `none`; by default `/run/vipward/agent.sock`,
    /// where that can be created.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathChoice>,
    /// The file that remembers what the hooks did, or `none`; by default
    /// `/run/vipward/hooks.json`.
    #[arg(long, value_name = "PATH")]
    pub memory: Option<PathChoice>,
    /// The file in which this host's alias unit reports.
    #[arg(long, value_name = "PATH", default_value = alias_report::DEFAULT_PATH)]
    pub alias_report: PathBuf,
    /// Serve Prometheus metrics on this address, such as 127.0.0.1:9890; a loopback address,
    /// since they need no login.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub metrics_listen: Option<SocketAddr>,
}

/// The host to check, and the format of the answer.
#[derive(Debug, Clone, Args)]
pub struct CheckOptions {
    /// Who this is.
    #[command(flatten)]
    pub host: HostOptions,
    /// The format of the answer.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
}

/// Whom to ask, and the format of the answer.
#[derive(Debug, Clone, Args)]
pub struct StatusOptions {
    /// The Unix socket of the agent.
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    pub socket: PathBuf,
    /// The format of the answer.
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub output: OutputFormat,
}

/// Which services of this node; all of them when none is named.
#[derive(Debug, Clone, Args)]
pub struct WhichOptions {
    /// The Unix socket of the agent.
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    pub socket: PathBuf,
    /// Only this service.
    #[arg(long, value_name = "NAME", conflicts_with = "unit")]
    pub service: Option<ServiceName>,
    /// Only the services with this unit in the configuration, such as mysql.service.
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
}

impl WhichOptions {
    /// As the agent is asked.
    pub fn which(&self) -> Which {
        match (&self.service, &self.unit) {
            (Some(service), _) => Which::Service(service.clone()),
            (None, Some(unit)) => Which::Unit(unit.clone()),
            (None, None) => Which::All,
        }
    }
}

/// What leaves, and how long to wait.
#[derive(Debug, Clone, Args)]
pub struct LeaveOptions {
    /// Which.
    #[command(flatten)]
    pub which: WhichOptions,
    /// Why, as the log shows it.
    #[arg(long, value_name = "TEXT", default_value = "asked for on this host")]
    pub reason: String,
    /// Wait until the VIPs have left this node's interface, at most this long; 20s without a value.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "20s", value_parser = duration)]
    pub wait: Option<Duration>,
}

/// What stays.
#[derive(Debug, Clone, Args)]
pub struct StayOptions {
    /// Which.
    #[command(flatten)]
    pub which: WhichOptions,
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|parsed| parsed.try_into().ok());
    parsed.ok_or_else(|| "not a duration such as 20s".to_owned())
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned text for people.
    Text,
    /// One JSON document.
    Json,
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "not an address and port".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("not a loopback address: let a collector on this host forward the metrics".to_owned())
}

/// Where a file of the agent's is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathChoice {
    /// Nowhere.
    Off,
    /// At that path.
    At(PathBuf),
}

impl FromStr for PathChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::Off,
            path => Self::At(Path::new(path).to_owned()),
        })
    }
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
    fn without_a_command_it_runs() {
        let parse =
            |line: &str| Options::try_parse_from(line.split(' ')).map(Options::into_command);
        for line in ["agent --config f --node a --log json", "agent run --config f --node a"] {
            let Ok(Command::Run(run)) = parse(line) else { panic!("{line} runs") };
            assert_eq!((run.host.config, run.socket), (PathBuf::from("f"), None), "{line}");
        }
        assert!(matches!(parse("agent check --config f"), Ok(Command::Check(_))));
        assert!(parse("agent --config f check").is_err(), "the command comes first");
    }

    #[test]
    fn metrics_stay_on_this_host() {
        assert_eq!(loopback("127.0.0.1:0"), Ok(([127, 0, 0, 1], 0).into()));
        assert!(loopback("[::1]:9890").is_ok());
        for (text, why) in
            [("0.0.0.0:9890", "loopback"), ("172.31.0.11:1", "loopback"), ("x", "port")]
        {
            assert!(loopback(text).is_err_and(|said| said.contains(why)), "{text}");
        }
    }

    #[test]
    fn leaving_is_of_all_one_or_a_unit_and_waits_where_told() {
        let parse = |line: &str| match Options::try_parse_from(line.split(' '))
            .map(Options::into_command)
        {
            Ok(Command::Leave(leave)) => Some((leave.which.which(), leave.wait)),
            _ => None,
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(parse("agent leave"), Some((Which::All, None)));
        let web = Which::Service("web".parse().expect("a name"));
        assert_eq!(parse("agent leave --service web --wait"), Some((web, seconds(20))));
        let unit = Which::Unit("nginx.service".to_owned());
        assert_eq!(parse("agent leave --unit nginx.service --wait 5s"), Some((unit, seconds(5))));
        assert_eq!(parse("agent leave --wait soon"), None);
        assert_eq!(parse("agent leave --service web --unit nginx.service"), None);
    }

    #[test]
    fn none_is_no_path() {
        let parse = |text: &str| text.parse::<PathChoice>();
        assert_eq!(parse("none"), Ok(PathChoice::Off));
        assert_eq!(parse("./none"), Ok(PathChoice::At("./none".into())));
    }
}

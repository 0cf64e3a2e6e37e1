//! `vipward.toml`: one file for every node, the function, the command and the alarms.

mod check;
mod encryption;
mod fault;
mod group;
mod hook;
mod placed;
mod probe;
mod read;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use encryption::Tls;
pub use fault::{Fault, Faults};
pub use hook::{Hook, Hooks};

use crate::name::{ClusterName, EniId, GroupName, NodeName, ServiceName, VipAddr};

/// A checked configuration: what it says holds together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// The cluster's name.
    pub cluster: ClusterName,
    /// The subnet that the VIPs and the nodes' addresses lie in.
    pub subnet: Ipv4Net,
    /// How to decide.
    pub policy: Policy,
    /// The hosts that may hold VIPs, in the order of the file.
    pub nodes: Vec<Node>,
    /// The hosts that only observe, in the order of the file.
    pub witnesses: Vec<Witness>,
    /// What clients reach, in the order of the file.
    pub services: Vec<Service>,
}

/// A host that may hold VIPs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// The primary private address of its ENI.
    pub address: Ipv4Addr,
    /// Its one ENI.
    pub eni: EniId,
    /// Higher is preferred.
    pub priority: u32,
}

/// A host that observes and holds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// Its name.
    pub name: NodeName,
    /// An address by which it knows itself in the file.
    pub address: Ipv4Addr,
}

/// What clients reach at one VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Where clients reach it.
    pub vip: VipAddr,
    /// Those of one group are always held by one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Which nodes may hold its VIP.
    pub role: Role,
    /// When a node has the VIP on its interface.
    pub alias: AliasMode,
    /// How its health is told.
    pub check: Check,
    /// The systemd unit that runs it, by which its end is announced.
    pub unit: Option<String>,
    /// What a node runs when the VIP comes and goes.
    #[serde(skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
}

/// Which nodes may hold a VIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Any on which the service is well.
    Any,
    /// The primary that the cluster of servers elects by itself: the VIP follows it.
    Primary,
}

/// When a node has a VIP on its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AliasMode {
    /// Always, on every node: the VPC alone says whose traffic it is.
    Static,
    /// While the node's ENI holds it, as the instance metadata tell.
    Follow,
}

impl AliasMode {
    /// Its word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Follow => "follow",
        }
    }
}

/// How a service's health is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The protocol, with its own settings.
    pub kind: CheckKind,
    /// TCP port on the node's own address; only a command can do without.
    pub port: Option<u16>,
    /// From one probe to the next.
    pub interval: Duration,
    /// From a failed probe to the next, until the verdict stands.
    pub confirm: Duration,
    /// After which a probe has failed.
    pub timeout: Duration,
    /// After which connecting has failed: a host that is there takes no longer, however slow it is.
    pub connect_timeout: Duration,
    /// Passes in a row that make it healthy.
    pub rise: u32,
    /// Failures in a row that make it unhealthy.
    pub fall: u32,
}

/// The protocol of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// The port accepts a connection.
    Tcp,
    /// `GET path` answers with `status`, and with a body that matches.
    Http {
        /// Path and query.
        path: String,
        /// The one status code that passes.
        status: u16,
        /// A regular expression that must match somewhere in the body.
        body: Option<String>,
        /// The host that is asked for; without, the node's address.
        host: Option<String>,
        /// `None`: in the clear.
        tls: Option<Tls>,
    },
    /// `PING` is answered and nothing is being loaded.
    Redis {
        /// ACL user, for `AUTH user password`.
        user: Option<String>,
        /// File whose first line is the password.
        password_file: Option<PathBuf>,
        /// How far behind its primary a candidate may be.
        max_lag: Option<Duration>,
        /// `None`: in the clear.
        tls: Option<Tls>,
    },
    /// MySQL or MariaDB lets the user in and answers a query.
    Mysql {
        /// Whom to log in as.
        user: String,
        /// File whose first line is the password; without, the user has none.
        password_file: Option<PathBuf>,
        /// How far behind its primary a candidate may be.
        max_lag: Option<Duration>,
        /// `None`: in the clear.
        tls: Option<Tls>,
    },
    /// PostgreSQL lets the user in and answers a query.
    Postgres {
        /// Whom to log in as.
        user: String,
        /// File whose first line is the password; without, the user has none.
        password_file: Option<PathBuf>,
        /// The database to log in to.
        database: String,
        /// How far behind its primary a candidate may be.
        max_lag: Option<Duration>,
        /// `None`: in the clear.
        tls: Option<Tls>,
    },
    /// MongoDB says that it is a primary or a secondary.
    Mongodb {
        /// How far behind its primary a candidate may be.
        max_lag: Option<Duration>,
        /// `None`: in the clear.
        tls: Option<Tls>,
    },
    /// A command ends with exit code 0.
    Exec {
        /// The program's absolute path and its arguments; no shell reads them.
        command: Vec<String>,
        /// Whom it runs as; without, as the agent itself.
        user: Option<String>,
    },
    /// systemd says that the unit is active, and others that the port accepts a connection.
    Systemd {
        /// The unit's full name.
        unit: String,
    },
}

impl CheckKind {
    /// How far behind its primary a candidate may be; `None` where that does not matter.
    pub fn max_lag(&self) -> Option<Duration> {
        match self {
            Self::Redis { max_lag, .. }
            | Self::Mysql { max_lag, .. }
            | Self::Postgres { max_lag, .. }
            | Self::Mongodb { max_lag, .. } => *max_lag,
            Self::Tcp | Self::Http { .. } | Self::Exec { .. } | Self::Systemd { .. } => None,
        }
    }

    /// Whether its probe sees if a server is a primary or a replica.
    pub fn knows_role(&self) -> bool {
        matches!(
            self,
            Self::Redis { .. } | Self::Mysql { .. } | Self::Postgres { .. } | Self::Mongodb { .. }
        )
    }

    /// Its word in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http { tls: None, .. } => "http",
            Self::Http { tls: Some(_), .. } => "https",
            Self::Redis { .. } => "redis",
            Self::Mysql { .. } => "mysql",
            Self::Postgres { .. } => "postgres",
            Self::Mongodb { .. } => "mongodb",
            Self::Exec { .. } => "exec",
            Self::Systemd { .. } => "systemd",
        }
    }
}

/// How to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Whether decisions are carried out.
    pub mode: Mode,
    /// The rest after an automatic move while the holder is up.
    pub cooldown: Duration,
    /// Automatic moves before each further one must wait.
    pub move_budget: MoveBudget,
    /// Whether a VIP returns to the preferred node by itself.
    pub failback: Failback,
    /// From one publication of the metrics to the next.
    pub publish_interval: Duration,
    /// The age at which an observation no longer counts, and at which silence does.
    pub stale_after: Duration,
    /// How soon a host that no longer answers is noticed by the others.
    pub dead_after: Duration,
    /// Whether agents hint through EventBridge; without, alarms alone carry the news.
    pub hints: bool,
    /// Whether each observer's word has an alarm of its own: without hints nothing else wakes the
    /// function when a node says it is well and the others cannot reach it.
    pub peer_alarms: bool,
}

/// Whether decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Decide, record and move.
    Act,
    /// Decide, record and never move.
    Observe,
}

/// At most `moves` automatic moves of one VIP in any time of length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MoveBudget {
    /// How many moves.
    pub moves: u32,
    /// In how long a time.
    pub per: Duration,
}

/// Whether a VIP returns to the preferred node by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failback {
    /// It stays where it is.
    Never,
    /// It returns once it has stayed away for that long.
    After(Duration),
}

impl Policy {
    /// For how long a node's metrics have to say the same against its own service until they are
    /// believed with nobody else saying so: two publications later.
    pub fn uncontested_after(&self) -> Duration {
        self.publish_interval * 2
    }

    /// From one knock at another node to the next: a third of [`Self::dead_after`].
    pub fn knock_interval(&self) -> Duration {
        self.dead_after / 3
    }

    /// How long connecting may take: what then remains is for the knock that is not answered and
    /// for the `fall` probes that confirm it.
    pub fn connect_timeout(&self, fall: u32) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(50);
        (self.knock_interval() * 2 / fall.saturating_add(1)).max(SHORTEST)
    }
}

impl Config {
    /// Reads and checks the file at `path`; `read` does the I/O (`std::fs::read_to_string`).
    ///
    /// # Errors
    /// Every fault of the file at once.
    pub fn load(
        path: &Path,
        read: impl FnOnce(&Path) -> io::Result<String>,
    ) -> Result<Self, Faults> {
        let text = read(path).map_err(|error| Faults::unreadable(path, &error))?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Checks `text`; `origin` names it in messages.
    ///
    /// # Errors
    /// Every fault of the text at once.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Faults> {
        read::config(text).map_err(|faults| Faults::new(origin, faults))
    }

    /// Sixteen hexadecimal digits that differ when the meaning of the file does (its layout and
    /// comments do not count).
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("a checked configuration has string keys only");
        let hash = Sha256::digest(json);
        let head = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
        format!("{head:016x}")
    }

    /// Whether node `a` is preferred to node `b`.
    pub(crate) fn prefers(&self, a: &NodeName, b: &NodeName) -> bool {
        let priority = |name| self.node(name).map(|node| node.priority);
        priority(a) > priority(b)
    }

    /// The node of that name.
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == *name)
    }

    /// The node whose ENI that is.
    pub fn node_of(&self, eni: &EniId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.eni == *eni)
    }

    /// The service of that name.
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| service.name == *name)
    }

    /// Every host that runs an agent: the nodes, then the witnesses.
    pub fn members(&self) -> impl Iterator<Item = &NodeName> {
        let witnesses = self.witnesses.iter().map(|witness| &witness.name);
        self.nodes.iter().map(|node| &node.name).chain(witnesses)
    }

    /// Everyone who observes `subject` other than itself.
    pub fn observers_of<'c>(&'c self, subject: &'c NodeName) -> impl Iterator<Item = &'c NodeName> {
        self.members().filter(move |member| *member != subject)
    }

    /// The members whose address is among `addresses`: how a host finds itself in the file.
    pub fn members_at(&self, addresses: &[Ipv4Addr]) -> impl Iterator<Item = &NodeName> {
        let nodes = self.nodes.iter().map(|node| (&node.name, node.address));
        let witnesses = self.witnesses.iter().map(|witness| (&witness.name, witness.address));
        let members = nodes.chain(witnesses);
        members.filter(|(_, address)| addresses.contains(address)).map(|(name, _)| name)
    }
}

//! What the alias unit leaves for the agent of its host: how the configuration, EC2 and the kernel
//! stand to each other, for each service.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::name::{NodeName, ServiceName};

/// Where the alias unit writes it and the agent reads it.
pub const DEFAULT_PATH: &str = "/run/vipward/alias.json";

/// The version of [`AliasReport`] that this build writes and reads.
pub const VERSION: u32 = 1;

/// The whole report, written anew whenever it changes and at least once a minute: an older file is
/// that of a unit that no longer runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasReport {
    /// [`VERSION`].
    pub version: u32,
    /// The node, once it is known which one this host is.
    pub node: Option<NodeName>,
    /// Its interface, while it is there.
    pub interface: Option<String>,
    /// What the unit cannot do now, and why.
    pub trouble: Option<String>,
    /// One for each service, in the order of the file.
    pub aliases: Vec<AliasState>,
}

/// One service's VIP on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasState {
    /// The service.
    pub service: ServiceName,
    /// Its VIP.
    pub vip: Ipv4Addr,
    /// What the configuration asks for: `static` or `follow`.
    pub mode: String,
    /// What EC2 says by the instance metadata.
    pub ec2: Holding,
    /// Whether the node's interface has it.
    pub present: bool,
    /// What is not as it should be after the unit did what it may.
    pub drift: Option<String>,
    /// How often since its start the unit mended what others had changed.
    pub repairs: u64,
}

/// Whether this node's ENI holds a VIP, as far as the instance metadata tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    /// The mode is static: nobody asks.
    NotAsked,
    /// No answer yet, an error, or an answer that is not confirmed.
    Unknown,
    /// It does.
    Held,
    /// It does not, by two answers in a row.
    NotHeld,
}

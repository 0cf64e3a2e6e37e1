//! What EC2 knows at one moment: subnets, instances and their network interfaces.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-...`.
    pub id: String,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// `vpc-...`.
    pub vpc: String,
    /// Availability zone name.
    pub zone: String,
}

impl Subnet {
    /// Whether AWS keeps this address for itself: the first four and the last of the subnet.
    pub fn reserves(&self, address: Ipv4Addr) -> bool {
        let first = u32::from(self.cidr.network());
        let number = u32::from(address);
        number < first.saturating_add(4) || address == self.cidr.broadcast()
    }
}

/// The states of an instance, with EC2's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// On its way to running.
    Pending,
    /// Running.
    Running,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone for good, and its interface with it.
    Terminated,
    /// On its way to stopped.
    Stopping,
    /// Stopped; its interface and addresses stay.
    Stopped,
}

impl InstanceState {
    /// EC2's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }

    /// EC2's number of the state.
    pub fn code(self) -> u16 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

/// An instance; it has one interface, device 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// `i-...`.
    pub id: String,
    /// `m7g.medium` for example; decides how many addresses its interface takes.
    pub kind: String,
    /// Its state.
    pub state: InstanceState,
    /// Its interface.
    pub eni: String,
    /// When it was launched.
    pub launched: Timestamp,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eni-...`.
    pub id: String,
    /// The instance it is attached to.
    pub instance: String,
    /// Hardware address, lower case with colons.
    pub mac: String,
    /// Its subnet.
    pub subnet: String,
    /// Primary private address.
    pub primary: Ipv4Addr,
    /// Secondary private addresses, in order of assignment.
    pub secondaries: Vec<Ipv4Addr>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Interface {
    /// All private addresses, the primary first.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        std::iter::once(self.primary).chain(self.secondaries.iter().copied())
    }
}

/// Everything EC2 knows at one moment, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Subnets.
    pub subnets: BTreeMap<String, Subnet>,
    /// Instances, terminated ones included.
    pub instances: BTreeMap<String, Instance>,
    /// Network interfaces.
    pub interfaces: BTreeMap<String, Interface>,
}

impl Inventory {
    /// The interface that has an address, as primary or secondary.
    pub fn holder(&self, address: Ipv4Addr) -> Option<&Interface> {
        self.interfaces.values().find(|interface| interface.addresses().any(|held| held == address))
    }

    /// The subnet of an interface.
    pub fn subnet_of(&self, interface: &Interface) -> &Subnet {
        self.subnets
            .get(&interface.subnet)
            .expect("an interface is only created in a subnet that exists")
    }
}

/// How many private IPv4 addresses one interface takes, the primary included.
///
/// From EC2's table of addresses per interface by instance type; for types outside this excerpt
/// the size decides, as it does for most families.
pub fn addresses_per_interface(kind: &str) -> usize {
    let (family, size) = kind.split_once('.').unwrap_or((kind, ""));
    match (family, size) {
        ("t2" | "t3" | "t3a" | "t4g", "nano" | "micro") => 2,
        ("t2" | "t3" | "t3a" | "t4g", "medium") => 6,
        ("t2" | "t3" | "t3a" | "t4g", "large") => 12,
        ("t2" | "t3" | "t3a" | "t4g", "small") | (_, "medium") => 4,
        (_, "large") => 10,
        (_, "xlarge" | "2xlarge") => 15,
        _ => 30,
    }
}

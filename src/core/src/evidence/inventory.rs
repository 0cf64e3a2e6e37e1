//! Who holds what, as EC2 describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Serialize;

use crate::config::{Config, Node};
use crate::drain::Drain;
use crate::ledger::Ledger;
use crate::name::{EniId, NodeName, ServiceName, VipAddr};

/// One interface as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eni {
    /// Its subnet.
    pub subnet: String,
    /// The instance it is attached to.
    pub instance: Option<String>,
    /// Every private address, the primary first.
    pub addresses: Vec<Ipv4Addr>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The cluster's interfaces, and whoever else has one of its VIPs, as EC2 describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// By id; of the configured ones only those that exist.
    pub enis: BTreeMap<EniId, Eni>,
    /// Configured nodes whose instance EC2 says is stopping, stopped, shutting down or terminated.
    pub stopped: BTreeSet<NodeName>,
}

/// Who has a VIP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A node of the file.
    Node(NodeName),
    /// Nodes of the file, as EC2 may show it while a move settles: it cannot be told which.
    Several(Vec<NodeName>),
    /// An interface that the file does not name.
    Foreign(EniId),
    /// No interface at all.
    Nobody,
}

impl Holder {
    /// The node of the file that holds, if one does.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::Node(name) => Some(name),
            Self::Several(_) | Self::Foreign(_) | Self::Nobody => None,
        }
    }
}

/// What EC2 says of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its interface is attached to an instance that runs, or at least is not said to be stopped.
    Attached,
    /// Its interface is attached to nothing, or its instance is stopping, stopped or terminated.
    Detached,
    /// The answer does not have its interface: deleted, or left out of an incomplete answer.
    NotDescribed,
}

impl Inventory {
    /// Who has `vip`. EC2 may show an address on two interfaces while a move settles: a foreign one
    /// is then named before ours, and robbed in no case.
    pub fn holder(&self, config: &Config, vip: VipAddr) -> Holder {
        let with_vip = self.enis.iter().filter(|(_, eni)| eni.addresses.contains(&vip.0));
        let mut ours = Vec::new();
        for (id, _) in with_vip {
            match config.node_of(id) {
                Some(node) => ours.push(node.name.clone()),
                None => return Holder::Foreign(id.clone()),
            }
        }
        match ours.as_slice() {
            [] => Holder::Nobody,
            [node] => Holder::Node(node.clone()),
            _ => Holder::Several(ours),
        }
    }

    /// What EC2 says of the node itself.
    pub fn presence(&self, node: &Node) -> Presence {
        match self.enis.get(&node.eni) {
            None => Presence::NotDescribed,
            Some(eni) if eni.instance.is_none() || self.stopped.contains(&node.name) => {
                Presence::Detached
            }
            Some(_) => Presence::Attached,
        }
    }

    /// What the tag of the node's interface says of its being drained, its time over or not.
    pub fn drain(&self, config: &Config, node: &Node) -> Option<Drain> {
        self.enis.get(&node.eni)?.tags.get(&Drain::tag_key(&config.cluster))?.parse().ok()
    }

    /// The interface of the file that has the ledger of the service's moves, if one does.
    pub fn ledger_keeper(&self, config: &Config, service: &ServiceName) -> Option<&EniId> {
        let key = Ledger::tag_key(&config.cluster, service);
        let last = |eni: &Eni| eni.tags.get(&key)?.parse::<Ledger>().ok()?.last_move();
        let ours = self.enis.iter().filter(|(id, _)| config.node_of(id).is_some());
        let keepers = ours.filter_map(|(id, eni)| Some((id, last(eni)?)));
        keepers.max_by_key(|(_, last)| *last).map(|(id, _)| id)
    }

    /// What the tags remember of the service's moves.
    pub fn ledger(&self, config: &Config, service: &ServiceName) -> Ledger {
        let key = Ledger::tag_key(&config.cluster, service);
        let ours = self.enis.iter().filter(|(id, _)| config.node_of(id).is_some());
        ours.filter_map(|(_, eni)| eni.tags.get(&key))
            .filter_map(|text| text.parse::<Ledger>().ok())
            .max_by_key(Ledger::last_move)
            .unwrap_or_default()
    }
}

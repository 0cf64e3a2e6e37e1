//! All that is known when a decision is made, each piece with its age.
//!
//! Ages come from AWS's time (of metric buckets and events), which agents know by its answers: the
//! hosts' clocks do not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, Node, Service};
use crate::drain::Drain;
use crate::hint::Verdict;
use crate::ledger::Ledger;
use crate::name::{EniId, NodeName, ServiceName, VipAddr};
use crate::observed::Observed;
use crate::signals::AlarmName;

/// What an observer said, and since when it has been saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it said.
    pub verdict: Verdict,
    /// Since when, by AWS's clock.
    pub since: Timestamp,
    /// Of its own service: that it will soon be gone, however well it is.
    pub leaving: bool,
}

/// Who said something, about which node, about which service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// The agent that speaks.
    pub observer: NodeName,
    /// The node it speaks of; itself in a self observation.
    pub subject: NodeName,
    /// The service it speaks of.
    pub service: ServiceName,
}

/// Everything that agents said, from metrics and hints alike: the newest word on each topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Testimony {
    words: BTreeMap<Topic, Observed<Statement>>,
    lags: BTreeMap<(NodeName, ServiceName), Observed<Duration>>,
    primaries: BTreeMap<(NodeName, ServiceName), Observed<bool>>,
    /// The services whose metrics were read in full: only there is the lack of a word silence.
    pub read: BTreeSet<ServiceName>,
}

impl Testimony {
    /// Takes a word in, unless a newer one on its topic is known.
    pub fn hear(&mut self, topic: Topic, word: Observed<Statement>) {
        keep_newer(&mut self.words, topic, word);
    }

    /// Takes in how far a node's own service is behind its primary, unless something newer is known.
    pub fn hear_lag(&mut self, node: NodeName, service: ServiceName, lag: Observed<Duration>) {
        keep_newer(&mut self.lags, (node, service), lag);
    }

    /// Takes in whether a node's own service is a primary, unless something newer is known.
    pub fn hear_primary(&mut self, node: NodeName, service: ServiceName, is: Observed<bool>) {
        keep_newer(&mut self.primaries, (node, service), is);
    }

    /// Takes in what other testimony knows better; not that its metrics were read: silence is of the moment.
    pub fn absorb(&mut self, other: &Self) {
        for (topic, word) in &other.words {
            self.hear(topic.clone(), *word);
        }
        for ((node, service), lag) in &other.lags {
            self.hear_lag(node.clone(), service.clone(), *lag);
        }
        for ((node, service), is) in &other.primaries {
            self.hear_primary(node.clone(), service.clone(), *is);
        }
    }

    /// Whether a node's own service was last said to be a primary.
    pub fn primary(&self, node: &NodeName, service: &ServiceName) -> Option<&Observed<bool>> {
        self.primaries.get(&(node.clone(), service.clone()))
    }

    /// How far a node's own service was last said to be behind its primary.
    pub fn lag(&self, node: &NodeName, service: &ServiceName) -> Option<&Observed<Duration>> {
        self.lags.get(&(node.clone(), service.clone()))
    }

    /// The newest word on a topic.
    pub fn word(
        &self,
        observer: &NodeName,
        subject: &NodeName,
        service: &ServiceName,
    ) -> Option<&Observed<Statement>> {
        self.words.get(&Topic {
            observer: observer.clone(),
            subject: subject.clone(),
            service: service.clone(),
        })
    }

    /// Every topic with its newest word.
    pub fn iter(&self) -> impl Iterator<Item = (&Topic, &Observed<Statement>)> {
        self.words.iter()
    }
}

/// Hints are heard before metrics: at the same second they know more.
fn keep_newer<K: Ord, T: Copy>(known: &mut BTreeMap<K, Observed<T>>, about: K, heard: Observed<T>) {
    let known = known.entry(about).or_insert(heard);
    if heard.at > known.at {
        *known = heard;
    }
}

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
    Here,
    /// Its interface is attached to nothing, or its instance is stopping, stopped or terminated.
    Gone,
    /// The answer does not have its interface: deleted, or left out of an incomplete answer.
    Absent,
}

impl Inventory {
    /// Who has `vip`. EC2 may show an address on two interfaces while a move settles: a foreign one is
    /// then named before ours, and robbed in no case.
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
            None => Presence::Absent,
            Some(eni) if eni.instance.is_none() || self.stopped.contains(&node.name) => {
                Presence::Gone
            }
            Some(_) => Presence::Here,
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

/// What a decision rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Who holds what.
    pub inventory: Inventory,
    /// The alarms in `OK`; `None` when they could not be read.
    pub quiet_alarms: Option<BTreeSet<AlarmName>>,
    /// What the agents said.
    pub testimony: Testimony,
    /// Where EC2 has just refused to bring which service's VIP: an interface without room, say.
    pub refusals: BTreeSet<(ServiceName, NodeName)>,
    /// Where calls to EC2 that have no certain answer, or whose effect does not show yet, may bring a
    /// service's VIP.
    pub in_flight: BTreeMap<ServiceName, BTreeSet<NodeName>>,
    /// The services about which no agent was heard just now: what is known of them is remembered, and no
    /// move may rest on it.
    pub unheard: BTreeSet<ServiceName>,
}

impl Evidence {
    /// Whether the node says that its service, well as it is, will soon be gone. A holder that says
    /// so is vacated; a node that says so takes a VIP only from a holder that is down, as the last resort.
    pub fn is_leaving(
        &self,
        config: &Config,
        service: &Service,
        node: &NodeName,
        now: Timestamp,
    ) -> bool {
        let word = self.testimony.word(node, node, &service.name);
        let word = word.and_then(|word| word.fresh(now, config.policy.stale_after));
        word.is_some_and(|word| word.leaving)
    }

    /// Whether an operator drains the node. It is no candidate, and a holder that is drained is
    /// vacated.
    pub fn is_drained(&self, config: &Config, node: &NodeName, now: Timestamp) -> bool {
        let drained = config.node(node).and_then(|node| self.inventory.drain(config, node));
        drained.is_some_and(|drain| drain.lasts(now))
    }

    /// Whether the node says that its service is a primary; `None` when it has not said so lately.
    pub fn is_primary(
        &self,
        config: &Config,
        service: &Service,
        node: &NodeName,
        now: Timestamp,
    ) -> Option<bool> {
        let said = self.testimony.primary(node, &service.name)?;
        said.fresh(now, config.policy.stale_after).copied()
    }

    /// The alarms of the file about `service` that are in `ALARM` or `INSUFFICIENT_DATA`, or are
    /// not there at all; all of them when they could not be read.
    pub fn troubled_alarms(
        &self,
        config: &Config,
        service: &ServiceName,
    ) -> impl Iterator<Item = AlarmName> {
        let quiet = self.quiet_alarms.as_ref();
        AlarmName::all(config).filter(move |alarm| {
            alarm.service == *service && quiet.is_none_or(|quiet| !quiet.contains(alarm))
        })
    }
}

#[cfg(test)]
mod tests;

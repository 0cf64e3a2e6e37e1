//! What a decision rested on, as its record carries it: enough to explain it, and to decide once
//! more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::config::Service;
use vipward_core::drain::Drain;
use vipward_core::evidence::{Evidence, Observation, ObservationKey};
use vipward_core::ledger::Ledger;
use vipward_core::name::EniId;
use vipward_core::observed::{Observed, millis};
use vipward_core::{Config, NodeName, ServiceName, Verdict};

/// Most observations and alarms that a record carries: a line of CloudWatch Logs has its limit, and
/// a reader too.
const MOST: usize = 100;

/// The evidence about one service and its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The interfaces that EC2 named.
    pub interfaces: BTreeMap<EniId, Interface>,
    /// The nodes whose instances EC2 says do not run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stopped: BTreeSet<NodeName>,
    /// The alarms that were not quiet; `None` when they were not read.
    pub alarms: Option<Vec<String>>,
    /// What agents observed.
    #[serde(rename = "words")]
    pub observations: Vec<RecordedObservation>,
    /// The services whose metrics showed who is silent.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub read: BTreeSet<ServiceName>,
    /// Where calls on their way could bring which VIP.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_flight: BTreeMap<ServiceName, BTreeSet<NodeName>>,
    /// The services about which no agent was heard just now.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unheard: BTreeSet<ServiceName>,
    /// Where EC2 had just refused which VIP.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refusals: BTreeSet<(ServiceName, NodeName)>,
    /// How many observations and alarms were left out for want of room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

/// One interface, as far as it bears on the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The instance it is attached to.
    pub instance: Option<String>,
    /// Its primary address, and the VIPs of the service and its group that it has.
    pub addresses: Vec<Ipv4Addr>,
    /// The tags that say what moved and who is drained.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The newest observation of a service on a node by an agent, with its age in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedObservation {
    /// Whose it is.
    pub observer: NodeName,
    /// Of which node.
    pub subject: NodeName,
    /// Of which service, where it is another one of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    /// What.
    pub verdict: Verdict,
    /// How long ago.
    pub age_ms: i64,
    /// For how long it had been saying so.
    pub held_ms: i64,
    /// Whether only metrics say so, and have not for long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
    /// Whether it is about to leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// For how long it had not been ready to be served at the VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready_ms: Option<i64>,
    /// Whether it is a primary, where the VIP follows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    /// How far it is behind its primary, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references over")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Basis {
    /// What bears on `service`, of what was known at `now`.
    pub fn of(config: &Config, evidence: &Evidence, service: &Service, now: Timestamp) -> Self {
        let group: Vec<&Service> = config.companions(service).collect();
        let is_about = |name: &ServiceName| group.iter().any(|one| one.name == *name);
        let mut observations: Vec<RecordedObservation> =
            group.iter().flat_map(|one| observations(evidence, &one.name, now)).collect();
        for one in &mut observations {
            one.service.take_if(|name| *name == service.name);
        }
        let troubled = group.iter().flat_map(|one| evidence.troubled_alarms(config, &one.name));
        let troubled = troubled.map(|alarm| alarm.to_string());
        let mut alarms = evidence.quiet_alarms.as_ref().map(|_| troubled.collect());
        let left_out = cut(&mut observations) + alarms.as_mut().map_or(0, cut);
        let in_flight = evidence.in_flight.iter().filter(|(name, _)| is_about(name));
        let refusals = evidence.refusals.iter().filter(|(name, _)| is_about(name));
        Self {
            interfaces: interfaces(config, evidence, &group),
            stopped: evidence.inventory.stopped.clone(),
            alarms,
            observations,
            read: evidence
                .observations
                .read
                .iter()
                .filter(|name| is_about(name))
                .cloned()
                .collect(),
            in_flight: in_flight.map(|(name, to)| (name.clone(), to.clone())).collect(),
            unheard: evidence.unheard.iter().filter(|name| is_about(name)).cloned().collect(),
            refusals: refusals.cloned().collect(),
            left_out,
        }
    }
}

/// Leaves out what is too much; says how much that was.
fn cut<T>(items: &mut Vec<T>) -> usize {
    let surplus = items.len().saturating_sub(MOST);
    items.truncate(MOST);
    surplus
}

fn interfaces(
    config: &Config,
    evidence: &Evidence,
    group: &[&Service],
) -> BTreeMap<EniId, Interface> {
    let mut keys: Vec<_> =
        group.iter().map(|one| Ledger::tag_key(&config.cluster, &one.name)).collect();
    keys.push(Drain::tag_key(&config.cluster));
    let is_vip = |address: &Ipv4Addr| group.iter().any(|one| one.vip.0 == *address);
    let enis = evidence
        .inventory
        .enis
        .iter()
        .filter(|(id, eni)| config.node_of(id).is_some() || eni.addresses.iter().any(is_vip));
    let described = enis.map(|(id, eni)| {
        let (primary, others) = eni.addresses.split_at(eni.addresses.len().min(1));
        let addresses = primary.iter().chain(others.iter().filter(|one| is_vip(one)));
        let tags = eni.tags.iter().filter(|(key, _)| keys.contains(key));
        let interface = Interface {
            instance: eni.instance.clone(),
            addresses: addresses.copied().collect(),
            tags: tags.map(|(key, value)| (key.clone(), value.clone())).collect(),
        };
        (id.clone(), interface)
    });
    described.collect()
}

/// What is observed of the service, each with what its observer says of itself besides.
pub fn observations(
    evidence: &Evidence,
    service: &ServiceName,
    now: Timestamp,
) -> Vec<RecordedObservation> {
    let said = evidence.observations.iter().map(|(key, newest)| (key.clone(), newest));
    let recorded = |(key, newest): (ObservationKey, &Observed<Observation>), contested: bool| {
        let own = (key.observer == key.subject && !contested).then_some(&key.subject);
        let primary = own.and_then(|node| evidence.observations.primary(node, service));
        let lag = own.and_then(|node| evidence.observations.lag(node, service));
        let Observation { verdict, since, leaving, unready } = newest.value;
        let ago = |since| millis(newest.at.duration_since(since));
        RecordedObservation {
            verdict,
            age_ms: millis(now.duration_since(newest.at)),
            held_ms: ago(since),
            contested,
            leaving,
            unready_ms: unready.map(ago),
            primary: primary.map(|said| said.value),
            lag_ms: lag.map(|said| u64::try_from(said.value.as_millis()).unwrap_or(u64::MAX)),
            observer: key.observer,
            subject: key.subject,
            service: Some(key.service),
        }
    };
    let contested = evidence.observations.all_contested().map(|((node, service), said)| {
        let (observer, subject, service) = (node.clone(), node.clone(), service.clone());
        (ObservationKey { observer, subject, service }, said)
    });
    let about = |(key, _): &(ObservationKey, _)| key.service == *service;
    let said = said.filter(about).map(|said| recorded(said, false));
    said.chain(contested.filter(about).map(|said| recorded(said, true))).collect()
}

#[cfg(test)]
mod tests;

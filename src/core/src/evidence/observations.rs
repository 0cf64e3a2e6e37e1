//! What agents observe: the newest observation by each observer of each service on each node.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::hint::Verdict;
use crate::name::{NodeName, ServiceName};
use crate::observed::Observed;

/// A verdict of one observer, and since when it has been saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// What it says.
    pub verdict: Verdict,
    /// Since when, by AWS's clock.
    pub since: Timestamp,
    /// Whether its own service will soon be gone, however well it is.
    pub leaving: bool,
    /// Since when its own service, well as it is, could not be served at the VIP; `None` while it
    /// could.
    pub unready: Option<Timestamp>,
}

/// Who observes which service on which node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservationKey {
    /// The agent that observes.
    pub observer: NodeName,
    /// The node it observes; itself in a self observation.
    pub subject: NodeName,
    /// The service it observes there.
    pub service: ServiceName,
}

/// Everything that agents observed, from metrics and hints alike: the newest under each key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    newest: BTreeMap<ObservationKey, Observed<Observation>>,
    /// By node and service.
    contested: BTreeMap<(NodeName, ServiceName), Observed<Observation>>,
    lags: BTreeMap<(NodeName, ServiceName), Observed<Duration>>,
    primaries: BTreeMap<(NodeName, ServiceName), Observed<bool>>,
    arrivals: BTreeMap<(NodeName, ServiceName), Observed<bool>>,
    /// The services whose metrics were read in full: only there is the lack of an observation
    /// silence.
    pub read: BTreeSet<ServiceName>,
}

impl Observations {
    /// Adds an observation, unless a newer one is known.
    pub fn add(&mut self, key: ObservationKey, observation: Observed<Observation>) {
        keep_newer(&mut self.newest, key, observation);
    }

    /// Adds what only a node's metrics say against its own service, and have not said for long.
    /// Whoever may write a log of the account may write metrics: by itself it is not believed.
    pub fn add_contested(
        &mut self,
        node: NodeName,
        service: ServiceName,
        said: Observed<Observation>,
    ) {
        keep_newer(&mut self.contested, (node, service), said);
    }

    /// Adds how far a node's own service is behind its primary, unless something newer is known.
    pub fn add_lag(&mut self, node: NodeName, service: ServiceName, lag: Observed<Duration>) {
        keep_newer(&mut self.lags, (node, service), lag);
    }

    /// Adds whether a node's own service is a primary, unless something newer is known.
    pub fn add_primary(&mut self, node: NodeName, service: ServiceName, is: Observed<bool>) {
        keep_newer(&mut self.primaries, (node, service), is);
    }

    /// Adds whether a node's own instance metadata name the service's VIP, unless something newer
    /// is known.
    pub fn add_arrival(&mut self, node: NodeName, service: ServiceName, is: Observed<bool>) {
        keep_newer(&mut self.arrivals, (node, service), is);
    }

    /// Adds those of `other` that are newer; not that its metrics were read: silence is of the
    /// moment.
    pub fn merge(&mut self, other: &Self) {
        for (key, observation) in &other.newest {
            self.add(key.clone(), *observation);
        }
        for ((node, service), said) in &other.contested {
            self.add_contested(node.clone(), service.clone(), *said);
        }
        for ((node, service), lag) in &other.lags {
            self.add_lag(node.clone(), service.clone(), *lag);
        }
        for ((node, service), is) in &other.primaries {
            self.add_primary(node.clone(), service.clone(), *is);
        }
        for ((node, service), is) in &other.arrivals {
            self.add_arrival(node.clone(), service.clone(), *is);
        }
    }

    /// Whether a node's own instance metadata last named the service's VIP.
    pub fn arrival(&self, node: &NodeName, service: &ServiceName) -> Option<&Observed<bool>> {
        self.arrivals.get(&(node.clone(), service.clone()))
    }

    /// What only a node's metrics last said against its own service.
    pub fn contested(
        &self,
        node: &NodeName,
        service: &ServiceName,
    ) -> Option<&Observed<Observation>> {
        self.contested.get(&(node.clone(), service.clone()))
    }

    /// Whether a node's own service was last said to be a primary.
    pub fn primary(&self, node: &NodeName, service: &ServiceName) -> Option<&Observed<bool>> {
        self.primaries.get(&(node.clone(), service.clone()))
    }

    /// How far a node's own service was last said to be behind its primary.
    pub fn lag(&self, node: &NodeName, service: &ServiceName) -> Option<&Observed<Duration>> {
        self.lags.get(&(node.clone(), service.clone()))
    }

    /// The newest observation of that service on `subject` by `observer`.
    pub fn newest(
        &self,
        observer: &NodeName,
        subject: &NodeName,
        service: &ServiceName,
    ) -> Option<&Observed<Observation>> {
        self.newest.get(&ObservationKey {
            observer: observer.clone(),
            subject: subject.clone(),
            service: service.clone(),
        })
    }

    /// Every key with its newest observation.
    pub fn iter(&self) -> impl Iterator<Item = (&ObservationKey, &Observed<Observation>)> {
        self.newest.iter()
    }

    /// What only their metrics say against nodes' own services.
    pub fn all_contested(
        &self,
    ) -> impl Iterator<Item = (&(NodeName, ServiceName), &Observed<Observation>)> {
        self.contested.iter()
    }
}

/// Hints are added before metrics: at the same second they know more.
fn keep_newer<K: Ord, T: Copy>(known: &mut BTreeMap<K, Observed<T>>, key: K, new: Observed<T>) {
    let known = known.entry(key).or_insert(new);
    if new.at > known.at {
        *known = new;
    }
}

//! What nodes lacked to serve at their VIPs, and when: kept from what there is on the hosts, not
//! from what agents make of it.

use std::collections::BTreeMap;
use std::time::Duration;

use vipward_core::{NodeName, ServiceName};

/// What a node lacks to serve a VIP, and since when; until when, once that is over.
#[derive(Debug)]
pub struct Lack {
    since: Duration,
    until: Option<Duration>,
}

/// What is known of the hosts.
#[derive(Debug, Default)]
pub struct HostBook {
    pub addresses: BTreeMap<(NodeName, ServiceName), Vec<Lack>>,
    pub acquires: BTreeMap<(NodeName, ServiceName), Vec<Lack>>,
}

/// Notes whether it is lacking now.
pub fn note(lacks: &mut Vec<Lack>, lacking: bool, at: Duration) {
    let open = lacks.last_mut().filter(|lack| lack.until.is_none());
    match (open, lacking) {
        (None, true) => lacks.push(Lack { since: at, until: None }),
        (Some(lack), false) => lack.until = Some(at),
        _ => {}
    }
}

impl HostBook {
    fn lacks(&self, node: &NodeName, service: &ServiceName) -> impl Iterator<Item = &Lack> {
        let key = (node.clone(), service.clone());
        let both = [self.addresses.get(&key), self.acquires.get(&key)];
        both.into_iter().flatten().flatten()
    }

    /// Whether the node lacked something in that time.
    pub fn lacked(
        &self,
        node: &NodeName,
        service: &ServiceName,
        (from, to): (Duration, Duration),
    ) -> bool {
        self.lacks(node, service)
            .any(|lack| lack.since <= to && lack.until.is_none_or(|until| from < until))
    }

    /// Since when the node has been lacking something.
    pub fn lacking_since(&self, node: &NodeName, service: &ServiceName) -> Option<Duration> {
        let open = self.lacks(node, service).filter(|lack| lack.until.is_none());
        open.map(|lack| lack.since).min()
    }
}

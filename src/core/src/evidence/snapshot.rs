//! Evidence with the file it is about and the moment it is looked at: what every decision is a
//! function of.

use jiff::Timestamp;

use super::{Evidence, Holder, Observation, Presence};
use crate::config::{Config, Node, Service};
use crate::hint::Verdict;
use crate::ledger::Ledger;
use crate::name::{NodeName, ServiceName};
use crate::observed::Observed;

/// What is known of the cluster at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'s> {
    /// The cluster's file.
    pub config: &'s Config,
    /// What was read and heard.
    pub evidence: &'s Evidence,
    /// The moment.
    pub now: Timestamp,
}

impl<'s> Snapshot<'s> {
    /// Who has the VIP of `service`.
    pub fn holder(&self, service: &Service) -> Holder {
        self.evidence.inventory.holder(self.config, service.vip)
    }

    /// What EC2 says of the node itself.
    pub fn presence(&self, node: &Node) -> Presence {
        self.evidence.inventory.presence(node)
    }

    /// What the tags remember of the service's moves.
    pub fn ledger(&self, service: &ServiceName) -> Ledger {
        self.evidence.inventory.ledger(self.config, service)
    }

    /// The newest observation of `service` on `subject` by `observer`, while it is fresh.
    pub fn fresh(
        &self,
        observer: &NodeName,
        subject: &NodeName,
        service: &ServiceName,
    ) -> Option<&'s Observed<Observation>> {
        let newest = self.evidence.observations.newest(observer, subject, service)?;
        newest.fresh(self.now, self.config.policy.stale_after).map(|_| newest)
    }

    /// What only the node's metrics say against its own service, and have not said for long, while
    /// it is fresh.
    pub fn contested(
        &self,
        service: &ServiceName,
        node: &NodeName,
    ) -> Option<&'s Observed<Observation>> {
        let said = self.evidence.observations.contested(node, service)?;
        said.fresh(self.now, self.config.policy.stale_after).map(|_| said)
    }

    /// The same, while the node has said nothing else since.
    pub fn said_against(&self, service: &ServiceName, node: &NodeName) -> Option<&'s Observation> {
        let said = self.contested(service, node)?;
        let own = self.fresh(node, node, service);
        // Of one moment, a hint that the service is well knows more than the metrics.
        let is_newest = own.is_none_or(|own| {
            own.at < said.at || (own.at == said.at && said.value.verdict == Verdict::Healthy)
        });
        is_newest.then_some(&said.value)
    }

    /// Whether the node says that its service, well as it is, will soon be gone. A holder that says
    /// so is vacated; a node that says so takes a VIP only from a holder that is down, as the last
    /// resort.
    pub fn is_leaving(&self, service: &Service, node: &NodeName) -> bool {
        self.fresh(node, node, &service.name).is_some_and(|own| own.value.leaving)
    }

    /// Since when the node's service, well as it is, could not be served at the VIP, as the node
    /// says; `None` when it does not say so. Such a node is a candidate after all others, and a
    /// holder that stays so is left for another.
    pub fn unready_since(&self, service: &Service, node: &NodeName) -> Option<Timestamp> {
        self.fresh(node, node, &service.name)?.value.unready
    }

    /// Whether it is so.
    pub fn is_unready(&self, service: &Service, node: &NodeName) -> bool {
        self.unready_since(service, node).is_some()
    }

    /// Whether an operator drains the node. It is no candidate, and a holder that is drained is
    /// vacated.
    pub fn is_drained(&self, node: &NodeName) -> bool {
        let node = self.config.node(node);
        let drain = node.and_then(|node| self.evidence.inventory.drain(self.config, node));
        drain.is_some_and(|drain| drain.lasts(self.now))
    }

    /// Whether the VIP has arrived at the node, by its instance metadata; `None` when it has not
    /// said lately.
    pub fn has_arrived(&self, service: &Service, node: &NodeName) -> Option<bool> {
        let said = self.evidence.observations.arrival(node, &service.name)?;
        said.fresh(self.now, self.config.policy.stale_after).copied()
    }

    /// Whether the node's interface lies in the VIPs' subnet: EC2 takes a private address nowhere
    /// else.
    pub fn is_in_reach(&self, node: &NodeName) -> bool {
        let enis = &self.evidence.inventory.enis;
        let eni = self.config.node(node).and_then(|node| enis.get(&node.eni));
        eni.is_some_and(|eni| eni.addresses.iter().any(|at| self.config.subnet.contains(at)))
    }

    /// Whether the node says that its service is a primary; `None` when it has not said so lately.
    pub fn is_primary(&self, service: &Service, node: &NodeName) -> Option<bool> {
        let said = self.evidence.observations.primary(node, &service.name)?;
        said.fresh(self.now, self.config.policy.stale_after).copied()
    }
}

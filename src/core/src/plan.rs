//! Decision to plan: the steps that carry decisions out, as data. Whoever executes them makes no
//! choices.

use serde::Serialize;

use crate::config::{Config, Mode, Service};
use crate::decide::{Choice, Decision, MoveKind};
use crate::evidence::{Holder, Inventory, Presence};
use crate::name::{EniId, NodeName, ServiceName, VipAddr};

/// Whether a call to EC2 may take its addresses from the interfaces that have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reassign {
    /// It moves them.
    Allowed,
    /// It places them: EC2 itself refuses when somebody has one.
    Forbidden,
}

/// All VIPs bound for one ENI: one call to EC2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The node they go to.
    pub to: NodeName,
    /// Its ENI.
    pub eni: EniId,
    /// The VIPs, in the order of the decisions.
    pub moves: Vec<PlannedMove>,
}

/// One VIP of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedMove {
    /// The service.
    pub service: ServiceName,
    /// Its VIP.
    pub vip: VipAddr,
    /// Who held it when it was decided.
    pub from: Holder,
    /// Why it moves.
    pub kind: MoveKind,
}

/// The steps for all decisions to move, one an ENI. The most important comes first: the one with the
/// service that the file names first. None where the file says to observe only.
pub fn plan(config: &Config, decisions: &[Decision]) -> Vec<Step> {
    if config.policy.mode == Mode::Observe {
        return Vec::new();
    }
    let mut steps: Vec<Step> = Vec::new();
    for decision in decisions {
        let Choice::Move { to, kind } = &decision.choice else {
            continue;
        };
        let Some(node) = config.node(to) else {
            continue;
        };
        let planned = PlannedMove {
            service: decision.service.clone(),
            vip: decision.vip,
            from: decision.holder.clone(),
            kind: *kind,
        };
        match steps.iter_mut().find(|step| step.eni == node.eni) {
            Some(step) => step.moves.push(planned),
            None => {
                steps.push(Step { to: to.clone(), eni: node.eni.clone(), moves: vec![planned] });
            }
        }
    }
    steps
}

impl Step {
    /// The step without the moves whose VIP has another holder by now than when it was decided, and
    /// without any if its interface was detached since: EC2 would take the VIPs there, and nobody would
    /// have them. These come back apart. Somebody else acted: the next reconcile looks afresh.
    pub fn reconsidered(self, config: &Config, seen: &Inventory) -> (Self, Vec<PlannedMove>) {
        let presence = config.node(&self.to).map(|node| seen.presence(node));
        let is_as_it_was = |planned: &PlannedMove| match seen.holder(config, planned.vip) {
            // This very move, tried before or made by somebody else, that has not settled yet.
            Holder::Several(nodes) => {
                nodes.iter().all(|node| *node == self.to || planned.from.node() == Some(node))
            }
            holder => holder == planned.from,
        };
        let is_attached = presence != Some(Presence::Gone);
        let keeps = |planned: &PlannedMove| is_attached && is_as_it_was(planned);
        let (moves, overtaken) = self.moves.into_iter().partition(keeps);
        (Self { moves, ..self }, overtaken)
    }

    /// The same moves, those of each group a step of their own, in their order.
    pub fn apart(&self, config: &Config) -> Vec<Self> {
        let with = |services: Vec<&Service>| {
            let is_of_it = |planned: &&PlannedMove| {
                services.iter().any(|service| service.name == planned.service)
            };
            let moves: Vec<_> = self.moves.iter().filter(is_of_it).cloned().collect();
            (!moves.is_empty()).then(|| Self { to: self.to.clone(), eni: self.eni.clone(), moves })
        };
        config.groups().filter_map(with).collect()
    }

    /// Whether EC2 names the step's node as the holder of all its VIPs.
    pub fn is_proven_by(&self, config: &Config, seen: &Inventory) -> bool {
        let reached = Holder::Node(self.to.clone());
        self.moves.iter().all(|planned| seen.holder(config, planned.vip) == reached)
    }
}

#[cfg(test)]
mod tests;

//! Decision to plan: the steps that carry decisions out, as data. Whoever executes them makes no
//! choices.

use serde::Serialize;

use crate::config::{Config, Mode, Service};
use crate::decide::{Choice, Decision, MoveKind};
use crate::evidence::{Holder, Inventory};
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

/// VIPs bound for one ENI, all to be moved or all to be placed: one call to EC2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The node they go to.
    pub to: NodeName,
    /// Its ENI.
    pub eni: EniId,
    /// Whether they may be taken from other interfaces.
    pub reassign: Reassign,
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

/// The steps for all decisions to move: one an ENI for what is moved, and one for what is placed.
/// The most important comes first: the one with the service that the file names first. None where
/// the file says to observe only.
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
        let reassign = reassign(config, decisions, decision);
        let same = |step: &&mut Step| step.eni == node.eni && step.reassign == reassign;
        if let Some(step) = steps.iter_mut().find(same) {
            step.moves.push(planned);
        } else {
            let (to, eni) = (to.clone(), node.eni.clone());
            steps.push(Step { to, eni, reassign, moves: vec![planned] });
        }
    }
    steps
}

/// A VIP that nobody holds is placed without robbing anybody, unless another of its group is moved
/// to the same place: EC2 takes all of a group in one call, or none.
fn reassign(config: &Config, decisions: &[Decision], decision: &Decision) -> Reassign {
    let service = config.service(&decision.service);
    let is_of_group = |other: &ServiceName| {
        service.is_some_and(|service| config.companions(service).any(|one| one.name == *other))
    };
    let target = |decision: &Decision| match &decision.choice {
        Choice::Move { to, .. } => Some(to.clone()),
        Choice::Hold { .. } => None,
    };
    let takes = decisions.iter().any(|other| {
        let is_with_it = other.service == decision.service
            || is_of_group(&other.service) && target(other) == target(decision);
        is_with_it && other.holder != Holder::Nobody
    });
    if takes { Reassign::Allowed } else { Reassign::Forbidden }
}

impl Step {
    /// Whether it brings the service's VIP.
    pub fn is_about(&self, service: &ServiceName) -> bool {
        self.moves.iter().any(|planned| planned.service == *service)
    }

    /// The VIPs that nobody holds and that this step would take all the same, should somebody hold
    /// them by now: they have to be seen so twice.
    pub fn placed_by_force(&self) -> impl Iterator<Item = VipAddr> {
        let by_force = self
            .moves
            .iter()
            .filter(|planned| self.reassign == Reassign::Allowed && planned.from == Holder::Nobody);
        by_force.map(|planned| planned.vip)
    }

    /// Without these moves. What is left robs nobody where nobody holds any of it.
    #[must_use]
    pub fn without(mut self, is_left_out: impl Fn(&PlannedMove) -> bool) -> Self {
        self.moves.retain(|planned| !is_left_out(planned));
        if self.moves.iter().all(|planned| planned.from == Holder::Nobody) {
            self.reassign = Reassign::Forbidden;
        }
        self
    }

    /// The same moves, those of each group a step of their own, in their order.
    pub fn apart(&self, config: &Config) -> Vec<Self> {
        let with = |services: Vec<&Service>| {
            let is_of_it = |planned: &&PlannedMove| {
                services.iter().any(|service| service.name == planned.service)
            };
            let moves: Vec<_> = self.moves.iter().filter(is_of_it).cloned().collect();
            (!moves.is_empty()).then(|| Self { moves, ..self.clone() })
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

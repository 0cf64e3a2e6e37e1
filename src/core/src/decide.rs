//! Judgement to decision: what should be done with each VIP. Data in, data out.

mod candidates;
mod choice;
mod switchover;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

pub use choice::{Choice, HoldReason, MoveKind};
pub use switchover::{NoSwitchover, switchover};

use crate::config::{Config, Failback, Role, Service};
use crate::evidence::{Evidence, Holder, Presence, age};
use crate::glance::calls_for_closer_look;
use crate::judge::{Judgement, UpBasis, judge};
use crate::name::{NodeName, ServiceName, VipAddr};

/// How many times `stale_after` a node must be well before a VIP returns to it; the metrics are
/// read back a little further.
const SETTLED: u32 = 3;

/// What should be done with one VIP, and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The service.
    pub service: ServiceName,
    /// Its VIP.
    pub vip: VipAddr,
    /// Who holds it now.
    pub holder: Holder,
    /// The judgement of every node; empty when nothing called for one.
    pub judgements: BTreeMap<NodeName, Judgement>,
    /// What should be done.
    pub choice: Choice,
}

/// The decision for every service, in the order of the file.
pub fn decide(config: &Config, evidence: &Evidence, now: Timestamp) -> Vec<Decision> {
    config.services.iter().map(|service| decide_one(config, evidence, service, now)).collect()
}

fn decide_one(config: &Config, evidence: &Evidence, service: &Service, now: Timestamp) -> Decision {
    let holder = evidence.inventory.holder(config, service.vip);
    let decision = |judgements, choice| Decision {
        service: service.name.clone(),
        vip: service.vip,
        holder: holder.clone(),
        judgements,
        choice,
    };
    if !calls_for_closer_look(config, evidence, service, now) {
        return decision(BTreeMap::new(), hold(HoldReason::HolderUp));
    }
    let judgements = judge(config, evidence, service, now);
    let case = Case { config, evidence, service, now, judgements: &judgements };
    let choice = match &holder {
        Holder::Foreign(_) => hold(HoldReason::ForeignHolder),
        Holder::Nobody if case.holder_may_be_left_out() => hold(HoldReason::AwaitingEvidence),
        Holder::Nobody => case.unplanned_move(MoveKind::Placement),
        Holder::Node(node) => match judgements.get(node).copied().unwrap_or(Judgement::Unknown) {
            Judgement::Down(_) => case.unplanned_move(MoveKind::Failover),
            Judgement::Up(basis) => case.with_holder_up(node, basis),
            Judgement::Unknown => hold(HoldReason::AwaitingEvidence),
        },
    };
    decision(judgements, choice)
}

fn hold(reason: HoldReason) -> Choice {
    Choice::Hold { reason }
}

/// Whether the file prefers node `a` to node `b`.
pub(crate) fn preferred_over(config: &Config, a: &NodeName, b: &NodeName) -> bool {
    let priority = |name| config.node(name).map(|node| node.priority);
    priority(a) > priority(b)
}

struct Case<'e> {
    config: &'e Config,
    evidence: &'e Evidence,
    service: &'e Service,
    now: Timestamp,
    judgements: &'e BTreeMap<NodeName, Judgement>,
}

impl Case<'_> {
    /// Whether EC2's answer leaves out the interface of a node that is well: it may be the holder.
    fn holder_may_be_left_out(&self) -> bool {
        self.config.nodes.iter().any(|node| {
            self.evidence.inventory.presence(node) == Presence::Absent
                && self.judgements.get(&node.name) == Some(&Judgement::Unknown)
        })
    }

    fn unplanned_move(&self, kind: MoveKind) -> Choice {
        if self.primaries_disagree() {
            return hold(HoldReason::TwoPrimaries);
        }
        let Some((to, _)) = self.best_candidate() else {
            return hold(self.why_no_candidate());
        };
        let ledger = self.evidence.inventory.ledger(self.config, &self.service.name);
        match ledger.wait_until(self.config.policy.move_budget, self.now) {
            Some(_) => hold(HoldReason::BudgetSpent),
            None => Choice::Move { to: to.clone(), kind },
        }
    }

    /// Whether a node has said for a while that it is well: one that crashes again and again gets
    /// no VIP back in its good moments.
    fn has_settled(&self, node: &NodeName) -> bool {
        let stale_after = self.config.policy.stale_after;
        let long_enough = self.config.policy.cooldown.min(stale_after * SETTLED);
        let word = self.evidence.testimony.word(node, node, &self.service.name);
        word.is_some_and(|word| age(word.value.since, self.now) >= long_enough)
    }

    fn with_holder_up(&self, holder: &NodeName, basis: UpBasis) -> Choice {
        if self.primaries_disagree() {
            return hold(HoldReason::TwoPrimaries);
        }
        if self.is_withdrawn(holder) {
            return self.planned_move(MoveKind::Vacate, HoldReason::CannotVacate);
        }
        // One whose role is not known stays: an agent that died says nothing about its primary.
        if self.service.role == Role::Primary && self.is_primary(holder) == Some(false) {
            return self.planned_move(MoveKind::Follow, self.why_no_candidate());
        }
        self.stay_or_fail_back(holder, basis)
    }

    fn planned_move(&self, kind: MoveKind, otherwise: HoldReason) -> Choice {
        match self.best_candidate() {
            // Nobody knows how a node is whose agent is silent: better to stay with one that is up.
            Some((to, UpBasis::OwnWord | UpBasis::Suspect)) => {
                Choice::Move { to: to.clone(), kind }
            }
            Some((_, UpBasis::PeersOnly)) | None => hold(otherwise),
        }
    }

    fn stay_or_fail_back(&self, holder: &NodeName, basis: UpBasis) -> Choice {
        let stay = hold(match basis {
            UpBasis::OwnWord => HoldReason::HolderUp,
            UpBasis::Suspect => HoldReason::HolderSuspect,
            UpBasis::PeersOnly => HoldReason::AgentSilent,
        });
        let Failback::After(away) = self.config.policy.failback else {
            return stay;
        };
        let Some((best, UpBasis::OwnWord)) = self.best_candidate() else {
            return stay;
        };
        if !preferred_over(self.config, best, holder) || !self.has_settled(best) {
            return stay;
        }
        let ledger = self.evidence.inventory.ledger(self.config, &self.service.name);
        let rested = ledger.last_move().map(|last| age(last, self.now));
        if rested.is_some_and(|rest| rest < away) {
            stay
        } else if rested.is_some_and(|rest| rest < self.config.policy.cooldown) {
            hold(HoldReason::Cooldown)
        } else {
            Choice::Move { to: best.clone(), kind: MoveKind::Failback }
        }
    }
}

#[cfg(test)]
mod tests;

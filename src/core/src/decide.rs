//! Judgement to decision: what should be done with each VIP. Data in, data out.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, Failback, Node, Service};
use crate::evidence::{Evidence, Holder, Presence, age};
use crate::glance::calls_for_closer_look;
use crate::judge::{Judgement, UpBasis, judge};
use crate::name::{NodeName, ServiceName, VipAddr};

/// Below that lag a replica counts as caught up.
const CAUGHT_UP: Duration = Duration::from_secs(1);

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

/// Move or hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Bring the VIP to that node.
    Move {
        /// The node.
        to: NodeName,
        /// Why it moves.
        kind: MoveKind,
    },
    /// Leave it where it is.
    Hold {
        /// Why it stays.
        reason: HoldReason,
    },
}

/// Why a VIP moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveKind {
    /// The holder is down.
    Failover,
    /// Nobody held it.
    Placement,
    /// It returns to the preferred node.
    Failback,
}

impl MoveKind {
    /// Whether it counts for the move budget.
    pub fn is_unplanned(self) -> bool {
        matches!(self, Self::Failover | Self::Placement)
    }
}

/// Why a VIP stays. This list is closed: each has a line in docs/reference.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// The holder is up and nobody says otherwise.
    HolderUp,
    /// The holder says it is up, an observer that it is unreachable. Alerts.
    HolderSuspect,
    /// Observers reach the holder, its own agent says nothing. Alerts.
    AgentSilent,
    /// It cannot be told yet whether the holder is down.
    AwaitingEvidence,
    /// The VIP should move, and no node is up to take it. Alerts.
    NoCandidate,
    /// The VIP should move, but the nodes that are up lag more than `max_lag`, or their lag is not
    /// known. Alerts.
    CandidatesLag,
    /// An interface that the file does not name has the VIP. Alerts; never taken from it.
    ForeignHolder,
    /// It could return to the preferred node, but moved only just now.
    Cooldown,
    /// The move budget is spent; the next move waits. Alerts.
    BudgetSpent,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::HolderUp,
        Self::HolderSuspect,
        Self::AgentSilent,
        Self::AwaitingEvidence,
        Self::NoCandidate,
        Self::CandidatesLag,
        Self::ForeignHolder,
        Self::Cooldown,
        Self::BudgetSpent,
    ];

    /// Whether a person should look at it.
    pub fn alerts(self) -> bool {
        match self {
            Self::HolderUp | Self::AwaitingEvidence | Self::Cooldown => false,
            Self::HolderSuspect
            | Self::AgentSilent
            | Self::NoCandidate
            | Self::CandidatesLag
            | Self::ForeignHolder
            | Self::BudgetSpent => true,
        }
    }
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
    /// The best node that is up and not too far behind: by basis, whether it has caught up, then
    /// priority, then name.
    fn best_candidate(&self) -> Option<(&NodeName, UpBasis)> {
        let up =
            self.up().filter_map(|(node, basis)| Some((node, basis, self.lag_of(&node.name)?)));
        up.min_by_key(|(node, basis, lag)| {
            (*basis, *lag >= CAUGHT_UP, Reverse(node.priority), &node.name)
        })
        .map(|(node, basis, _)| (&node.name, basis))
    }

    fn up(&self) -> impl Iterator<Item = (&Node, UpBasis)> {
        self.config.nodes.iter().filter_map(|node| match self.judgements.get(&node.name) {
            Some(Judgement::Up(basis)) => Some((node, *basis)),
            _ => None,
        })
    }

    /// How far a candidate is behind, nothing where that does not matter; `None` when it is too
    /// far, or when nobody can tell: what is not known to be there cannot be served.
    fn lag_of(&self, node: &NodeName) -> Option<Duration> {
        let Some(max_lag) = self.service.check.kind.max_lag() else {
            return Some(Duration::ZERO);
        };
        let lag = self.evidence.testimony.lag(node, &self.service.name)?;
        let lag = lag.fresh(self.now, self.config.policy.stale_after)?;
        (*lag <= max_lag).then_some(*lag)
    }

    /// Whether EC2's answer leaves out the interface of a node that is well: it may be the holder.
    fn holder_may_be_left_out(&self) -> bool {
        self.config.nodes.iter().any(|node| {
            self.evidence.inventory.presence(node) == Presence::Absent
                && self.judgements.get(&node.name) == Some(&Judgement::Unknown)
        })
    }

    fn unplanned_move(&self, kind: MoveKind) -> Choice {
        let Some((to, _)) = self.best_candidate() else {
            let nothing_known = self.judgements.values().all(|j| *j == Judgement::Unknown);
            return hold(if nothing_known {
                HoldReason::AwaitingEvidence
            } else if self.up().next().is_some() {
                HoldReason::CandidatesLag
            } else {
                HoldReason::NoCandidate
            });
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

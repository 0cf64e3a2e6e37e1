//! What no decision may be, whatever led to it. A second opinion from the bare evidence: it shares
//! no code with the judgement, so that one mistake does not pass both.
//!
//! The function asks before it acts, `status` shows what came of it, and the simulator holds every
//! history to it.

use std::collections::BTreeSet;
use std::fmt;

use crate::config::Service;
use crate::decide::{Choice, Decision, HoldReason, MoveKind};
use crate::evidence::{Holder, Observation, Presence, Snapshot};
use crate::hint::Verdict;
use crate::name::{NodeName, ServiceName};
use crate::observed::age;

/// Why a decision must not be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// It is about a service, an address or a node that the file does not name.
    NotInTheFile,
    /// It would take the VIP from an interface that the file does not name.
    ForeignHolder,
    /// It would leave a holder of which nobody says anything bad, or place a VIP that is held, or
    /// it cannot be told who holds.
    HolderNotDown,
    /// Nobody has said lately that the service is well on the node it would go to.
    TargetNotSeenWell,
    /// It would go back too soon after the last move.
    WithinCooldown,
    /// It has moved too often, and must wait.
    BeyondBudget,
    /// A call of a moment ago may still take it to another node, of which nobody says that it is
    /// ill.
    CallInFlight,
    /// Its group would be on more nodes than before.
    SplitsGroup,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInTheFile => "it touches what is not in the configuration",
            Self::ForeignHolder => "it would take the VIP from a foreign holder",
            Self::HolderNotDown => "nobody says that the holder is down",
            Self::TargetNotSeenWell => {
                "nobody has lately said that the service is well on the new node"
            }
            Self::WithinCooldown => "the VIP moved only just now, and its holder is up",
            Self::BeyondBudget => "the VIP has moved too often and must wait",
            Self::CallInFlight => "an earlier call may still move the VIP elsewhere",
            Self::SplitsGroup => "its group would be on more nodes than before",
        })
    }
}

/// The decisions, of which those to move that break a rule become holds; and what they break.
pub fn vet(
    snapshot: Snapshot<'_>,
    decisions: Vec<Decision>,
) -> (Vec<Decision>, Vec<(Decision, Breach)>) {
    let mut refused = Vec::new();
    let mut vetted = decisions;
    refuse(&mut vetted, &mut refused, |decision| breach(snapshot, decision));
    // Where one of a group must not move, the others must not leave it.
    let torn = groups_torn(snapshot, &vetted);
    refuse(&mut vetted, &mut refused, |decision| {
        let moves = matches!(decision.choice, Choice::Move { .. });
        (moves && torn.contains(&decision.service)).then_some(Breach::SplitsGroup)
    });
    (vetted, refused)
}

fn refuse(
    decisions: &mut [Decision],
    refused: &mut Vec<(Decision, Breach)>,
    breach: impl Fn(&Decision) -> Option<Breach>,
) {
    for decision in decisions {
        if let Some(breach) = breach(decision) {
            refused.push((decision.clone(), breach));
            decision.choice = Choice::Hold { reason: HoldReason::AuditRefused };
        }
    }
}

/// The services of the groups that would be on more nodes than before.
fn groups_torn(snapshot: Snapshot<'_>, decisions: &[Decision]) -> BTreeSet<ServiceName> {
    let config = snapshot.config;
    let before = |service: &Service| snapshot.holder(service).node().cloned();
    let after = |service: &Service| {
        let decision = decisions.iter().find(|decision| decision.service == service.name);
        match decision.map(|decision| &decision.choice) {
            Some(Choice::Move { to, .. }) => Some(to.clone()),
            Some(Choice::Hold { .. }) | None => before(service),
        }
    };
    let mut torn = BTreeSet::new();
    for service in &config.services {
        let group = || config.services.iter().filter(|other| other.group == service.group);
        let had: BTreeSet<NodeName> = group().filter_map(before).collect();
        let has: BTreeSet<NodeName> = group().filter_map(after).collect();
        if service.group.is_some() && has.len() > had.len().max(1) {
            torn.insert(service.name.clone());
        }
    }
    torn
}

/// The first rule that the decision breaks; a hold breaks none.
pub fn breach(snapshot: Snapshot<'_>, decision: &Decision) -> Option<Breach> {
    let Choice::Move { to, kind } = &decision.choice else {
        return None;
    };
    let audit = Audit { snapshot, decision };
    [
        (audit.is_in_the_file(to), Breach::NotInTheFile),
        (!matches!(audit.holder(), Holder::Foreign(_)), Breach::ForeignHolder),
        (audit.may_leave_the_holder(*kind), Breach::HolderNotDown),
        (audit.is_seen_well(to), Breach::TargetNotSeenWell),
        (audit.is_rested(*kind), Breach::WithinCooldown),
        (audit.is_within_budget(*kind), Breach::BeyondBudget),
        (audit.crosses_no_call(to), Breach::CallInFlight),
    ]
    .into_iter()
    .find_map(|(kept, breach)| (!kept).then_some(breach))
}

struct Audit<'a> {
    snapshot: Snapshot<'a>,
    decision: &'a Decision,
}

impl Audit<'_> {
    fn is_in_the_file(&self, to: &NodeName) -> bool {
        let service = self.snapshot.config.service(&self.decision.service);
        service.is_some_and(|service| service.vip == self.decision.vip)
            && self.snapshot.config.node(to).is_some()
    }

    fn holder(&self) -> Holder {
        self.snapshot.evidence.inventory.holder(self.snapshot.config, self.decision.vip)
    }

    fn presence(&self, node: &NodeName) -> Presence {
        self.snapshot
            .config
            .node(node)
            .map_or(Presence::NotDescribed, |node| self.snapshot.presence(node))
    }

    fn is_gone(&self, node: &NodeName) -> bool {
        self.presence(node) != Presence::Attached
    }

    /// What is said of the node that still counts, by whom.
    fn observations<'a>(
        &'a self,
        subject: &'a NodeName,
    ) -> impl Iterator<Item = (&'a NodeName, &'a Observation)> {
        let stale_after = self.snapshot.config.policy.stale_after;
        self.snapshot.evidence.observations.iter().filter_map(move |(key, newest)| {
            let about = key.service == self.decision.service && key.subject == *subject;
            let fresh = newest.fresh(self.snapshot.now, stale_after).filter(|_| about)?;
            Some((&key.observer, fresh))
        })
    }

    fn may_leave_the_holder(&self, kind: MoveKind) -> bool {
        match (self.holder(), kind) {
            (Holder::Nobody, kind) => matches!(kind, MoveKind::Placement | MoveKind::Switchover),
            (Holder::Foreign(_) | Holder::Several(_), _)
            | (Holder::Node(_), MoveKind::Placement) => false,
            (Holder::Node(holder), MoveKind::Failover) => {
                self.is_gone(&holder)
                    || self
                        .observations(&holder)
                        .any(|(_, said)| said.verdict == Verdict::Unhealthy)
            }
            (Holder::Node(holder), MoveKind::Relief) => self
                .observations(&holder)
                .any(|(observer, said)| *observer == holder && said.unready.is_some()),
            (
                Holder::Node(_),
                MoveKind::Failback | MoveKind::Vacate | MoveKind::Follow | MoveKind::Switchover,
            ) => true,
            (Holder::Node(_), MoveKind::Together) => {
                let service = self.snapshot.config.service(&self.decision.service);
                service.is_some_and(|service| service.group.is_some())
            }
        }
    }

    /// By its own observation; where it has none that judges, by somebody else's.
    fn is_seen_well(&self, to: &NodeName) -> bool {
        let own = self.observations(to).find(|(observer, _)| *observer == to);
        let well = match own.map(|(_, said)| said.verdict) {
            Some(Verdict::Healthy) => true,
            Some(Verdict::Unhealthy) => false,
            Some(Verdict::Unknown) | None => {
                self.observations(to).any(|(_, said)| said.verdict == Verdict::Healthy)
            }
        };
        well && self.presence(to) == Presence::Attached
    }

    fn crosses_no_call(&self, to: &NodeName) -> bool {
        let is_ill =
            |node| self.observations(node).any(|(_, said)| said.verdict == Verdict::Unhealthy);
        let mut bound =
            self.snapshot.evidence.in_flight.get(&self.decision.service).into_iter().flatten();
        bound.all(|node| node == to || self.is_gone(node) || is_ill(node))
    }

    fn is_rested(&self, kind: MoveKind) -> bool {
        let ledger = self.snapshot.ledger(&self.decision.service);
        let rested = ledger.last_move().map(|last| age(last, self.snapshot.now));
        kind != MoveKind::Failback
            || rested.is_none_or(|rested| rested >= self.snapshot.config.policy.cooldown)
    }

    /// A holder that EC2 says is gone may be left however often.
    fn is_within_budget(&self, kind: MoveKind) -> bool {
        let ledger = self.snapshot.ledger(&self.decision.service);
        let is_gone = self.holder().node().is_some_and(|node| self.is_gone(node));
        !kind.is_unplanned()
            || is_gone
            || ledger
                .wait_until(self.snapshot.config.policy.move_budget, self.snapshot.now)
                .is_none()
    }
}

#[cfg(test)]
mod tests;

//! Judgement to decision: what should be done with each VIP. Data in, data out.

mod candidates;
mod choice;
mod group;
mod obstacle;
mod standby;
mod switchover;

use std::collections::BTreeMap;

use candidates::Fitness;
use group::Group;
use jiff::Timestamp;
use serde::Serialize;
use standby::look_for_standby;

pub use choice::{Choice, HoldReason, MoveKind};
pub use obstacle::{Lack, Obstacle, obstacles};
pub use standby::Standby;
pub use switchover::{NoSwitchover, switchover};

use crate::config::{Failback, Role, Service};
use crate::evidence::{Holder, Presence, Snapshot};
use crate::judge::{DownBasis, Judgement, UpBasis};
use crate::name::{NodeName, ServiceName, VipAddr};
use crate::observed::age;
use crate::timing::{PREFERRED_WITHIN, SETTLED_AFTER};
use crate::triage::needs_metrics;

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
    /// Whether it could move, where it need not.
    #[serde(skip_serializing_if = "Standby::is_unknown")]
    pub standby: Standby,
}

/// The decision for every service, in the order of the file.
pub fn decide(snapshot: Snapshot<'_>) -> Vec<Decision> {
    by_groups(snapshot, |services| {
        let is_loud = services.iter().any(|service| needs_metrics(snapshot, service));
        if is_loud { judged(snapshot, services) } else { quiet(snapshot, services) }
    })
}

/// The same where all was read: each service is judged, though nothing calls for it, and the reason
/// to hold is that of the judgements.
pub fn decide_on_all(snapshot: Snapshot<'_>) -> Vec<Decision> {
    by_groups(snapshot, |services| judged(snapshot, services))
}

fn by_groups(
    snapshot: Snapshot<'_>,
    decide: impl Fn(&[&Service]) -> Vec<Decision>,
) -> Vec<Decision> {
    let groups = snapshot.config.groups();
    let decided = groups.flat_map(|services| {
        let mut decisions = decide(&services);
        look_for_standby(snapshot, &services, &mut decisions);
        decisions
    });
    let mut decisions: Vec<_> = decided.collect();
    let place = |name: &ServiceName| snapshot.config.services.iter().position(|s| s.name == *name);
    decisions.sort_by_key(|decision| place(&decision.service));
    decisions
}

fn judged(snapshot: Snapshot<'_>, services: &[&Service]) -> Vec<Decision> {
    Group::of(snapshot, services.iter().copied()).decisions()
}

/// Nothing says that any of them should move.
fn quiet(snapshot: Snapshot<'_>, services: &[&Service]) -> Vec<Decision> {
    let quiet = services.iter().map(|service| Decision {
        service: service.name.clone(),
        vip: service.vip,
        holder: snapshot.holder(service),
        judgements: BTreeMap::new(),
        choice: hold(HoldReason::HolderUp),
        standby: Standby::Unknown,
    });
    quiet.collect()
}

/// The node that can best take a group, and how well it would serve; or why none can.
type Target = Result<(NodeName, Fitness), HoldReason>;

fn hold(reason: HoldReason) -> Choice {
    Choice::Hold { reason }
}

/// To the best node there is, whoever it is.
fn move_at_once(kind: MoveKind, target: &Target) -> Choice {
    match target {
        Ok((to, _)) => Choice::Move { to: to.clone(), kind },
        Err(reason) => hold(*reason),
    }
}

/// Better to stay with one that is up than to go where it may soon be worse.
fn planned_move(kind: MoveKind, target: &Target, otherwise: HoldReason) -> Choice {
    match target {
        Ok((to, fitness)) if fitness.is_worth_a_planned_move() => {
            Choice::Move { to: to.clone(), kind }
        }
        Ok(_) | Err(_) => hold(otherwise),
    }
}

/// All that bears on one VIP.
struct Case<'e> {
    snapshot: Snapshot<'e>,
    service: &'e Service,
    holder: Holder,
    judgements: BTreeMap<NodeName, Judgement>,
}

impl Case<'_> {
    /// What should be done with the VIP, were it alone in its group; `target` can take the group.
    fn choice(&self, target: &Target) -> Choice {
        match &self.holder {
            Holder::Foreign(_) => hold(HoldReason::ForeignHolder),
            Holder::Several(_) => hold(HoldReason::AwaitingEvidence),
            Holder::Nobody if self.holder_may_be_left_out() => hold(HoldReason::AwaitingEvidence),
            Holder::Nobody => self.placement(target),
            Holder::Node(node) => match self.judgement(node) {
                // Who stays is served by nobody, and can come to no harm by a move.
                Judgement::Down(DownBasis::Gone) => move_at_once(MoveKind::Failover, target),
                Judgement::Down(_) => self.within_budget(MoveKind::Failover, target),
                Judgement::Up(basis) => {
                    let choice = self.with_holder_up(node, basis, target);
                    self.or_last_resort(choice, node, target)
                }
                Judgement::Unknown if self.is_contested(node) => hold(HoldReason::Contested),
                Judgement::Unknown => hold(HoldReason::AwaitingEvidence),
            },
        }
    }

    fn judgement(&self, node: &NodeName) -> Judgement {
        self.judgements.get(node).copied().unwrap_or(Judgement::Unknown)
    }

    fn decided(self, choice: Choice) -> Decision {
        Decision {
            service: self.service.name.clone(),
            vip: self.service.vip,
            holder: self.holder,
            judgements: self.judgements,
            choice,
            standby: Standby::Unknown,
        }
    }

    /// Whether EC2's answer leaves out the interface of a node that is well: it may be the holder.
    fn holder_may_be_left_out(&self) -> bool {
        self.snapshot.config.nodes.iter().any(|node| {
            self.snapshot.presence(node) == Presence::NotDescribed
                && self.judgements.get(&node.name) == Some(&Judgement::Unknown)
        })
    }

    /// Whether the VIP serves nobody where it is: nobody holds it, or EC2 says that its holder is
    /// gone.
    fn is_unserved(&self) -> bool {
        match &self.holder {
            Holder::Nobody => true,
            Holder::Node(node) => self.judgement(node) == Judgement::Down(DownBasis::Gone),
            Holder::Foreign(_) | Holder::Several(_) => false,
        }
    }

    fn within_budget(&self, kind: MoveKind, target: &Target) -> Choice {
        let ledger = self.snapshot.ledger(&self.service.name);
        let wait = ledger.wait_until(self.snapshot.config.policy.move_budget, self.snapshot.now);
        match wait {
            Some(_) if target.is_ok() => hold(HoldReason::BudgetSpent),
            _ => move_at_once(kind, target),
        }
    }

    /// Where all boot at once, the first to speak is not the one to stay.
    fn placement(&self, target: &Target) -> Choice {
        match target {
            Ok((to, _)) if self.is_new(to) && self.a_preferred_node_may_speak_yet(to) => {
                hold(HoldReason::AwaitingPreferred)
            }
            _ => move_at_once(MoveKind::Placement, target),
        }
    }

    /// Whether the node says that it is well, and has not said so for long.
    fn is_new(&self, node: &NodeName) -> bool {
        let own = self.snapshot.fresh(node, node, &self.service.name);
        own.is_some_and(|own| age(own.value.since, self.snapshot.now) < PREFERRED_WITHIN)
    }

    fn a_preferred_node_may_speak_yet(&self, to: &NodeName) -> bool {
        self.snapshot.config.nodes.iter().any(|node| {
            self.snapshot.config.prefers(&node.name, to)
                && self.judgement(&node.name) == Judgement::Unknown
                && self.snapshot.presence(node) == Presence::Attached
                && !self.is_drained(&node.name)
        })
    }

    /// Whether a node has said for a while that it is well: one that crashes again and again gets
    /// no VIP back in its good moments.
    fn has_settled(&self, node: &NodeName) -> bool {
        let Snapshot { config, evidence, now } = self.snapshot;
        let long_enough = config.policy.cooldown.min(config.policy.stale_after * SETTLED_AFTER);
        let own = evidence.observations.newest(node, node, &self.service.name);
        own.is_some_and(|own| age(own.value.since, now) >= long_enough)
    }

    fn with_holder_up(&self, holder: &NodeName, basis: UpBasis, target: &Target) -> Choice {
        if self.primaries_disagree() {
            return hold(HoldReason::TwoPrimaries);
        }
        let has_to_go = self.is_leaving(holder) || self.is_drained(holder);
        // One whose role is not known stays: an agent that died says nothing about its primary.
        if self.service.role == Role::Primary && self.is_primary(holder) == Some(false) {
            // Even where the primary is about to leave: until there is another it alone serves.
            return match target {
                Ok((to, _)) => Choice::Move { to: to.clone(), kind: MoveKind::Follow },
                Err(_) if has_to_go => hold(HoldReason::CannotVacate),
                Err(reason) => hold(*reason),
            };
        }
        if has_to_go {
            return planned_move(MoveKind::Vacate, target, HoldReason::CannotVacate);
        }
        if let Some(since) = self.snapshot.unready_since(self.service, holder) {
            return self.relieve(since, target);
        }
        self.stay_or_fail_back(holder, basis, target)
    }

    /// Clients are not served by a holder that is not ready. It is left for a node that is, once it
    /// has had the time to become ready; and as often as the budget allows.
    fn relieve(&self, since: Timestamp, target: &Target) -> Choice {
        let came = self.snapshot.ledger(&self.service.name).last_move();
        let since = came.map_or(since, |came| came.max(since));
        let had_time = age(since, self.snapshot.now) >= self.service.ready_within();
        match target {
            Ok((_, fitness)) if fitness.is_worth_a_planned_move() && had_time => {
                self.within_budget(MoveKind::Relief, target)
            }
            Ok(_) | Err(_) => hold(HoldReason::HolderUnready),
        }
    }

    /// Instead of staying with a holder that leaves: to a node whose agent is silent, while
    /// somebody reaches it. Once the holder is gone there may be nobody left to vouch for it. A
    /// holder that is only drained can wait.
    fn or_last_resort(&self, choice: Choice, holder: &NodeName, target: &Target) -> Choice {
        match target {
            Ok((to, Fitness { unready: false, leaving: false, .. }))
                if choice == hold(HoldReason::CannotVacate) && self.is_leaving(holder) =>
            {
                Choice::Move { to: to.clone(), kind: MoveKind::Vacate }
            }
            _ => choice,
        }
    }

    /// Whether nothing is known of the node's own word for want of metrics.
    fn is_unread(&self, node: &NodeName) -> bool {
        let service = &self.service.name;
        self.snapshot.fresh(node, node, service).is_none()
            && !self.snapshot.evidence.observations.read.contains(service)
    }

    fn stay_or_fail_back(&self, holder: &NodeName, basis: UpBasis, target: &Target) -> Choice {
        let stay = hold(match basis {
            _ if self.is_contested(holder) => HoldReason::Contested,
            UpBasis::OwnObservation => HoldReason::HolderUp,
            UpBasis::Suspect => HoldReason::HolderSuspect,
            // What could not be read is no silence.
            UpBasis::PeersOnly if self.is_unread(holder) => HoldReason::AwaitingEvidence,
            UpBasis::PeersOnly => HoldReason::AgentSilent,
        });
        let Failback::After(away) = self.snapshot.config.policy.failback else {
            return stay;
        };
        let Ok((
            best,
            Fitness { unready: false, leaving: false, basis: UpBasis::OwnObservation, .. },
        )) = target
        else {
            return stay;
        };
        if !self.snapshot.config.prefers(best, holder) || !self.has_settled(best) {
            return stay;
        }
        let ledger = self.snapshot.ledger(&self.service.name);
        let rested = ledger.last_move().map(|last| age(last, self.snapshot.now));
        if rested.is_some_and(|rest| rest < away) {
            stay
        } else if rested.is_some_and(|rest| rest < self.snapshot.config.policy.cooldown) {
            hold(HoldReason::Cooldown)
        } else {
            Choice::Move { to: best.clone(), kind: MoveKind::Failback }
        }
    }
}

#[cfg(test)]
mod tests;

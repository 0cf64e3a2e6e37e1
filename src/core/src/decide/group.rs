//! Services that are always held by one node: what each calls for, made into one. A service that
//! has no companions is a group by itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::candidates::{Candidate, Fitness};
use super::{Case, Choice, Decision, HoldReason, MoveKind, Target, hold, planned_move};
use crate::config::{Config, Node, Service};
use crate::evidence::{Holder, Snapshot};
use crate::judge::judge;
use crate::name::NodeName;

pub(super) struct Group<'e> {
    pub config: &'e Config,
    /// In the order of the file.
    pub cases: Vec<Case<'e>>,
}

impl<'e> Group<'e> {
    pub fn of(snapshot: Snapshot<'e>, services: impl Iterator<Item = &'e Service>) -> Self {
        let cases = services.map(|service| Case {
            snapshot,
            service,
            holder: snapshot.holder(service),
            judgements: judge(snapshot, service),
        });
        Self { config: snapshot.config, cases: cases.collect() }
    }

    /// What should be done with each.
    pub fn decisions(self) -> Vec<Decision> {
        let target = self.target();
        let mut choices: Vec<_> = self.cases.iter().map(|case| case.choice(&target)).collect();
        self.agree(&mut choices, &target);
        if self.is_unheard() {
            hold_all(&mut choices, HoldReason::AwaitingEvidence);
        }
        if target.as_ref().is_ok_and(|(to, _)| self.may_land_elsewhere(to).is_some()) {
            hold_all(&mut choices, HoldReason::MoveInFlight);
        }
        self.cases.into_iter().zip(choices).map(|(case, choice)| case.decided(choice)).collect()
    }

    /// Those that may be moved: what a foreign interface has is out of the group's reach.
    fn ours(&self) -> impl Iterator<Item = &Case<'e>> {
        self.cases.iter().filter(|case| !matches!(case.holder, Holder::Foreign(_)))
    }

    /// Whether what is known of any of it is only remembered.
    pub fn is_unheard(&self) -> bool {
        self.cases.iter().any(|case| case.snapshot.evidence.unheard.contains(&case.service.name))
    }

    /// The other node than `to` to which a call on its way may bring any of it, if that node is not
    /// down: whichever of two calls lands last would win.
    pub fn may_land_elsewhere(&self, to: &NodeName) -> Option<&NodeName> {
        self.cases.iter().find_map(|case| {
            let mut bound =
                case.snapshot.evidence.in_flight.get(&case.service.name).into_iter().flatten();
            bound.find(|bound| *bound != to && !case.judgement(bound).is_down())
        })
    }

    /// The nodes that hold something of it.
    fn holders(&self) -> BTreeSet<&NodeName> {
        self.cases.iter().filter_map(|case| case.holder.node()).collect()
    }

    /// Who may take all of it.
    pub fn able(&self) -> impl Iterator<Item = Candidate<'_>> {
        let candidate = |node| {
            let fitness = self.fitness(node, Case::fitness)?;
            Some(Candidate { node, fitness })
        };
        self.config.nodes.iter().filter_map(candidate)
    }

    /// How well the node would serve the one of it that it would serve worst, `of` each.
    pub fn fitness(
        &self,
        node: &Node,
        of: fn(&Case<'e>, &NodeName) -> Option<Fitness>,
    ) -> Option<Fitness> {
        self.ours().try_fold(Fitness::BEST, |worst, case| {
            of(case, &node.name).map(|fitness| worst.and(fitness))
        })
    }

    /// Why nobody may take all of it.
    pub fn why_no_candidate(&self) -> HoldReason {
        let lacking = self.ours().find(|case| !case.has_candidate());
        lacking.map_or(HoldReason::NoCandidate, Case::why_no_candidate)
    }

    /// The best to take all of it. Where it is not on one node, one that holds most, or the most
    /// important, is better than one that holds less.
    fn target(&self) -> Target {
        if self.ours().any(Case::primaries_disagree) {
            return Err(HoldReason::TwoPrimaries);
        }
        let holders = || self.ours().map(|case| &case.holder);
        let is_whole = holders().all(|holder| Some(holder) == holders().next());
        let holds = |candidate: &Candidate<'_>| {
            let has = |case: &&Case<'_>| case.holder.node() == Some(&candidate.node.name);
            let first = self.cases.iter().position(|case| has(&case)).unwrap_or(usize::MAX);
            (!is_whole).then(|| (Reverse(self.ours().filter(has).count()), first))
        };
        let place = |candidate: &Candidate<'_>| {
            let Fitness { unready, leaving, basis, .. } = candidate.fitness;
            (unready, leaving, basis, holds(candidate))
        };
        let best = self.able().min_by(|a, b| (place(a), a.rank()).cmp(&(place(b), b.rank())));
        best.map(|best| (best.node.name.clone(), best.fitness))
            .ok_or_else(|| self.why_no_candidate())
    }

    /// None goes before the others may, and none stays behind. One alone agrees with itself.
    fn agree(&self, choices: &mut [Choice], target: &Target) {
        if self.cases.iter().any(|case| matches!(case.holder, Holder::Several(_))) {
            return hold_all(choices, HoldReason::AwaitingEvidence);
        }
        let mut moves = self.cases.iter().zip(choices.iter()).filter(|(_, one)| is_move(one));
        let is_urgent = moves.any(|(case, _)| case.is_unserved());
        wait_for_each_other(choices, is_urgent);
        let follow = if choices.iter().any(is_move) {
            target
                .as_ref()
                .ok()
                .map(|(to, _)| Choice::Move { to: to.clone(), kind: MoveKind::Together })
        } else {
            self.is_split_and_up().then(|| {
                let otherwise = target.as_ref().err().copied().unwrap_or(HoldReason::NoCandidate);
                planned_move(MoveKind::Together, target, otherwise)
            })
        };
        let Some(follow) = follow else { return };
        for (case, choice) in self.cases.iter().zip(choices) {
            let follows = match (&follow, case.holder.node()) {
                (Choice::Move { to, .. }, Some(holder)) => !is_move(choice) && holder != to,
                (Choice::Move { .. }, None) => false,
                // A reason of its own is the better one.
                (Choice::Hold { .. }, _) => *choice == hold(HoldReason::HolderUp),
            };
            if follows {
                *choice = follow.clone();
            }
        }
    }

    fn is_split_and_up(&self) -> bool {
        let is_up = |case: &Case<'_>| {
            case.holder.node().is_some_and(|holder| case.judgement(holder).is_up())
        };
        self.holders().len() > 1 && self.ours().all(is_up)
    }
}

fn is_move(choice: &Choice) -> bool {
    matches!(choice, Choice::Move { .. })
}

/// None of those that were to move does.
fn hold_all(choices: &mut [Choice], reason: HoldReason) {
    for choice in choices.iter_mut().filter(|choice| is_move(choice)) {
        *choice = hold(reason);
    }
}

/// Where the budget of one is spent all wait, unless another is served by nobody where it is: it
/// goes at once, and the rest along with it. None goes back before all may.
fn wait_for_each_other(choices: &mut [Choice], is_urgent: bool) {
    let goes_back =
        |choice: &Choice| matches!(choice, Choice::Move { kind: MoveKind::Failback, .. });
    if choices.contains(&hold(HoldReason::BudgetSpent)) && !is_urgent {
        hold_all(choices, HoldReason::BudgetSpent);
    } else if !choices.iter().all(goes_back) {
        for choice in choices.iter_mut().filter(|choice| goes_back(choice)) {
            *choice = hold(HoldReason::HolderUp);
        }
    }
}

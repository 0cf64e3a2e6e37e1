//! Who may take a VIP, and who best.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Case, HoldReason};
use crate::config::{Node, Role};
use crate::judge::{Judgement, UpBasis};
use crate::name::NodeName;

/// Below that lag a replica counts as caught up.
const CAUGHT_UP: Duration = Duration::from_secs(1);

impl Case<'_> {
    /// Whether the node may take the VIP, being up, not drained, in the VIP's subnet, not refused
    /// by EC2, of the right role and not too far behind; and how well it would serve.
    pub(super) fn fitness(&self, node: &NodeName) -> Option<Fitness> {
        self.has_right_role(node).then(|| self.fitness_but_for_role(node)).flatten()
    }

    /// The same whatever its role: the servers may make it the primary once they need another.
    pub(super) fn fitness_but_for_role(&self, node: &NodeName) -> Option<Fitness> {
        let Judgement::Up(basis) = self.judgement(node) else {
            return None;
        };
        let lag = self.is_willing(node).then(|| self.lag_of(node)).flatten()?;
        // Whether a metric can be believed matters to a holder; where it is one of several reasons
        // to prefer another, it need not be.
        let against = self.snapshot.said_against(&self.service.name, node);
        let unready = self.is_unready(node) || against.is_some_and(|said| said.unready.is_some());
        let leaving = self.is_leaving(node) || against.is_some_and(|said| said.leaving);
        Some(Fitness { unready, leaving, basis, lag })
    }

    /// Whether any node may take the VIP.
    pub(super) fn has_candidate(&self) -> bool {
        self.snapshot.config.nodes.iter().any(|node| self.fitness(&node.name).is_some())
    }

    /// Why no node may take the VIP.
    pub(super) fn why_no_candidate(&self) -> HoldReason {
        let mut willing = self.willing().peekable();
        if self.judgements.values().all(|judgement| *judgement == Judgement::Unknown) {
            HoldReason::AwaitingEvidence
        } else if willing.peek().is_none() {
            HoldReason::NoCandidate
        } else if !willing.any(|node| self.has_right_role(node)) {
            HoldReason::NoPrimary
        } else {
            HoldReason::CandidatesLag
        }
    }

    /// Whether a VIP that follows the primary would have to follow two.
    pub(super) fn primaries_disagree(&self) -> bool {
        let claims = self.up().filter(|node| self.is_primary(node) == Some(true));
        self.service.role == Role::Primary && claims.count() > 1
    }

    pub(super) fn is_primary(&self, node: &NodeName) -> Option<bool> {
        self.snapshot.is_primary(self.service, node)
    }

    pub(super) fn is_leaving(&self, node: &NodeName) -> bool {
        self.snapshot.is_leaving(self.service, node)
    }

    pub(super) fn is_unready(&self, node: &NodeName) -> bool {
        self.snapshot.is_unready(self.service, node)
    }

    /// Whether only its metrics say something against the node.
    pub(super) fn is_contested(&self, node: &NodeName) -> bool {
        self.snapshot.contested(&self.service.name, node).is_some()
    }

    pub(super) fn is_drained(&self, node: &NodeName) -> bool {
        self.snapshot.is_drained(node)
    }

    fn up(&self) -> impl Iterator<Item = &NodeName> {
        let nodes = self.snapshot.config.nodes.iter().map(|node| &node.name);
        nodes.filter(|node| self.judgement(node).is_up())
    }

    fn willing(&self) -> impl Iterator<Item = &NodeName> {
        self.up().filter(|node| self.is_willing(node))
    }

    /// Whether neither an operator nor EC2 keeps it from taking the VIP.
    pub(super) fn is_willing(&self, node: &NodeName) -> bool {
        let refused = (self.service.name.clone(), node.clone());
        let is_refused = self.snapshot.evidence.refusals.contains(&refused);
        !self.is_drained(node) && self.snapshot.is_in_reach(node) && !is_refused
    }

    pub(super) fn has_right_role(&self, node: &NodeName) -> bool {
        match self.service.role {
            Role::Any => true,
            Role::Primary => self.is_primary(node) == Some(true),
        }
    }

    /// How far a candidate is behind, nothing where that does not matter; `None` when it is too
    /// far, or when nobody can tell: what is not known to be there cannot be served.
    pub(super) fn lag_of(&self, node: &NodeName) -> Option<Duration> {
        let Some(max_lag) = self.service.check.kind.max_lag() else {
            return Some(Duration::ZERO);
        };
        let lag = self.snapshot.evidence.observations.lag(node, &self.service.name)?;
        let lag = lag.fresh(self.snapshot.now, self.snapshot.config.policy.stale_after)?;
        (*lag <= max_lag).then_some(*lag)
    }
}

/// How well a node that may take a VIP would serve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitness {
    /// It says that it could not be served at the VIP: better than none.
    pub unready: bool,
    /// It says that it will soon be gone: better than a holder that is gone already.
    pub leaving: bool,
    /// On what basis it is up.
    pub basis: UpBasis,
    /// How far it is behind.
    pub lag: Duration,
}

impl Fitness {
    /// None is fitter.
    pub const BEST: Self = Self {
        unready: false,
        leaving: false,
        basis: UpBasis::OwnObservation,
        lag: Duration::ZERO,
    };

    /// As fit as it is for either of two services, whichever is worse.
    pub fn and(self, other: Self) -> Self {
        Self {
            unready: self.unready || other.unready,
            leaving: self.leaving || other.leaving,
            basis: self.basis.max(other.basis),
            lag: self.lag.max(other.lag),
        }
    }

    /// Whether a holder that is up may be left for it: it is ready, means to stay, and nobody knows
    /// how a node is whose agent is silent.
    pub fn is_worth_a_planned_move(self) -> bool {
        !self.unready && !self.leaving && self.basis != UpBasis::PeersOnly
    }
}

/// Who may take a group, and as whom it ranks.
pub(super) struct Candidate<'c> {
    pub node: &'c Node,
    /// For the service of the group that it would serve worst.
    pub fitness: Fitness,
}

impl Candidate<'_> {
    /// The lower, the better: by whether it is ready, whether it stays, by basis, whether it has
    /// caught up, then priority, then name.
    pub(super) fn rank(&self) -> (bool, bool, UpBasis, bool, Reverse<u32>, &NodeName) {
        let Self { node, fitness: Fitness { unready, leaving, basis, lag } } = self;
        (*unready, *leaving, *basis, *lag >= CAUGHT_UP, Reverse(node.priority), &node.name)
    }
}

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
    /// The best node that is up, not withdrawn, of the right role and not too far behind: by basis,
    /// whether it has caught up, then priority, then name.
    pub(super) fn best_candidate(&self) -> Option<(&NodeName, UpBasis)> {
        let best = self.able().min_by_key(|(node, basis, lag)| rank(node, *basis, *lag));
        best.map(|(node, basis, _)| (&node.name, basis))
    }

    /// Who may take the VIP, on what basis and how far behind.
    pub(super) fn able(&self) -> impl Iterator<Item = (&Node, UpBasis, Duration)> {
        let able = self.willing().filter(|(node, _)| self.has_right_role(&node.name));
        able.filter_map(|(node, basis)| Some((node, basis, self.lag_of(&node.name)?)))
    }

    /// Why there is no [`Self::best_candidate`].
    pub(super) fn why_no_candidate(&self) -> HoldReason {
        let mut willing = self.willing().peekable();
        if self.judgements.values().all(|judgement| *judgement == Judgement::Unknown) {
            HoldReason::AwaitingEvidence
        } else if willing.peek().is_none() {
            HoldReason::NoCandidate
        } else if !willing.any(|(node, _)| self.has_right_role(&node.name)) {
            HoldReason::NoPrimary
        } else {
            HoldReason::CandidatesLag
        }
    }

    /// Whether a VIP that follows the primary would have to follow two.
    pub(super) fn primaries_disagree(&self) -> bool {
        let claims = self.up().filter(|(node, _)| self.is_primary(&node.name) == Some(true));
        self.service.role == Role::Primary && claims.count() > 1
    }

    pub(super) fn is_primary(&self, node: &NodeName) -> Option<bool> {
        self.evidence.is_primary(self.config, self.service, node, self.now)
    }

    pub(super) fn is_withdrawn(&self, node: &NodeName) -> bool {
        self.evidence.is_withdrawn(self.config, self.service, node, self.now)
    }

    fn up(&self) -> impl Iterator<Item = (&Node, UpBasis)> {
        self.config.nodes.iter().filter_map(|node| match self.judgements.get(&node.name) {
            Some(Judgement::Up(basis)) => Some((node, *basis)),
            _ => None,
        })
    }

    fn willing(&self) -> impl Iterator<Item = (&Node, UpBasis)> {
        self.up().filter(|(node, _)| !self.is_withdrawn(&node.name))
    }

    fn has_right_role(&self, node: &NodeName) -> bool {
        match self.service.role {
            Role::Any => true,
            Role::Primary => self.is_primary(node) == Some(true),
        }
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
}

/// The lower, the better.
pub(super) fn rank(
    node: &Node,
    basis: UpBasis,
    lag: Duration,
) -> (UpBasis, bool, Reverse<u32>, &NodeName) {
    (basis, lag >= CAUGHT_UP, Reverse(node.priority), &node.name)
}

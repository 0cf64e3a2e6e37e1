//! What may be decided about a VIP.

use serde::Serialize;

use crate::name::NodeName;

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
    /// The holder is up and leaves.
    Vacate,
    /// The holder is up, and clients could not be served there.
    Relief,
    /// The cluster of servers has another primary.
    Follow,
    /// An operator asked for it.
    Switchover,
    /// Its group goes there, or is there already.
    Together,
}

impl MoveKind {
    /// Whether it counts for the move budget. A placement leaves nobody.
    pub fn is_unplanned(self) -> bool {
        matches!(self, Self::Failover | Self::Relief)
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
    /// The holder is up and could not be served at the VIP, and may not be left for another node.
    /// Alerts when it lasts.
    HolderUnready,
    /// Only the holder's metrics say something against it, and not for long: no hint of its own
    /// does, and no observer. Alerts when it lasts: somebody else may be writing them.
    Contested,
    /// Observers reach the holder, its own agent says nothing. Alerts.
    AgentSilent,
    /// It cannot be told yet whether the holder is down, or who it is.
    AwaitingEvidence,
    /// Nobody holds the VIP, a node has only just become well, and a preferred one may be about to
    /// say that it is well, too.
    AwaitingPreferred,
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
    /// The holder is up and leaves, and no other node can take over. Alerts.
    CannotVacate,
    /// The VIP follows a primary, and no node that is up says that it is one. Alerts when it lasts.
    NoPrimary,
    /// The VIP follows a primary, and more than one node says that it is that. Alerts when it
    /// lasts.
    TwoPrimaries,
    /// The VIP should move, and a call of a moment ago may still bring it elsewhere.
    MoveInFlight,
    /// It was to move, and the audit found that it must not: a fault of vipward. Alerts.
    AuditRefused,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 17] = [
        Self::HolderUp,
        Self::HolderSuspect,
        Self::HolderUnready,
        Self::Contested,
        Self::AgentSilent,
        Self::AwaitingEvidence,
        Self::AwaitingPreferred,
        Self::NoCandidate,
        Self::CandidatesLag,
        Self::ForeignHolder,
        Self::Cooldown,
        Self::BudgetSpent,
        Self::CannotVacate,
        Self::NoPrimary,
        Self::TwoPrimaries,
        Self::MoveInFlight,
        Self::AuditRefused,
    ];

    /// Whether a person should look at it.
    pub fn alerts(self) -> bool {
        match self {
            Self::HolderUp
            | Self::AwaitingEvidence
            | Self::AwaitingPreferred
            | Self::MoveInFlight
            | Self::Cooldown => false,
            Self::HolderSuspect
            | Self::HolderUnready
            | Self::Contested
            | Self::AgentSilent
            | Self::NoCandidate
            | Self::CandidatesLag
            | Self::ForeignHolder
            | Self::BudgetSpent
            | Self::CannotVacate
            | Self::NoPrimary
            | Self::TwoPrimaries
            | Self::AuditRefused => true,
        }
    }

    /// Whether by it a VIP stays with a holder that is up, and that need not be left.
    pub fn stays_with_holder(self) -> bool {
        matches!(
            self,
            Self::HolderUp
                | Self::HolderSuspect
                | Self::HolderUnready
                | Self::Contested
                | Self::AgentSilent
                | Self::Cooldown
        )
    }

    /// Whether it may be over in a moment, so that a person hears of it only when it lasts: late
    /// evidence, a call on its way, a holder whose hook still runs, metrics that will soon have
    /// lasted, an election among the servers, a former primary that has not spoken yet.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::AwaitingEvidence
                | Self::HolderUnready
                | Self::Contested
                | Self::MoveInFlight
                | Self::NoPrimary
                | Self::TwoPrimaries
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_hear_at_once_of_what_needs_them_and_later_of_what_may_pass() {
        use HoldReason as R;
        let quiet = [R::HolderUp, R::AwaitingPreferred, R::Cooldown];
        let later = [
            R::AwaitingEvidence,
            R::HolderUnready,
            R::Contested,
            R::MoveInFlight,
            R::NoPrimary,
            R::TwoPrimaries,
        ];
        for reason in HoldReason::ALL {
            assert_eq!(reason.may_pass(), later.contains(&reason), "{reason:?}");
            let at_once = reason.alerts() && !reason.may_pass();
            assert_eq!(at_once, !quiet.contains(&reason) && !later.contains(&reason), "{reason:?}");
        }
    }

    #[test]
    fn the_budget_counts_only_what_nobody_planned_and_what_left_a_holder() {
        use MoveKind as K;
        for kind in [K::Failover, K::Relief] {
            assert!(kind.is_unplanned(), "{kind:?}");
        }
        let free = [K::Placement, K::Failback, K::Vacate, K::Follow, K::Switchover, K::Together];
        for kind in free {
            assert!(!kind.is_unplanned(), "{kind:?}");
        }
    }
}

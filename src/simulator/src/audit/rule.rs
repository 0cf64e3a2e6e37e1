//! The rules that the auditor holds every history to. docs/guarantees.md names them by their texts.

use std::fmt;

/// A rule that was broken, and what broke it.
pub type Finding = (Rule, String);

macro_rules! rules {
    ($($rule:ident = $text:literal,)+) => {
        /// What must be so in every history.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = $text] $rule,)+
        }

        impl Rule {
            /// Every rule there is.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// The rule in words.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$rule => $text,)+
                }
            }
        }
    };
}

rules! {
    // What the history says of itself.
    HistoryPlayable = "the history can be played",
    MovesAsExpected = "VIPs move as often as the history says",
    LeavesDeadHolderAsExpected = "a VIP leaves a dead holder as fast as the history says",

    // Each change in EC2, and each record of the function.
    OnlyFileIsTouched = "only what the file names is touched",
    NeverUnassigned = "a VIP is never unassigned",
    NeverNowhere = "a VIP is never nowhere",
    ReadBeforeMove = "EC2 is read right before a VIP is moved",
    HoldHasReason = "every hold has a reason",
    JudgementAndAuditAgree = "judgement and audit agree",
    MoveIsProven = "a move counts when EC2 names the new holder",

    // Each assignment, when it is sent.
    FreshEvidence = "a call is sent on fresh evidence",
    OneTargetInFlight = "while a call may land only its target is asked again",
    PlacementRobsNobody = "a placement robs nobody",
    RecoveredHolderKeeps = "a holder that is well again is left alone",

    // Each change of a VIP's holder.
    ForeignHolderKeeps = "a foreign holder is never robbed",
    TargetWasWell = "a VIP goes to a node that was well",
    TargetIsPrimary = "a VIP that follows a primary goes to one",
    LeavingNodeGetsNone = "a node that leaves gets no VIP while another is well",
    TargetIsReady = "a VIP goes to a node that can serve at it while there is one",
    HealthyHolderKeeps = "a holder that is up and reachable keeps its VIP",
    Cooldown = "a VIP rests after a move while its holder is up",

    // Each decision, by what EC2's tags told the function.
    DrainedNodeGetsNone = "a drained node gets no VIP",
    Budget = "moves beyond the budget wait",
    MoveIsRecorded = "each move is written into the ledger",

    // Within the bound.
    LeavesDeadHolder = "a VIP leaves a dead holder within the bound",
    LeavesLeavingHolder = "a VIP leaves a holder that leaves within the bound",
    LeavesUnreadyHolder = "a VIP leaves a holder that cannot serve at it within the bound",
    FollowsPrimary = "a VIP follows its primary within the bound",
    MissingStandbyIsTold = "people hear of a holder without a standby within the bound",

    // The hooks.
    HolderReleasesNothing = "no release hook runs on the holder",
    OnlyHolderAcquires = "no acquire hook runs but on the holder",

    // The alias units.
    AliasUnitTouchesItsOwn = "the alias unit touches only what it was told about",
    AliasNeverRemovedOnDoubt = "the alias unit never removes on doubt",
    AliasComes = "the alias is there soon after its VIP",
    AliasGoes = "the alias goes soon after its VIP",

    // The end of the history.
    Rest = "all comes to rest when the faults are over",
    OnPrimaryAtRest = "a VIP is on the primary when all comes to rest",
    GroupTogetherAtRest = "a group is on one node when all comes to rest",
    AliasAtHolderAtRest = "the holder has the address when all comes to rest",
    AliasesRest = "aliases come to rest when the faults are over",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

//! A move that an operator asks for.

use std::fmt;

use super::group::Group;
use super::{Case, Choice, Decision, HoldReason, MoveKind};
use crate::config::Service;
use crate::evidence::{Holder, Snapshot};
use crate::name::NodeName;

/// Why a VIP is not moved for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSwitchover {
    /// It is there already.
    AlreadyThere(NodeName),
    /// That node may not take it now, for the reason of the best candidate's lack where none is
    /// named.
    NotACandidate(NodeName),
    /// No node may take it.
    NoCandidate(HoldReason),
    /// An interface that the file does not name has it.
    ForeignHolder,
    /// EC2 shows it on more than one node, or a call of a moment ago may still take effect.
    NotSettled,
}

impl fmt::Display for NoSwitchover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyThere(node) => write!(f, "{node} already has the VIP"),
            Self::NotACandidate(node) => write!(
                f,
                "{node} cannot take the VIP: its own agent does not report it up, or reports it \
                 leaving or unready; or it is drained, lags too far or is not the primary that the \
                 VIP follows; for this service or for another of its group"
            ),
            Self::NoCandidate(_) => f.write_str("no other node can take the VIP"),
            Self::ForeignHolder => {
                f.write_str("an interface that is not in the configuration has the VIP")
            }
            Self::NotSettled => {
                f.write_str("its last move has not settled: EC2 may still move the VIP elsewhere")
            }
        }
    }
}

/// The decisions to bring the VIP of `service`, and those of its group with it, to `to`, or to the
/// best other node.
///
/// # Errors
/// When that would not be safe.
pub fn switchover(
    snapshot: Snapshot<'_>,
    service: &Service,
    to: Option<&NodeName>,
) -> Result<Vec<Decision>, NoSwitchover> {
    let group = Group::of(snapshot, snapshot.config.companions(service));
    if group.cases.iter().any(|case| matches!(case.holder, Holder::Foreign(_))) {
        return Err(NoSwitchover::ForeignHolder);
    }
    if group.cases.iter().any(|case| matches!(case.holder, Holder::Several(_))) {
        return Err(NoSwitchover::NotSettled);
    }
    let target = destination(&group, service, to)?;
    if group.is_unheard() {
        return Err(NoSwitchover::NoCandidate(HoldReason::AwaitingEvidence));
    }
    if group.may_land_elsewhere(&target) {
        return Err(NoSwitchover::NotSettled);
    }
    let moving = group.cases.into_iter().filter(|case| case.holder.node() != Some(&target));
    let decisions = moving.map(|case| {
        let kind = match &case.holder {
            Holder::Node(_) if case.service.name != service.name => MoveKind::Together,
            // What nobody holds, too: the order is planned, and no budget keeps it waiting.
            _ => MoveKind::Switchover,
        };
        case.decided(Choice::Move { to: target.clone(), kind })
    });
    Ok(decisions.collect())
}

fn destination(
    group: &Group<'_>,
    service: &Service,
    to: Option<&NodeName>,
) -> Result<NodeName, NoSwitchover> {
    let holds = |node: &NodeName, case: &Case<'_>| case.holder.node() == Some(node);
    let mut able = group.able().filter(|candidate| candidate.fitness.is_worth_a_planned_move());
    let candidate = match to {
        Some(to) if group.cases.iter().all(|case| holds(to, case)) => {
            return Err(NoSwitchover::AlreadyThere(to.clone()));
        }
        Some(to) => able
            .find(|candidate| candidate.node.name == *to)
            .ok_or_else(|| NoSwitchover::NotACandidate(to.clone()))?,
        None => {
            let asked = group.cases.iter().find(|case| case.service.name == service.name);
            able.filter(|able| asked.is_none_or(|case| !holds(&able.node.name, case)))
                .min_by(|a, b| a.rank().cmp(&b.rank()))
                .ok_or_else(|| NoSwitchover::NoCandidate(group.why_no_candidate()))?
        }
    };
    Ok(candidate.node.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::vet;
    use crate::hint::Verdict::{Healthy, Unhealthy};
    use crate::scene::{Scene, node};

    const LONG: i64 = 600;

    fn asked(scene: &Scene, to: Option<&str>) -> Result<Choice, NoSwitchover> {
        let service = &scene.config.services[0];
        let to = to.map(node);
        let mut decisions = switchover(scene.snapshot(), service, to.as_ref())?;
        Ok(decisions.remove(0).choice)
    }

    fn trio() -> Scene {
        ["a", "b", "c"].iter().fold(Scene::new(3, 0, "").held_by("a"), |scene, name| {
            scene.says(name, name, Healthy, 1, LONG)
        })
    }

    fn moves(to: &str) -> Choice {
        Choice::Move { to: node(to), kind: MoveKind::Switchover }
    }

    #[test]
    fn it_goes_where_it_is_sent_or_to_the_best_other_node() {
        assert_eq!(asked(&trio(), Some("c")), Ok(moves("c")));
        assert_eq!(asked(&trio(), None), Ok(moves("b")));
        assert_eq!(asked(&trio(), Some("a")), Err(NoSwitchover::AlreadyThere(node("a"))));
    }

    #[test]
    fn it_goes_to_no_node_that_is_not_up_or_is_drained() {
        let refused = |name: &str| Err(NoSwitchover::NotACandidate(node(name)));
        assert_eq!(asked(&trio().says("b", "b", Unhealthy, 0, 1), Some("b")), refused("b"));
        assert_eq!(asked(&trio().drained("b", 60), Some("b")), refused("b"));
        assert_eq!(asked(&trio().drained("b", 60), None), Ok(moves("c")));
        assert_eq!(asked(&trio().drained("b", -1), Some("b")), Ok(moves("b")), "its time is over");
        assert_eq!(asked(&trio().leaves("b", 0), Some("b")), refused("b"));
        let alone = Scene::new(2, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG);
        assert!(matches!(asked(&alone, None), Err(NoSwitchover::NoCandidate(_))));
        assert_eq!(asked(&trio().held_by("b"), Some("c")), Err(NoSwitchover::NotSettled));
        assert_eq!(asked(&trio().in_flight("b"), Some("c")), Err(NoSwitchover::NotSettled));
        assert_eq!(asked(&trio().in_flight("c"), Some("c")), Ok(moves("c")));
        let unheard = Err(NoSwitchover::NoCandidate(HoldReason::AwaitingEvidence));
        assert_eq!(asked(&trio().unheard(), Some("c")), unheard);
    }

    #[test]
    fn vips_that_nobody_holds_are_placed_whatever_the_budget_says() {
        let spent = |scene: Scene, index| {
            let scene = scene.about(index).says("b", "b", Healthy, 1, LONG);
            scene.moved("a", &[300, 200, 30])
        };
        let scene = spent(spent(Scene::group(2, 2, ""), 0), 1);
        assert_eq!(asked(&scene, None), Ok(moves("b")));
        let snapshot = scene.snapshot();
        let ordered = switchover(snapshot, &snapshot.config.services[0], None).expect("able");
        assert_eq!(ordered.len(), 2);
        assert_eq!(vet(snapshot, ordered.clone()), (ordered, vec![]));
    }

    #[test]
    fn each_refusal_says_why_in_words_of_its_own() {
        let all = [
            NoSwitchover::AlreadyThere(node("a")),
            NoSwitchover::NotACandidate(node("a")),
            NoSwitchover::NoCandidate(HoldReason::NoCandidate),
            NoSwitchover::ForeignHolder,
            NoSwitchover::NotSettled,
        ];
        let told: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), all.len());
        assert!(told.iter().all(|words| words.contains(' ')), "{told:?}");
    }
}

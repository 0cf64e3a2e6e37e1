//! A move that an operator asks for.

use std::fmt;

use super::group::Group;
use super::obstacle::{Obstacle, obstacles};
use super::{Case, Choice, Decision, MoveKind};
use crate::config::Service;
use crate::evidence::{Holder, Snapshot};
use crate::name::{EniId, NodeName};

/// Why a VIP is not moved for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSwitchover {
    /// It is there already.
    AlreadyThere(NodeName),
    /// That node may not take it now.
    NotACandidate(Obstacle),
    /// No other node may take it, for these reasons.
    NoCandidate(Vec<Obstacle>),
    /// Of the agents nothing was heard just now: what is remembered is no ground for a move.
    Unheard,
    /// That interface, which the file does not name, has it, or another VIP of its group.
    ForeignHolder(EniId),
    /// EC2 shows it, or another VIP of its group, on all of these nodes.
    OnSeveral(Vec<NodeName>),
    /// A call of a moment ago may still bring it, or another VIP of its group, to that node.
    InFlight(NodeName),
}

impl fmt::Display for NoSwitchover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyThere(node) => write!(f, "{node} already has the VIP"),
            Self::NotACandidate(obstacle) => write!(f, "{obstacle}"),
            Self::NoCandidate(obstacles) => {
                f.write_str("no other node can take the VIP")?;
                let told = obstacles.iter().enumerate();
                let separator = |place| if place == 0 { ": " } else { "; " };
                told.into_iter().try_for_each(|(at, one)| write!(f, "{}{one}", separator(at)))
            }
            Self::Unheard => f.write_str(
                "no agent was heard just now: the metrics could not be read, and a move needs fresh evidence",
            ),
            Self::ForeignHolder(eni) => {
                write!(f, "{eni} has the VIP, an interface that is not in the configuration")
            }
            Self::OnSeveral(nodes) => {
                let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
                let nodes = nodes.join(" and ");
                write!(f, "EC2 shows the VIP on {nodes}: its last move has not settled")
            }
            Self::InFlight(node) => {
                write!(f, "a call of the last seconds may still bring the VIP to {node}")
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
    for case in &group.cases {
        match &case.holder {
            Holder::Foreign(eni) => return Err(NoSwitchover::ForeignHolder(eni.clone())),
            Holder::Several(nodes) => return Err(NoSwitchover::OnSeveral(nodes.clone())),
            Holder::Node(_) | Holder::Nobody => {}
        }
    }
    let target = destination(snapshot, &group, service, to)?;
    if group.is_unheard() {
        return Err(NoSwitchover::Unheard);
    }
    if let Some(bound) = group.may_land_elsewhere(&target) {
        return Err(NoSwitchover::InFlight(bound.clone()));
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
    snapshot: Snapshot<'_>,
    group: &Group<'_>,
    service: &Service,
    to: Option<&NodeName>,
) -> Result<NodeName, NoSwitchover> {
    let holds = |node: &NodeName, case: &Case<'_>| case.holder.node() == Some(node);
    let Some(to) = to else {
        let able = group.able().filter(|candidate| candidate.fitness.is_worth_a_planned_move());
        let asked = group.cases.iter().find(|case| case.service.name == service.name);
        let others = able.filter(|able| asked.is_none_or(|case| !holds(&able.node.name, case)));
        let best = others.min_by(|a, b| a.rank().cmp(&b.rank()));
        return best
            .map(|best| best.node.name.clone())
            .ok_or_else(|| NoSwitchover::NoCandidate(obstacles(snapshot, service)));
    };
    if group.cases.iter().all(|case| holds(to, case)) {
        return Err(NoSwitchover::AlreadyThere(to.clone()));
    }
    match group.obstacle(service, to) {
        Some(obstacle) => Err(NoSwitchover::NotACandidate(obstacle)),
        None => Ok(to.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::vet;
    use crate::decide::Lack;
    use crate::hint::Verdict::{Healthy, Unhealthy};
    use crate::judge::DownBasis;
    use crate::scene::{FOREIGN, Scene, node};

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
        let obstacle = |lack| Obstacle { node: node("b"), companion: None, lack };
        let refused = |lack| Err(NoSwitchover::NotACandidate(obstacle(lack)));
        let ill = refused(Lack::Down(DownBasis::OwnObservation));
        assert_eq!(asked(&trio().says("b", "b", Unhealthy, 0, 1), Some("b")), ill);
        assert_eq!(asked(&trio().drained("b", 60), Some("b")), refused(Lack::Drained));
        assert_eq!(asked(&trio().drained("b", 60), None), Ok(moves("c")));
        assert_eq!(asked(&trio().drained("b", -1), Some("b")), Ok(moves("b")), "its time is over");
        assert_eq!(asked(&trio().leaves("b", 0), Some("b")), refused(Lack::Leaving));
        let alone = Scene::new(2, 0, "").held_by("a").says("a", "a", Healthy, 1, LONG);
        let nobody = Err(NoSwitchover::NoCandidate(vec![obstacle(Lack::Unknown)]));
        assert_eq!(asked(&alone, None), nobody);
    }

    #[test]
    fn it_waits_for_what_is_not_settled_and_for_fresh_evidence() {
        let both = Err(NoSwitchover::OnSeveral(vec![node("a"), node("b")]));
        assert_eq!(asked(&trio().held_by("b"), Some("c")), both);
        let bound = Err(NoSwitchover::InFlight(node("b")));
        assert_eq!(asked(&trio().in_flight("b"), Some("c")), bound);
        assert_eq!(asked(&trio().in_flight("c"), Some("c")), Ok(moves("c")));
        assert_eq!(asked(&trio().unheard(), Some("c")), Err(NoSwitchover::Unheard));
        let foreign = Scene::new(2, 0, "").held_by_a_foreign_interface();
        let eni = FOREIGN.parse().expect("an id");
        assert_eq!(asked(&foreign, None), Err(NoSwitchover::ForeignHolder(eni)));
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
        let lacks = |name, lack| Obstacle { node: node(name), companion: None, lack };
        let several = vec![lacks("b", Lack::Drained), lacks("c", Lack::Leaving)];
        let all = [
            (NoSwitchover::AlreadyThere(node("a")), "a already has the VIP"),
            (NoSwitchover::NotACandidate(lacks("b", Lack::Drained)), "b is drained"),
            (
                NoSwitchover::NoCandidate(several),
                "no other node can take the VIP: b is drained; c is leaving, as it reports",
            ),
            (NoSwitchover::NoCandidate(Vec::new()), "no other node can take the VIP"),
            (
                NoSwitchover::Unheard,
                "no agent was heard just now: the metrics could not be read, and a move needs fresh evidence",
            ),
            (
                NoSwitchover::ForeignHolder(FOREIGN.parse().expect("an id")),
                "eni-ffffffff has the VIP, an interface that is not in the configuration",
            ),
            (
                NoSwitchover::OnSeveral(vec![node("a"), node("b")]),
                "EC2 shows the VIP on a and b: its last move has not settled",
            ),
            (
                NoSwitchover::InFlight(node("c")),
                "a call of the last seconds may still bring the VIP to c",
            ),
        ];
        for (refusal, words) in all {
            assert_eq!(refusal.to_string(), words);
        }
    }
}

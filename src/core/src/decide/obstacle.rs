//! Why a node may not take a VIP from a holder that is up: the very reason, for people.

use std::fmt;
use std::time::Duration;

use super::group::Group;
use super::{Case, Fitness};
use crate::config::Service;
use crate::evidence::{Holder, Snapshot};
use crate::hint::NOT_REPLICATING;
use crate::judge::{DownBasis, Judgement, UpBasis};
use crate::name::{NodeName, ServiceName};
use crate::text::span;

/// What keeps a node from taking a VIP by a planned move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The node.
    pub node: NodeName,
    /// The other service of the group that it is about; `None` where it is about the VIP's own.
    pub companion: Option<ServiceName>,
    /// What the node lacks.
    pub lack: Lack,
}

/// What a node lacks that is to take a VIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Its service is down.
    Down(DownBasis),
    /// Nobody can tell whether its service is up.
    Unknown,
    /// Only its observers say that its service is up.
    PeersOnly,
    /// An operator drains it.
    Drained,
    /// Its interface does not lie in the VIP's subnet, as far as EC2 shows it.
    OutsideSubnet,
    /// EC2 has just refused the VIP there.
    Refused,
    /// The VIP follows a primary, and it says that it is none.
    NotPrimary,
    /// The VIP follows a primary, and it does not say whether it is one.
    RoleUnknown,
    /// It is too far behind its primary.
    Lags {
        /// How far it is behind.
        behind: Duration,
        /// How far it may be.
        most: Duration,
    },
    /// It does not say how far it is behind.
    LagUnknown,
    /// It says that it will soon be gone.
    Leaving,
    /// It says that it could not be served at the VIP.
    Unready,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, companion, lack } = self;
        write!(f, "{node} {lack}")?;
        match companion {
            Some(companion) => write!(f, " (for {companion}, of its group)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down(DownBasis::OwnObservation) => "is down: its own agent reports it unhealthy",
            Self::Down(DownBasis::Gone) => {
                "is down: EC2 says that its interface or its instance is gone"
            }
            Self::Down(DownBasis::Unreachable) => "is down: most observers cannot reach it",
            Self::Down(DownBasis::SilentAndUnreachable) => {
                "is down: its agent is silent, and observers cannot reach it"
            }
            Self::Unknown => "may be up or down: nobody can tell",
            Self::PeersOnly => "is up as observers see it, but its own agent does not report so",
            Self::Drained => "is drained",
            Self::OutsideSubnet => "has no interface in the VIP's subnet, as EC2 describes it",
            Self::Refused => "was refused the VIP by EC2 just now",
            Self::NotPrimary => "is not the primary, which the VIP follows",
            Self::RoleUnknown => "does not report whether it is the primary, which the VIP follows",
            Self::Lags { behind, .. } if *behind >= NOT_REPLICATING => "does not replicate",
            Self::Lags { behind, most } => {
                return write!(f, "is {} behind, and max_lag is {}", span(*behind), span(*most));
            }
            Self::LagUnknown => "does not report how far it is behind, and max_lag is set",
            Self::Leaving => "is leaving, as it reports",
            Self::Unready => {
                "is unready: it reports that clients could not be served at the VIP there"
            }
        })
    }
}

/// Why none of the nodes but its holder may take the VIP of `service`, with those of its group, by
/// a planned move: one reason for each that may not.
pub fn obstacles(snapshot: Snapshot<'_>, service: &Service) -> Vec<Obstacle> {
    let group = Group::of(snapshot, snapshot.config.companions(service));
    let holder = snapshot.holder(service);
    let others = snapshot.config.nodes.iter().filter(|node| holder.node() != Some(&node.name));
    others.filter_map(|node| group.obstacle(service, &node.name)).collect()
}

impl Group<'_> {
    /// What keeps `node` from taking all of the group by a planned move; of `asked` first.
    pub(super) fn obstacle(&self, asked: &Service, node: &NodeName) -> Option<Obstacle> {
        let is_asked = |case: &&Case<'_>| case.service.name == asked.name;
        let (first, others): (Vec<_>, Vec<_>) = self
            .cases
            .iter()
            .filter(|case| !matches!(case.holder, Holder::Foreign(_)))
            .partition(is_asked);
        first.into_iter().chain(others).find_map(|case| {
            let lack = case.lack(node)?;
            let companion = Some(case.service.name.clone()).filter(|name| *name != asked.name);
            Some(Obstacle { node: node.clone(), companion, lack })
        })
    }
}

impl Case<'_> {
    /// What the node lacks to take the VIP by a planned move; nothing where it may.
    fn lack(&self, node: &NodeName) -> Option<Lack> {
        if self.fitness(node).is_some_and(Fitness::is_worth_a_planned_move) {
            return None;
        }
        Some(match self.judgement(node) {
            Judgement::Down(basis) => Lack::Down(basis),
            Judgement::Unknown => Lack::Unknown,
            Judgement::Up(_) if self.is_drained(node) => Lack::Drained,
            Judgement::Up(_) if !self.snapshot.is_in_reach(node) => Lack::OutsideSubnet,
            Judgement::Up(_) if !self.is_willing(node) => Lack::Refused,
            Judgement::Up(_) if !self.has_right_role(node) => self.lack_of_role(node),
            Judgement::Up(_) if self.lag_of(node).is_none() => self.lack_of_news(node),
            Judgement::Up(_) if self.is_leaving(node) => Lack::Leaving,
            Judgement::Up(UpBasis::PeersOnly) => Lack::PeersOnly,
            Judgement::Up(UpBasis::OwnObservation | UpBasis::Suspect) => Lack::Unready,
        })
    }

    fn lack_of_role(&self, node: &NodeName) -> Lack {
        match self.is_primary(node) {
            Some(_) => Lack::NotPrimary,
            None => Lack::RoleUnknown,
        }
    }

    fn lack_of_news(&self, node: &NodeName) -> Lack {
        let Snapshot { config, evidence, now } = self.snapshot;
        let said = evidence.observations.lag(node, &self.service.name);
        let behind = said.and_then(|said| said.fresh(now, config.policy.stale_after));
        match (behind, self.service.check.kind.max_lag()) {
            (Some(behind), Some(most)) => Lack::Lags { behind: *behind, most },
            _ => Lack::LagUnknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decide::switchover;
    use crate::hint::Verdict::{Healthy, Unhealthy, Unknown};
    use crate::scene::{Scene, node};

    const LONG: i64 = 600;

    /// `a` holds the VIP, and both nodes are well.
    fn pair() -> Scene {
        let scene = Scene::new(2, 2, "").held_by("a");
        scene.says("a", "a", Healthy, 1, LONG).says("b", "b", Healthy, 1, LONG)
    }

    /// The same, and of `b` nobody says a thing.
    fn silent() -> Scene {
        Scene::new(2, 2, "").held_by("a").says("a", "a", Healthy, 1, LONG)
    }

    fn unreached() -> Scene {
        let scene = pair().says("w0", "b", Unhealthy, 1, LONG);
        scene.says("w1", "b", Unhealthy, 1, LONG)
    }

    fn following() -> Scene {
        pair().following("a").claims("a", true, 1)
    }

    fn refused() -> Scene {
        let mut scene = pair();
        let service = scene.config.services[0].name.clone();
        scene.evidence.refusals.insert((service, node("b")));
        scene
    }

    fn elsewhere() -> Scene {
        let mut scene = pair();
        let eni = scene.config.nodes[1].eni.clone();
        let eni = scene.evidence.inventory.enis.get_mut(&eni).expect("there");
        eni.addresses = vec!["10.9.0.11".parse().expect("an address")];
        scene
    }

    fn lags(seconds: u64, age: i64) -> Scene {
        pair().with_max_lag(30).lags("b", seconds, age)
    }

    #[test]
    fn each_lack_is_told_by_itself_and_in_words_of_its_own() {
        use DownBasis as D;
        let (behind, most) = (Duration::from_secs(45), Duration::from_secs(30));
        let cases = [
            (pair().says("b", "b", Unhealthy, 0, 1), Lack::Down(D::OwnObservation)),
            (pair().stopped("b"), Lack::Down(D::Gone)),
            (unreached(), Lack::Down(D::Unreachable)),
            (
                silent().says("w0", "b", Unhealthy, 1, LONG).says("w1", "b", Unhealthy, 1, LONG),
                Lack::Down(D::SilentAndUnreachable),
            ),
            (silent(), Lack::Unknown),
            (pair().says("b", "b", Unknown, 0, 1), Lack::Unknown),
            (silent().says("a", "b", Healthy, 1, LONG), Lack::PeersOnly),
            (pair().drained("b", 60), Lack::Drained),
            (elsewhere(), Lack::OutsideSubnet),
            (refused(), Lack::Refused),
            (following().claims("b", false, 1), Lack::NotPrimary),
            (following(), Lack::RoleUnknown),
            (lags(45, 1), Lack::Lags { behind, most }),
            (lags(45, 60), Lack::LagUnknown),
            (pair().leaves("b", 0), Lack::Leaving),
            (pair().unready("b", 0, LONG), Lack::Unready),
        ];
        let mut told = BTreeSet::new();
        for (scene, lack) in cases {
            let snapshot = scene.snapshot();
            let obstacle = Obstacle { node: node("b"), companion: None, lack };
            assert_eq!(
                obstacles(snapshot, &scene.config.services[0]),
                std::slice::from_ref(&obstacle)
            );
            told.insert(obstacle.to_string());
        }
        assert_eq!(told.len(), 15, "only one was there twice: {told:?}");
        assert!(told.contains("b is 45 s behind, and max_lag is 30 s"), "{told:?}");
        assert_eq!(Lack::Lags { behind: NOT_REPLICATING, most }.to_string(), "does not replicate");
    }

    #[test]
    fn what_is_lacking_for_another_service_of_the_group_is_told_with_its_name() {
        let scene = (0..2).fold(Scene::group(2, 2, ""), |scene, index| {
            let scene = scene.about(index).held_by("a").says("a", "a", Healthy, 1, LONG);
            scene.says("b", "b", if index == 0 { Healthy } else { Unhealthy }, 1, LONG)
        });
        let all = obstacles(scene.snapshot(), &scene.config.services[0]);
        let told: Vec<_> = all.iter().map(ToString::to_string).collect();
        let words =
            "b is down: its own agent reports it unhealthy (for svc-1, of its group)".to_owned();
        assert_eq!(told, [words]);
    }

    #[test]
    fn whoever_lacks_nothing_is_switched_over_to() {
        let scene = pair();
        let service = &scene.config.services[0];
        assert_eq!(obstacles(scene.snapshot(), service), []);
        assert!(switchover(scene.snapshot(), service, Some(&node("b"))).is_ok());
    }
}

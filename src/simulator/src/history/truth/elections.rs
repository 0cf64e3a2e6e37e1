//! Who is the primary of a service that replicates: an election after the primary's death, by the
//! servers themselves. It follows from the faults alone.

use std::collections::BTreeMap;
use std::time::Duration;

use vipward_core::config::{Role, Service};
use vipward_core::outcome::Lag;
use vipward_core::{Config, NodeName, ServiceName};

use crate::history::fault::FaultKind;
use crate::history::truth::{Health, Truth};

/// From one look of the servers at each other to the next.
const STEP: Duration = Duration::from_millis(500);
/// After so much silence of the primary the others elect another.
const ELECTION: Duration = Duration::from_secs(5);

/// By service: its primaries.
pub type Elections = BTreeMap<ServiceName, Election>;

/// The primaries of a service.
#[derive(Debug, Clone)]
pub struct Election {
    /// From each moment on, who is the elected primary, if anybody is.
    elected: Vec<(Duration, Option<NodeName>)>,
    /// Whether the VIP follows it.
    followed: bool,
}

/// The elections of a history, up to the end of its last fault and a little longer.
pub fn elections(config: &Config, truth: &Truth) -> Elections {
    let election = |service: &Service| {
        let followed = service.role == Role::Primary;
        (followed || service.check.kind.max_lag().is_some()).then(|| {
            let elected = Electorate::new(config, truth, &service.name).history();
            (service.name.clone(), Election { elected, followed })
        })
    };
    config.services.iter().filter_map(election).collect()
}

struct Electorate<'t> {
    nodes: Vec<&'t NodeName>,
    truth: &'t Truth,
    service: &'t ServiceName,
    primary: Option<&'t NodeName>,
    /// Since when the primary does not answer.
    silent: Option<Duration>,
}

impl<'t> Electorate<'t> {
    fn new(config: &'t Config, truth: &'t Truth, service: &'t ServiceName) -> Self {
        let nodes: Vec<_> = config.nodes.iter().map(|node| &node.name).collect();
        Self { primary: nodes.first().copied(), nodes, truth, service, silent: None }
    }

    fn history(mut self) -> Vec<(Duration, Option<NodeName>)> {
        let mut history = vec![(Duration::ZERO, self.primary.cloned())];
        let mut moment = Duration::ZERO;
        let end = self.truth.last_change(Duration::MAX) + ELECTION * 2;
        while moment <= end {
            let before = self.primary;
            self.primary = self.elected(moment);
            if self.primary != before {
                history.push((moment, self.primary.cloned()));
            }
            moment += STEP;
        }
        history
    }

    fn answers(&self, node: &NodeName, moment: Duration) -> bool {
        matches!(self.truth.health(node, self.service, moment), Health::Answers(_))
    }

    fn elected(&mut self, moment: Duration) -> Option<&'t NodeName> {
        let asked = self.truth.lasting(moment).find_map(|fault| match &fault.what {
            FaultKind::PrimaryMoves { service, to } if service == self.service => Some(to),
            _ => None,
        });
        if let Some(to) = asked {
            // While it is handed over there is none; a dead one is not chosen.
            self.silent = None;
            let first = self.nodes.iter_mut().position(|node| *node == to);
            self.nodes.swap(0, first.unwrap_or(0));
            return None;
        }
        let alive = |node: &&&NodeName| self.answers(node, moment);
        match self.primary {
            Some(primary) if self.answers(primary, moment) => self.silent = None,
            Some(_) => {
                let since = *self.silent.get_or_insert(moment);
                if moment.saturating_sub(since) >= ELECTION {
                    self.silent = None;
                    return None;
                }
            }
            None => return self.nodes.iter().find(alive).copied(),
        }
        self.primary
    }
}

impl Truth {
    /// Who has been elected, if anybody has.
    pub fn elected(&self, service: &ServiceName, moment: Duration) -> Option<&NodeName> {
        let elected = &self.elections.get(service)?.elected;
        elected.iter().rfind(|(from, _)| *from <= moment)?.1.as_ref()
    }

    /// Whether the service on the node takes itself for the primary.
    pub fn is_primary(&self, node: &NodeName, service: &ServiceName, moment: Duration) -> bool {
        self.elected(service, moment) == Some(node)
            || self.lasting(moment).any(|fault| {
                matches!(&fault.what, FaultKind::TwoPrimaries { node: on, service: of }
                    if on == node && of == service)
            })
    }

    /// How the replica on the node follows its primary: behind it, or without a link to one that
    /// serves.
    pub fn replication(&self, node: &NodeName, service: &ServiceName, moment: Duration) -> Lag {
        let linked = |primary: &&NodeName| {
            matches!(self.health(primary, service, moment), Health::Answers(_))
                && self.passes(primary, node, moment)
                && self.passes(node, primary, moment)
        };
        match self.elected(service, moment).filter(linked) {
            Some(_) => Lag::Behind(self.lag(node, service, moment)),
            None => Lag::Severed,
        }
    }

    /// Whether the VIP follows a primary.
    pub fn follows(&self, service: &ServiceName) -> bool {
        self.elections.get(service).is_some_and(|election| election.followed)
    }

    /// Whether at some moment of that time the service on the node was the primary, or was not.
    pub fn was_primary(
        &self,
        node: &NodeName,
        service: &ServiceName,
        (from, to): (Duration, Duration),
        wanted: bool,
    ) -> bool {
        let mut moment = from;
        while moment < to {
            if self.is_primary(node, service, moment) == wanted {
                return true;
            }
            moment += STEP;
        }
        self.is_primary(node, service, to) == wanted
    }

    /// When primaries change, at whatever service.
    pub fn elections(&self) -> impl Iterator<Item = Duration> {
        self.elections.values().flat_map(|election| &election.elected).map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::cluster::named;
    use crate::history::fault::Fault;

    const TRIO: &str = r#"
cluster = "sim"
subnet = "10.0.0.0/24"
[[node]]
name = "a"
address = "10.0.0.10"
eni = "eni-0000000a"
[[node]]
name = "b"
address = "10.0.0.11"
eni = "eni-0000000b"
[[node]]
name = "c"
address = "10.0.0.12"
eni = "eni-0000000c"
[[service]]
name = "svc"
vip = "10.0.0.201"
role = "primary"
check = { kind = "mongodb", port = 27017 }
"#;

    /// Who is the primary from which second on; nobody is an empty word.
    fn elected(faults: &[(u64, u64, FaultKind)]) -> Vec<(u64, String)> {
        let fault = |(at, lasts, what): &(u64, u64, FaultKind)| Fault {
            at_ms: at * 1_000,
            for_ms: lasts * 1_000,
            what: what.clone(),
        };
        let config = Config::parse("sim", TRIO).expect("it is right");
        let truth = Truth::in_cluster(&config, &faults.iter().map(fault).collect::<Vec<_>>());
        let elections = truth.elections[&named("svc")].elected.iter();
        let who = |who: &Option<NodeName>| who.as_ref().map(NodeName::to_string);
        elections.map(|(from, to)| (from.as_secs(), who(to).unwrap_or_default())).collect()
    }

    fn crash(node: &str) -> FaultKind {
        FaultKind::ServiceCrash { node: named(node), service: named("svc") }
    }

    fn told(elections: &[(u64, &str)]) -> Vec<(u64, String)> {
        elections.iter().map(|(from, who)| (*from, (*who).to_owned())).collect()
    }

    #[test]
    fn another_is_elected_after_the_primary_died_and_stays_when_it_is_back() {
        let elections = elected(&[(100, 60, crash("a"))]);
        assert_eq!(elections, told(&[(0, "a"), (105, ""), (105, "b")]));
        assert_eq!(elected(&[(100, 3, crash("a"))]), told(&[(0, "a")]), "it was back soon");
        let elections = elected(&[(100, 60, crash("a")), (90, 60, crash("b"))]);
        assert_eq!(elections.last(), Some(&(105, "c".to_owned())), "the dead are not elected");
    }

    #[test]
    fn a_primary_hands_over_and_for_a_while_there_is_none() {
        let what = FaultKind::PrimaryMoves { service: named("svc"), to: named("c") };
        let elections = elected(&[(100, 8, what)]);
        assert_eq!(elections, told(&[(0, "a"), (100, ""), (108, "c")]));
    }

    #[test]
    fn a_replica_without_a_primary_that_serves_and_is_reached_is_severed() {
        let config =
            TRIO.replace("role = \"primary\"\n", "").replace("27017", "27017, max_lag = \"9s\"");
        let config = Config::parse("sim", &config).expect("it is right");
        let lag = FaultKind::ServiceLag { node: named("b"), service: named("svc"), ms: 700 };
        let cut = FaultKind::Cut { from: named("a"), to: named("b") };
        let faults = [(0, 900, lag), (100, 60, crash("a")), (300, 9, cut)];
        let truth = Truth::in_cluster(
            &config,
            &faults.map(|(at, lasts, what)| Fault {
                at_ms: at * 1_000,
                for_ms: lasts * 1_000,
                what,
            }),
        );
        assert!(!truth.follows(&named("svc")));
        let seen = |node: &str, at| {
            truth.replication(&named(node), &named("svc"), Duration::from_secs(at))
        };
        let (behind, level) =
            (Lag::Behind(Duration::from_millis(700)), Lag::Behind(Duration::ZERO));
        assert_eq!((seen("b", 99), seen("c", 99)), (behind, level));
        assert_eq!((seen("b", 101), seen("c", 104)), (Lag::Severed, Lag::Severed));
        assert_eq!(truth.elected(&named("svc"), Duration::from_secs(110)), Some(&named("b")));
        assert_eq!((seen("c", 110), seen("a", 200)), (level, level));
        assert_eq!((seen("a", 301), seen("c", 301)), (Lag::Severed, level));
    }

    #[test]
    fn two_may_take_themselves_for_it() {
        let what = FaultKind::TwoPrimaries { node: named("b"), service: named("svc") };
        let config = Config::parse("sim", TRIO).expect("it is right");
        let truth = Truth::in_cluster(&config, &[Fault { at_ms: 1_000, for_ms: 1_000, what }]);
        let claim = |node: &str, ms| {
            truth.is_primary(&named(node), &named("svc"), Duration::from_millis(ms))
        };
        assert!(claim("a", 1_500) && claim("b", 1_500));
        assert!(claim("a", 2_500) && !claim("b", 2_500));
        let (second, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert!(truth.was_primary(&named("b"), &named("svc"), (second, two), true));
        assert!(!truth.was_primary(&named("a"), &named("svc"), (second, two), false));
    }
}

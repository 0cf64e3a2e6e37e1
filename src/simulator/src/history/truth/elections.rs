//! Who is the primary of a service that replicates: an election after the primary's death, by the
//! servers themselves. It follows from the faults alone.

use std::collections::BTreeMap;
use std::time::Duration;

use vipward_core::Config;
use vipward_core::config::{Role, Service};
use vipward_core::outcome::Lag;

use crate::history::fault::What;
use crate::history::truth::{Health, Truth};

/// From one look of the servers at each other to the next.
const STEP: Duration = Duration::from_millis(500);
/// After so much silence of the primary the others elect another.
const ELECTION: Duration = Duration::from_secs(5);

/// By service: its primaries.
pub type Reigns = BTreeMap<String, Reign>;

/// The primaries of a service.
#[derive(Debug, Clone)]
pub struct Reign {
    /// From each moment on, who is the elected primary, if anybody is.
    elected: Vec<(Duration, Option<String>)>,
    /// Whether the VIP follows it.
    followed: bool,
}

/// The elections of a history, up to the end of its last fault and a little longer.
pub fn reigns(config: &Config, truth: &Truth) -> Reigns {
    let reign = |service: &Service| {
        let followed = service.role == Role::Primary;
        let name = service.name.to_string();
        (followed || service.check.kind.max_lag().is_some()).then(|| {
            let elected = Electorate::new(config, truth, &name).history();
            (name, Reign { elected, followed })
        })
    };
    config.services.iter().filter_map(reign).collect()
}

struct Electorate<'t> {
    nodes: Vec<&'t str>,
    truth: &'t Truth,
    service: &'t str,
    primary: Option<&'t str>,
    /// Since when the primary does not answer.
    silent: Option<Duration>,
}

impl<'t> Electorate<'t> {
    fn new(config: &'t Config, truth: &'t Truth, service: &'t str) -> Self {
        let nodes: Vec<_> = config.nodes.iter().map(|node| node.name.as_str()).collect();
        Self { primary: nodes.first().copied(), nodes, truth, service, silent: None }
    }

    fn history(mut self) -> Vec<(Duration, Option<String>)> {
        let mut history = vec![(Duration::ZERO, self.primary.map(str::to_owned))];
        let mut moment = Duration::ZERO;
        let end = self.truth.last_change(Duration::MAX) + ELECTION * 2;
        while moment <= end {
            let before = self.primary;
            self.primary = self.elected(moment);
            if self.primary != before {
                history.push((moment, self.primary.map(str::to_owned)));
            }
            moment += STEP;
        }
        history
    }

    fn answers(&self, node: &str, moment: Duration) -> bool {
        matches!(self.truth.health(node, self.service, moment), Health::Answers(_))
    }

    fn elected(&mut self, moment: Duration) -> Option<&'t str> {
        let asked = self.truth.lasting(moment).find_map(|fault| match &fault.what {
            What::PrimaryMoves { service, to } if service == self.service => Some(to.as_str()),
            _ => None,
        });
        if let Some(to) = asked {
            // While it is handed over there is none; a dead one is not chosen.
            self.silent = None;
            let first = self.nodes.iter_mut().position(|node| *node == to);
            self.nodes.swap(0, first.unwrap_or(0));
            return None;
        }
        let alive = |node: &&&str| self.answers(node, moment);
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
    pub fn elected(&self, service: &str, moment: Duration) -> Option<&str> {
        let reign = self.reigns.get(service)?;
        reign.elected.iter().rfind(|(from, _)| *from <= moment)?.1.as_deref()
    }

    /// Whether the service on the node takes itself for the primary.
    pub fn is_primary(&self, node: &str, service: &str, moment: Duration) -> bool {
        self.elected(service, moment) == Some(node)
            || self.lasting(moment).any(|fault| {
                matches!(&fault.what, What::TwoPrimaries { node: on, service: of }
                    if on == node && of == service)
            })
    }

    /// How the replica on the node follows its primary: behind it, or without a link to one that
    /// serves.
    pub fn replication(&self, node: &str, service: &str, moment: Duration) -> Lag {
        let linked = |primary: &&str| {
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
    pub fn follows(&self, service: &str) -> bool {
        self.reigns.get(service).is_some_and(|reign| reign.followed)
    }

    /// Whether at some moment of that time the service on the node was the primary, or was not.
    pub fn was_primary(
        &self,
        node: &str,
        service: &str,
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
        self.reigns.values().flat_map(|reign| &reign.elected).map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn reigning(faults: &[(u64, u64, What)]) -> Vec<(u64, String)> {
        let fault = |(at, lasts, what): &(u64, u64, What)| Fault {
            at_ms: at * 1_000,
            for_ms: lasts * 1_000,
            what: what.clone(),
        };
        let config = Config::parse("sim", TRIO).expect("it is right");
        let truth = Truth::in_cluster(&config, &faults.iter().map(fault).collect::<Vec<_>>());
        let reigns = truth.reigns["svc"].elected.iter();
        reigns.map(|(from, who)| (from.as_secs(), who.clone().unwrap_or_default())).collect()
    }

    fn crash(node: &str) -> What {
        What::ServiceCrash { node: node.to_owned(), service: "svc".to_owned() }
    }

    fn told(reigns: &[(u64, &str)]) -> Vec<(u64, String)> {
        reigns.iter().map(|(from, who)| (*from, (*who).to_owned())).collect()
    }

    #[test]
    fn another_is_elected_after_the_primary_died_and_stays_when_it_is_back() {
        let reigns = reigning(&[(100, 60, crash("a"))]);
        assert_eq!(reigns, told(&[(0, "a"), (105, ""), (105, "b")]));
        assert_eq!(reigning(&[(100, 3, crash("a"))]), told(&[(0, "a")]), "it was back soon");
        let reigns = reigning(&[(100, 60, crash("a")), (90, 60, crash("b"))]);
        assert_eq!(reigns.last(), Some(&(105, "c".to_owned())), "the dead are not elected");
    }

    #[test]
    fn a_primary_hands_over_and_for_a_while_there_is_none() {
        let what = What::PrimaryMoves { service: "svc".to_owned(), to: "c".to_owned() };
        let reigns = reigning(&[(100, 8, what)]);
        assert_eq!(reigns, told(&[(0, "a"), (100, ""), (108, "c")]));
    }

    #[test]
    fn a_replica_without_a_primary_that_serves_and_is_reached_is_severed() {
        let config =
            TRIO.replace("role = \"primary\"\n", "").replace("27017", "27017, max_lag = \"9s\"");
        let config = Config::parse("sim", &config).expect("it is right");
        let lag = What::ServiceLag { node: "b".to_owned(), service: "svc".to_owned(), ms: 700 };
        let cut = What::Cut { from: "a".to_owned(), to: "b".to_owned() };
        let faults = [(0, 900, lag), (100, 60, crash("a")), (300, 9, cut)];
        let truth = Truth::in_cluster(
            &config,
            &faults.map(|(at, lasts, what)| Fault {
                at_ms: at * 1_000,
                for_ms: lasts * 1_000,
                what,
            }),
        );
        assert!(!truth.follows("svc"));
        let seen = |node: &str, at| truth.replication(node, "svc", Duration::from_secs(at));
        let (behind, level) =
            (Lag::Behind(Duration::from_millis(700)), Lag::Behind(Duration::ZERO));
        assert_eq!((seen("b", 99), seen("c", 99)), (behind, level));
        assert_eq!((seen("b", 101), seen("c", 104)), (Lag::Severed, Lag::Severed));
        assert_eq!(truth.elected("svc", Duration::from_secs(110)), Some("b"));
        assert_eq!((seen("c", 110), seen("a", 200)), (level, level));
        assert_eq!((seen("a", 301), seen("c", 301)), (Lag::Severed, level));
    }

    #[test]
    fn two_may_take_themselves_for_it() {
        let what = What::TwoPrimaries { node: "b".to_owned(), service: "svc".to_owned() };
        let config = Config::parse("sim", TRIO).expect("it is right");
        let truth = Truth::in_cluster(&config, &[Fault { at_ms: 1_000, for_ms: 1_000, what }]);
        let claim = |node: &str, ms| truth.is_primary(node, "svc", Duration::from_millis(ms));
        assert!(claim("a", 1_500) && claim("b", 1_500));
        assert!(claim("a", 2_500) && !claim("b", 2_500));
        let (second, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert!(truth.was_primary("b", "svc", (second, two), true));
        assert!(!truth.was_primary("a", "svc", (second, two), false));
    }
}

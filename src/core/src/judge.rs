//! Evidence to judgement: is a service on a node up, down, or can nobody tell?
//!
//! The rules are the table in docs/design-notes.md, one function for each half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::config::{Node, Service};
use crate::evidence::{Observation, Presence, Snapshot};
use crate::hint::Verdict;
use crate::name::NodeName;
use crate::observed::age;
use crate::timing::UNREACHABLE_FOR;

/// Of one service on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It serves.
    Up(UpBasis),
    /// It does not serve.
    Down(DownBasis),
    /// Nobody can tell.
    Unknown,
}

/// Why it is up; the better basis first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpBasis {
    /// Its own observation, and nobody contradicts it.
    #[serde(rename = "own-word")]
    OwnObservation,
    /// Its own observation, but an observer says it is unreachable: perhaps a partition.
    Suspect,
    /// Observers reach it, but its agent is silent or cannot judge.
    PeersOnly,
}

/// Why it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DownBasis {
    /// Its own observation: a node is believed about its own illness.
    #[serde(rename = "own-word")]
    OwnObservation,
    /// EC2 says that its interface or its instance is gone.
    Gone,
    /// It says it is well, but a majority of all its observers cannot reach it; nor can clients.
    Unreachable,
    /// It is silent, and those who can speak say that it is unreachable.
    SilentAndUnreachable,
}

impl Judgement {
    /// Up, on any basis.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up(_))
    }

    /// Down, on any basis.
    pub fn is_down(self) -> bool {
        matches!(self, Self::Down(_))
    }

    /// Down in a way that makes the node's view of others worthless. A node that observes its own
    /// illness still sees: only its service is ill.
    fn is_blind(self) -> bool {
        matches!(
            self,
            Self::Down(DownBasis::Gone | DownBasis::Unreachable | DownBasis::SilentAndUnreachable)
        )
    }
}

/// The judgement of `service` on every node.
///
/// An observer that is itself down does not count. Who is down is first judged with every
/// observer, then again without the ones found down.
pub fn judge(snapshot: Snapshot<'_>, service: &Service) -> BTreeMap<NodeName, Judgement> {
    let judge_without = |blind: &BTreeSet<NodeName>| -> BTreeMap<NodeName, Judgement> {
        let judge = Judge { snapshot, service, blind };
        snapshot.config.nodes.iter().map(|node| (node.name.clone(), judge.of(node))).collect()
    };
    let first = judge_without(&BTreeSet::new());
    let blind = first.iter().filter(|(_, judgement)| judgement.is_blind());
    judge_without(&blind.map(|(name, _)| name.clone()).collect())
}

struct Judge<'e> {
    snapshot: Snapshot<'e>,
    service: &'e Service,
    blind: &'e BTreeSet<NodeName>,
}

/// What the observers of a node say whose observations are fresh and count.
struct Votes {
    configured: usize,
    reach: usize,
    /// One for each that says unreachable.
    unreachable: Vec<Unreachable>,
}

/// For how long an observer has said that it cannot reach a node.
#[derive(Clone, Copy)]
struct Unreachable {
    /// When it last said so: what came after, it has not said yet.
    said: Duration,
    /// Up to now.
    until_now: Duration,
}

impl Votes {
    fn fresh(&self) -> usize {
        self.reach + self.unreachable.len()
    }

    /// How many say unreachable, and have said so for that long.
    fn saying(&self, long: Duration) -> usize {
        self.unreachable.iter().filter(|unreachable| unreachable.said >= long).count()
    }

    /// A majority of all *configured* observers, at least two: beyond one partition's reach.
    fn most_configured_say_unreachable(&self, long: Duration) -> bool {
        let saying = self.saying(long);
        saying >= 2 && saying * 2 > self.configured
    }

    /// A majority of the fresh, at least two of them; or the only fresh one, for longer.
    fn fresh_say_unreachable(&self, alone: Duration) -> bool {
        match self.unreachable.as_slice() {
            [only] if self.fresh() == 1 => only.until_now >= alone,
            _ => self.fresh() >= 2 && self.saying(UNREACHABLE_FOR) * 2 > self.fresh(),
        }
    }
}

impl Judge<'_> {
    fn of(&self, node: &Node) -> Judgement {
        let own = self
            .snapshot
            .fresh(&node.name, &node.name, &self.service.name)
            .map(|own| own.value.verdict);
        match (self.snapshot.presence(node), own) {
            (Presence::Attached, _) => {}
            // EC2's answers are eventually consistent: one that leaves out the interface of a node
            // that speaks is incomplete.
            (Presence::NotDescribed, Some(Verdict::Healthy)) => return Judgement::Unknown,
            (Presence::NotDescribed | Presence::Detached, _) => {
                return Judgement::Down(DownBasis::Gone);
            }
        }
        let votes = self.votes_on(&node.name);
        if self.metrics_say_ill(&node.name) {
            return when_contested(&votes);
        }
        match own {
            Some(Verdict::Unhealthy) => Judgement::Down(DownBasis::OwnObservation),
            Some(Verdict::Healthy) => when_healthy(&votes),
            Some(Verdict::Unknown) => when_silent(&votes, None),
            None => {
                let read = &self.snapshot.evidence.observations.read;
                let stale_after = self.snapshot.config.policy.stale_after;
                when_silent(&votes, read.contains(&self.service.name).then_some(stale_after))
            }
        }
    }

    /// Whether the last that was said of the node in its own name, if only by its metrics, is that
    /// its service is ill.
    fn metrics_say_ill(&self, node: &NodeName) -> bool {
        let said = self.snapshot.said_against(&self.service.name, node);
        said.is_some_and(|said| said.verdict == Verdict::Unhealthy)
    }

    fn votes_on(&self, subject: &NodeName) -> Votes {
        let mut votes = Votes { configured: 0, reach: 0, unreachable: Vec::new() };
        for observer in self.snapshot.config.observers_of(subject) {
            votes.configured += 1;
            if self.blind.contains(observer) {
                continue;
            }
            let Some(fresh) = self.snapshot.fresh(observer, subject, &self.service.name) else {
                continue;
            };
            let Observation { verdict, since, .. } = fresh.value;
            match verdict {
                Verdict::Healthy => votes.reach += 1,
                Verdict::Unhealthy => votes.unreachable.push(Unreachable {
                    said: age(since, fresh.at),
                    until_now: age(since, self.snapshot.now),
                }),
                Verdict::Unknown => {}
            }
        }
        votes
    }
}

/// The rows of the table where the node says that it is healthy.
fn when_healthy(votes: &Votes) -> Judgement {
    if votes.most_configured_say_unreachable(UNREACHABLE_FOR) {
        Judgement::Down(DownBasis::Unreachable)
    } else if votes.most_configured_say_unreachable(Duration::ZERO) {
        Judgement::Unknown
    } else if votes.unreachable.is_empty() {
        Judgement::Up(UpBasis::OwnObservation)
    } else {
        Judgement::Up(UpBasis::Suspect)
    }
}

/// The rows where only metrics say that the service is ill: it is, if an observer agrees and none
/// reaches it. Otherwise nobody can tell, and such a node is neither left nor chosen.
fn when_contested(votes: &Votes) -> Judgement {
    if votes.reach == 0 && !votes.unreachable.is_empty() {
        return Judgement::Down(DownBasis::OwnObservation);
    }
    match when_silent(votes, None) {
        down @ Judgement::Down(_) => down,
        Judgement::Up(_) | Judgement::Unknown => Judgement::Unknown,
    }
}

/// The rows where the node says nothing that helps. `silent`: it is known to have said nothing for
/// that long, and one observer has to disagree as long; otherwise its metrics could not be read, or
/// it cannot judge, and then only a majority of all observers speaks against it: an error of AWS is
/// not a silence of the node.
fn when_silent(votes: &Votes, silent: Option<Duration>) -> Judgement {
    if votes.most_configured_say_unreachable(UNREACHABLE_FOR)
        || silent.is_some_and(|long| votes.fresh_say_unreachable(long))
    {
        Judgement::Down(DownBasis::SilentAndUnreachable)
    } else if votes.most_configured_say_unreachable(Duration::ZERO) {
        Judgement::Unknown
    } else if votes.reach > 0 {
        Judgement::Up(UpBasis::PeersOnly)
    } else {
        Judgement::Unknown
    }
}

#[cfg(test)]
mod tests;

//! Evidence to judgement: is a service on a node up, down, or can nobody tell?
//!
//! The rules are the table in ARCHITECTURE.md, one function for each half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, Node, Service};
use crate::evidence::{Evidence, Presence, Statement};
use crate::hint::Verdict;
use crate::name::NodeName;
use crate::observed::{Observed, age};

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
    /// Its own word, and nobody says otherwise.
    OwnWord,
    /// Its own word, but an observer says it is unreachable: perhaps a partition.
    Suspect,
    /// Observers reach it, but its agent is silent or cannot judge.
    PeersOnly,
}

/// Why it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DownBasis {
    /// Its own word: a node is believed about its own illness.
    OwnWord,
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

    /// Down in a way that makes the node's view of others worthless. A node that is ill by its own
    /// word still sees: only its service is.
    fn is_blind(self) -> bool {
        matches!(
            self,
            Self::Down(DownBasis::Gone | DownBasis::Unreachable | DownBasis::SilentAndUnreachable)
        )
    }
}

/// For so long observers have to say that they cannot reach a node: the network may lose a second and
/// be well again, and a TCP connection needs as long to try once more.
pub const LASTING: Duration = Duration::from_secs(2);

/// The judgement of `service` on every node.
///
/// The word of an observer that is itself down does not count. Who is down is first judged with
/// every word, then again without those of the ones found down.
pub fn judge(
    config: &Config,
    evidence: &Evidence,
    service: &Service,
    now: Timestamp,
) -> BTreeMap<NodeName, Judgement> {
    let judge_without = |blind: &BTreeSet<NodeName>| -> BTreeMap<NodeName, Judgement> {
        let court = Court { config, evidence, service, now, blind };
        config.nodes.iter().map(|node| (node.name.clone(), court.of(node))).collect()
    };
    let first = judge_without(&BTreeSet::new());
    let blind = first.iter().filter(|(_, judgement)| judgement.is_blind());
    judge_without(&blind.map(|(name, _)| name.clone()).collect())
}

struct Court<'e> {
    config: &'e Config,
    evidence: &'e Evidence,
    service: &'e Service,
    now: Timestamp,
    blind: &'e BTreeSet<NodeName>,
}

/// What the observers of a node say, of those whose word is fresh and counts.
struct Votes {
    configured: usize,
    reach: usize,
    /// For each that says unreachable: for how long.
    unreachable: Vec<Span>,
}

/// For how long an observer has said something.
#[derive(Clone, Copy)]
struct Span {
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
        self.unreachable.iter().filter(|span| span.said >= long).count()
    }

    /// A majority of all *configured* observers, at least two: beyond one partition's reach.
    fn most_configured_say_unreachable(&self, long: Duration) -> bool {
        let saying = self.saying(long);
        saying >= 2 && saying * 2 > self.configured
    }

    /// A majority of the fresh, at least two of them; or the only fresh one, for longer.
    fn fresh_say_unreachable(&self, alone: Duration) -> bool {
        match self.unreachable.as_slice() {
            [span] if self.fresh() == 1 => span.until_now >= alone,
            _ => self.fresh() >= 2 && self.saying(LASTING) * 2 > self.fresh(),
        }
    }
}

impl Court<'_> {
    fn of(&self, node: &Node) -> Judgement {
        let own_word = self.fresh_word(&node.name, &node.name).map(|word| word.value.verdict);
        match (self.evidence.inventory.presence(node), own_word) {
            (Presence::Here, _) => {}
            // EC2's answers are eventually consistent: one that leaves out the interface of a node
            // that speaks is incomplete.
            (Presence::Absent, Some(Verdict::Healthy)) => return Judgement::Unknown,
            (Presence::Absent | Presence::Gone, _) => return Judgement::Down(DownBasis::Gone),
        }
        let votes = self.votes_on(&node.name);
        match own_word {
            Some(Verdict::Unhealthy) => Judgement::Down(DownBasis::OwnWord),
            Some(Verdict::Healthy) => of_well(&votes),
            Some(Verdict::Unknown) => of_mute(&votes, None),
            None => {
                let read = self.evidence.testimony.read.contains(&self.service.name);
                of_mute(&votes, read.then_some(self.config.policy.stale_after))
            }
        }
    }

    fn fresh_word(&self, observer: &NodeName, subject: &NodeName) -> Option<&Observed<Statement>> {
        let word = self.evidence.testimony.word(observer, subject, &self.service.name)?;
        word.fresh(self.now, self.config.policy.stale_after).map(|_| word)
    }

    fn votes_on(&self, subject: &NodeName) -> Votes {
        let mut votes = Votes { configured: 0, reach: 0, unreachable: Vec::new() };
        for observer in self.config.observers_of(subject) {
            votes.configured += 1;
            if self.blind.contains(observer) {
                continue;
            }
            let Some(word) = self.fresh_word(observer, subject) else {
                continue;
            };
            let Statement { verdict, since, .. } = word.value;
            match verdict {
                Verdict::Healthy => votes.reach += 1,
                Verdict::Unhealthy => votes
                    .unreachable
                    .push(Span { said: age(since, word.at), until_now: age(since, self.now) }),
                Verdict::Unknown => {}
            }
        }
        votes
    }
}

/// The rows of the table where the node says that it is healthy.
fn of_well(votes: &Votes) -> Judgement {
    if votes.most_configured_say_unreachable(LASTING) {
        Judgement::Down(DownBasis::Unreachable)
    } else if votes.most_configured_say_unreachable(Duration::ZERO) {
        Judgement::Unknown
    } else if votes.unreachable.is_empty() {
        Judgement::Up(UpBasis::OwnWord)
    } else {
        Judgement::Up(UpBasis::Suspect)
    }
}

/// The rows where the node says nothing that helps. `silent`: it is known to have said nothing for
/// that long, and one observer has to disagree as long; otherwise its metrics could not be read, or it cannot judge, and then only a majority of
/// all observers speaks against it: an error of AWS is not a silence of the node.
fn of_mute(votes: &Votes, silent: Option<Duration>) -> Judgement {
    if votes.most_configured_say_unreachable(LASTING)
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

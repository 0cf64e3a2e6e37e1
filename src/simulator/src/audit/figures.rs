//! How well it went, in figures: what no rule forbids and people want little of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use vipward_core::{Config, NodeName, ServiceName};

use vipward_region_model::fault::Kind;

use crate::audit::call_log::{Look, Remembered};
use crate::audit::move_rules::{Book, Change};
use crate::history::cluster::node_of;
use crate::history::fault::FaultKind;
use crate::history::truth::{Health, Truth};

/// Back where it had left so shortly before, a VIP need not have left.
const FLIP: Duration = Duration::from_mins(1);
/// The beginning of a death is found to this.
const STEP: Duration = Duration::from_millis(100);
/// A ledger is looked at so long after a move was told.
const SHORTLY: Duration = Duration::from_secs(20);

/// Of all histories together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// From the death of a holder to the change of hands, where the new holder was well all the
    /// while.
    pub left: Vec<Duration>,
    /// Those of them in which CloudWatch was out.
    pub blind: Vec<Duration>,
    /// Moves back to a node that the function had moved the VIP from just before.
    pub flips: u64,
    /// Moves that the ledger has forgotten.
    pub lost: u64,
    /// Changes of hands whose sender had not seen the newest holder.
    pub undone: u64,
    /// The function's calls, by operation.
    pub calls: BTreeMap<&'static str, u64>,
}

/// A proven move that the ledger must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub told: Duration,
    pub service: ServiceName,
    /// When the VIP came: several functions at once each tell of the same move.
    pub came: Option<Duration>,
    /// When EC2 accepted it, in seconds of the epoch.
    pub second: i64,
    /// Whether the budget counts it.
    pub counts: Counts,
}

/// Whether the budget counts a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Yes,
    No,
}

impl Proven {
    fn is_same(&self, other: &Self) -> bool {
        (&self.service, self.came) == (&other.service, other.came)
    }
}

impl Figures {
    /// A VIP changes hands; the change is not in the book yet.
    pub fn moved(&mut self, config: &Config, truth: &Truth, book: &Book, change: &Change) {
        let Some(look) = &change.look else { return };
        if look.holders.get(&change.service) != change.from.as_ref() {
            self.undone += 1;
        }
        let since = change.at.saturating_sub(FLIP);
        if book.left_by_function(&change.service, &change.to, since) {
            self.flips += 1;
        }
        let Some((since, took)) = left_after(config, truth, book, change) else { return };
        self.left.push(took);
        if truth.was_any(since, change.at, is_blinding) {
            self.blind.push(took);
        }
    }

    /// Looks whether the ledger still has the moves that were told a while ago, and strikes these.
    pub fn looks_at_ledger(
        &mut self,
        truth: &Truth,
        at: Duration,
        proven: &mut Vec<Proven>,
        look: &Look,
    ) {
        let due = |told: &&Proven| at.saturating_sub(told.told) >= SHORTLY;
        while let Some(first) = proven.iter().find(due).cloned() {
            let ledgers = look.ledgers(&first.service);
            let known = proven.iter().filter(|told| told.is_same(&first));
            let is_known = known.into_iter().any(|told| ledgers.iter().any(|of| knows(of, told)));
            let unfrozen = |what: &FaultKind| matches!(what, FaultKind::Unfreeze { service } if *service == first.service);
            let excused = truth.was_any(at.saturating_sub(FLIP), at, unfrozen);
            self.lost += u64::from(!is_known && !excused);
            proven.retain(|told| !told.is_same(&first));
        }
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.left.extend(&other.left);
        self.blind.extend(&other.blind);
        self.flips += other.flips;
        self.lost += other.lost;
        self.undone += other.undone;
        for (operation, count) in &other.calls {
            *self.calls.entry(operation).or_default() += count;
        }
    }

    /// As lines for people.
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "dead holders left: {}", spread(&self.left));
        let _ = writeln!(text, "  while CloudWatch is out: {}", spread(&self.blind));
        let _ = writeln!(
            text,
            "flips {}, ledger entries lost {}, moves undone by a rival {}",
            self.flips, self.lost, self.undone
        );
        let calls: Vec<_> =
            self.calls.iter().map(|(operation, count)| format!("{operation} {count}")).collect();
        let all: u64 = self.calls.values().sum();
        let _ = writeln!(text, "API calls: {all}: {}", calls.join(", "));
        text
    }
}

/// How many, the one in the middle, and the worst.
fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    match (times.get(times.len() / 2), times.last()) {
        (Some(median), Some(worst)) => {
            let (median, worst) = (median.as_secs_f64(), worst.as_secs_f64());
            format!("{}, median {median:.1} s, worst {worst:.1} s", times.len())
        }
        _ => "0".to_owned(),
    }
}

fn knows(ledger: &Remembered, told: &Proven) -> bool {
    match told.counts {
        Counts::Yes => ledger.unplanned.contains(&told.second),
        Counts::No => ledger.last >= told.second,
    }
}

fn is_blinding(what: &FaultKind) -> bool {
    match what {
        FaultKind::MetricsLost => true,
        FaultKind::Aws { fault } => {
            fault.on().service() == "cloudwatch" && matches!(fault.kind(), Kind::Error { .. })
        }
        _ => false,
    }
}

/// Since when the holder that is left was dead with the VIP, and for how long. Where the new holder
/// was ill meanwhile, the VIP had nowhere to go.
fn left_after(
    config: &Config,
    truth: &Truth,
    book: &Book,
    change: &Change,
) -> Option<(Duration, Duration)> {
    let (from, to) = (node_of(config, change.from.as_ref()?)?, node_of(config, &change.to)?);
    let came = book.last(&change.service).map(|last| last.at).unwrap_or_default();
    let since = death(truth, &from.name, &change.service, change.at)?.max(came);
    let was_well = !truth.was_affected(&to.name, &change.service, since, change.at);
    was_well.then(|| (since, change.at.saturating_sub(since)))
}

/// Since when the service has been dead there without a break, if it is.
fn death(truth: &Truth, node: &NodeName, service: &ServiceName, at: Duration) -> Option<Duration> {
    let dead = |moment| !matches!(truth.health(node, service, moment), Health::Answers(_));
    let mut since = Some(at).filter(|at| dead(*at))?;
    while let Some(before) = since.checked_sub(STEP).filter(|before| dead(*before)) {
        since = before;
    }
    Some(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::cluster::named;
    use crate::history::fault::Fault;

    #[test]
    fn the_middle_and_the_worst_are_told() {
        let seconds =
            |all: &[u64]| all.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();
        assert_eq!(spread(&[]), "0");
        assert_eq!(spread(&seconds(&[9, 1, 2])), "3, median 2.0 s, worst 9.0 s");
        let one = Figures { left: seconds(&[3]), flips: 1, ..Figures::default() };
        let mut both = Figures { calls: BTreeMap::from([("ec2:CreateTags", 2)]), ..one.clone() };
        both.add(&Figures { calls: BTreeMap::from([("ec2:CreateTags", 3)]), ..one });
        assert_eq!((both.left.len(), both.flips, both.calls["ec2:CreateTags"]), (2, 2, 5));
    }

    #[test]
    fn a_death_begins_with_the_first_of_what_follows_without_a_break() {
        let crash = |at_ms, for_ms| Fault {
            at_ms,
            for_ms,
            what: FaultKind::ServiceCrash { node: named("a"), service: named("svc") },
        };
        let truth = Truth::of(&[crash(1_000, 500), crash(3_000, 2_000), crash(4_000, 9_000)]);
        let died =
            |millis| death(&truth, &named("a"), &named("svc"), Duration::from_millis(millis));
        assert_eq!(died(10_000), Some(Duration::from_secs(3)));
        assert_eq!(died(2_000), None);
    }

    #[test]
    fn a_move_that_the_newest_tag_does_not_know_is_lost() {
        let told = |came, second, counts| Proven {
            told: Duration::ZERO,
            service: named("svc"),
            came: Some(Duration::from_secs(came)),
            second,
            counts,
        };
        let ledger = Remembered { last: 20, unplanned: vec![10] };
        let look =
            Look { ledgers: BTreeMap::from([(named("svc"), vec![ledger])]), ..Look::default() };
        let (yes, no) = (Counts::Yes, Counts::No);
        let mut proven = vec![
            told(1, 11, yes),
            told(1, 10, yes),
            told(2, 16, yes),
            told(3, 20, no),
            told(4, 21, no),
        ];
        let mut figures = Figures::default();
        let truth = Truth::default();
        figures.looks_at_ledger(&truth, Duration::from_secs(1), &mut proven, &look);
        assert_eq!((figures.lost, proven.len()), (0, 5), "it is too early");
        figures.looks_at_ledger(&truth, Duration::from_secs(20), &mut proven, &look);
        assert_eq!((figures.lost, proven.len()), (2, 0));
    }
}

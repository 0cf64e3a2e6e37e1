//! What was injected, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::audit::figures::Figures;
use crate::audit::move_rules::Change;
use crate::history::fault_groups::FaultClass;
use crate::history::truth::Truth;

/// For so long after a fault what happens is counted for it.
const AFTERMATH: Duration = Duration::from_mins(1);

/// Of one kind of fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// How many were injected.
    pub injected: u64,
    /// Changes of a VIP's holder meanwhile or soon after.
    pub moves: u64,
    /// Passes that held a VIP for another reason than that its holder is up.
    pub holds: u64,
    /// Alerts to people.
    pub alerts: u64,
}

/// Of all histories together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By the kind of fault. What happens while several last is counted for each of them.
    pub lines: BTreeMap<FaultClass, Line>,
    /// All changes of a holder.
    pub moves: u64,
    /// All alerts.
    pub alerts: u64,
    /// Passes that held, by their reason.
    pub holds: BTreeMap<String, u64>,
    /// Decisions to move, by their outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Invocations of the function.
    pub invocations: u64,
    /// Addresses that alias units added or removed.
    pub repairs: u64,
    /// Histories that were played to their end.
    pub histories: u64,
    /// How well it went.
    pub figures: Figures,
    /// How long they were together.
    pub lasted: Duration,
}

impl Tally {
    /// A fault was injected.
    pub fn injected(&mut self, kind: FaultClass) {
        self.lines.entry(kind).or_default().injected += 1;
    }

    /// A VIP changed hands.
    pub fn moved(&mut self, truth: &Truth, at: Duration, change: &Change) {
        if change.from.as_ref() == Some(&change.to) {
            return;
        }
        self.moves += 1;
        self.put_down(truth, at, |line| line.moves += 1);
    }

    /// The function decided.
    pub fn decided(&mut self, truth: &Truth, at: Duration, outcome: &str, reason: &str) {
        if outcome != "held" {
            *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
            return;
        }
        *self.holds.entry(reason.to_owned()).or_default() += 1;
        if reason != "holder-up" {
            self.put_down(truth, at, |line| line.holds += 1);
        }
    }

    /// People were told something.
    pub fn told(&mut self, truth: &Truth, at: Duration, detail_type: &str) {
        if detail_type == vipward_core::telemetry::ALERT_DETAIL_TYPE {
            self.alerts += 1;
            self.put_down(truth, at, |line| line.alerts += 1);
        }
    }

    fn put_down(&mut self, truth: &Truth, at: Duration, count: impl Fn(&mut Line)) {
        for kind in truth.classes_in(at.saturating_sub(AFTERMATH), at) {
            count(self.lines.entry(kind).or_default());
        }
    }

    /// Passes that held for another reason than that the holder is up.
    pub fn held(&self) -> u64 {
        self.holds.iter().filter(|(reason, _)| *reason != "holder-up").map(|(_, count)| count).sum()
    }

    /// Both together.
    pub fn add(&mut self, other: &Self) {
        for (kind, line) in &other.lines {
            let sum = self.lines.entry(*kind).or_default();
            sum.injected += line.injected;
            sum.moves += line.moves;
            sum.holds += line.holds;
            sum.alerts += line.alerts;
        }
        for (reason, count) in &other.holds {
            *self.holds.entry(reason.clone()).or_default() += count;
        }
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
        self.moves += other.moves;
        self.alerts += other.alerts;
        self.invocations += other.invocations;
        self.repairs += other.repairs;
        self.histories += other.histories;
        self.figures.add(&other.figures);
        self.lasted += other.lasted;
    }
}

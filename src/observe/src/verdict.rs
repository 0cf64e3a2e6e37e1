//! From probe outcomes to verdicts: `rise` and `fall`, with fast confirmation.
//!
//! ```text
//!                rise passes                fall failures
//!            +----------------> Healthy ------------------+
//!            |                   |   ^                    |
//!            |    fall failures  |   | rise passes        |
//!            |    and errors     |   |                    v
//! start -> Unknown <-------------+   +---------------- Unhealthy
//!            |  ^                                       ^   |
//!            |  |              fall errors              |   |
//!            |  +---------------------------------------|---+
//!            +------------------------------------------+
//!                         fall failures
//! ```
//!
//! - All counts are in a row. An error is neither a pass nor a failure; failures and errors mixed
//!   leave a healthy service unknown, and any other as it is.
//! - While a verdict hangs in the balance (at the start, and from a healthy service's first
//!   failure) the next probe follows in a `confirm`, not in a whole `interval`. Recovery takes
//!   its time: `rise` passes, an interval apart.

use std::time::Duration;

use jiff::Timestamp;
use vipward_core::Verdict;
use vipward_core::config::Check;
use vipward_core::outcome::{Outcome, ProbeFailure};

/// The least time between probes, whatever calls for them.
pub const QUICK_STEP: Duration = Duration::from_millis(100);

/// A verdict that differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The verdict before.
    pub from: Verdict,
    /// The verdict now.
    pub to: Verdict,
    /// Why the probe that decided it did not pass; `None` when it passed.
    pub cause: Option<String>,
}

/// The verdict on one target and what leads to the next.
#[derive(Debug, Clone)]
pub struct VerdictMachine {
    interval: Duration,
    confirm: Duration,
    rise: u32,
    fall: u32,
    verdict: Verdict,
    streak: Streak,
    /// Quick steps taken since the last whole interval.
    quick_steps: u32,
    begun: Timestamp,
    next: Timestamp,
    in_flight: bool,
    /// Whether the target was suspected since the last probe began.
    suspected: bool,
}

/// How the last probes went.
#[derive(Debug, Clone, Copy, Default)]
struct Streak {
    passes: u32,
    fails: u32,
    errors: u32,
    /// Failures and errors together since the last pass.
    not_passed: u32,
}

impl Streak {
    fn after(self, outcome: &Outcome) -> Self {
        let not_passed = self.not_passed.saturating_add(1);
        match outcome {
            Ok(_) => Self { passes: self.passes.saturating_add(1), ..Self::default() },
            Err(ProbeFailure::Failed(_) | ProbeFailure::TimedOut(_)) => {
                Self { fails: self.fails.saturating_add(1), not_passed, ..Self::default() }
            }
            Err(ProbeFailure::Inconclusive(_)) => {
                Self { errors: self.errors.saturating_add(1), not_passed, ..Self::default() }
            }
        }
    }
}

impl VerdictMachine {
    /// A machine without a verdict whose first probe is due at once.
    pub fn new(check: &Check, now: Timestamp) -> Self {
        Self {
            interval: check.interval,
            confirm: check.confirm.min(check.interval),
            rise: check.rise,
            fall: check.fall,
            verdict: Verdict::Unknown,
            streak: Streak::default(),
            quick_steps: 0,
            begun: now,
            next: now,
            in_flight: false,
            suspected: false,
        }
    }

    /// When the next probe is to begin; `None` while one is on its way.
    pub fn deadline(&self) -> Option<Timestamp> {
        (!self.in_flight).then_some(self.next)
    }

    /// The verdict at present.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether a probe is to begin now. The caller then calls [`Self::done`], whatever came of it.
    pub fn poll(&mut self, now: Timestamp) -> bool {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        self.begun = now;
        self.in_flight = true;
        self.suspected = false;
        true
    }

    /// Something suggests that the target has changed: the next probe is due at once, or a
    /// [`QUICK_STEP`] after the last began. Never itself a verdict.
    pub fn on_suspicion(&mut self, now: Timestamp) {
        self.suspected = true;
        self.next = self.next.min(now.max(self.begun + QUICK_STEP));
    }

    /// The probe has ended; the change of the verdict, if it makes one.
    pub fn done(&mut self, now: Timestamp, outcome: &Outcome) -> Option<VerdictChange> {
        self.in_flight = false;
        self.streak = self.streak.after(outcome);
        let from = self.verdict;
        self.verdict = self.judged();
        self.next = now.max(self.begun + self.pause());
        let cause = outcome.as_ref().err().map(ToString::to_string);
        (from != self.verdict).then_some(VerdictChange { from, to: self.verdict, cause })
    }

    fn judged(&self) -> Verdict {
        let Streak { passes, fails, errors, not_passed } = self.streak;
        if passes >= self.rise {
            Verdict::Healthy
        } else if fails >= self.fall {
            Verdict::Unhealthy
        } else if errors >= self.fall
            || (self.verdict == Verdict::Healthy && not_passed >= self.fall)
        {
            Verdict::Unknown
        } else {
            self.verdict
        }
    }

    /// From the beginning of the last probe to that of the next.
    fn pause(&mut self) -> Duration {
        let in_the_balance = match self.verdict {
            Verdict::Healthy => self.streak.passes == 0,
            Verdict::Unhealthy => false,
            Verdict::Unknown => self.streak.errors < self.fall,
        };
        // A target that passes and fails in turn would otherwise be probed quickly for ever.
        if in_the_balance && self.quick_steps < self.rise.max(self.fall) {
            self.quick_steps += 1;
            return self.confirm;
        }
        self.quick_steps = 0;
        // What aroused suspicion during the probe may have come after the reply.
        if self.suspected { QUICK_STEP } else { self.interval }
    }
}

#[cfg(test)]
mod tests;

//! When the metrics are due: at each tick, at once when a verdict changes, when an observation of
//! another node has held for long enough to count with others', and shortly before it decides
//! alone: that node is silent by the newest metrics of others. A change that shares its second with
//! what was published before is told once more.
//!
//! Sans-I/O. One request is on its way at a time. What becomes due meanwhile is sent after it,
//! once, with the view of that moment: newer data supersedes what could not be sent, and nothing
//! queues.

use std::time::Duration;

use jiff::Timestamp;
use vipward_core::observed::age;

/// The resolution of the metrics: between two ticks lies no less.
const RESOLUTION: Duration = Duration::from_secs(1);

/// Two publications so far apart lie in two of CloudWatch's seconds, whatever their trips take. Of
/// one second readers see the worst only: an illness would hide the recovery that was told right
/// after it.
const APART: Duration = Duration::from_millis(1_500);

/// Why metrics are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The publish interval has passed, or an observation of another node has held for long enough.
    Tick,
    /// A verdict has changed.
    Change,
}

impl Reason {
    /// The word for log lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Change => "change",
        }
    }
}

/// The schedule of the metrics.
#[derive(Debug, Clone)]
pub struct Publishing {
    interval: Duration,
    next_tick: Timestamp,
    changed: Option<Timestamp>,
    /// When something was last published.
    last: Option<Timestamp>,
    /// When a change is told once more.
    again: Option<Timestamp>,
    in_flight: bool,
}

impl Publishing {
    /// A schedule whose first tick is an interval from now: before that, changes speak.
    pub fn new(interval: Duration, now: Timestamp) -> Self {
        Self {
            interval,
            next_tick: now + interval,
            changed: None,
            last: None,
            again: None,
            in_flight: false,
        }
    }

    /// The agent did not run for a while. As at the start, nothing is on its way, and the first
    /// tick an interval off.
    pub fn on_stall(&mut self, now: Timestamp) {
        *self = Self::new(self.interval, now);
    }

    /// From now on ticks are so far apart.
    pub fn set_interval(&mut self, interval: Duration, now: Timestamp) {
        self.interval = interval;
        self.next_tick = self.next_tick.min(now + interval);
    }

    /// A verdict has changed.
    pub fn on_change(&mut self, now: Timestamp) {
        self.changed.get_or_insert(now);
    }

    /// When [`Self::poll`] next has something; `None` while a request is on its way.
    pub fn deadline(&self) -> Option<Timestamp> {
        let due = [self.changed, self.again, Some(self.next_tick)].into_iter().flatten().min();
        due.filter(|_| !self.in_flight)
    }

    /// Why to publish now, if so. The caller then sends the view of this moment and calls
    /// [`Self::done`], whatever came of it. `threshold`: when, after `now`, the view has to be
    /// published anew because of how long it has held; the ticks go on from there.
    pub fn poll(&mut self, now: Timestamp, threshold: Option<Timestamp>) -> Option<Reason> {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return None;
        }
        let reason = if self.changed.take().is_some() { Reason::Change } else { Reason::Tick };
        // Ticks that passed while a request hung are not made up for.
        while self.next_tick <= now {
            self.next_tick += self.interval;
        }
        if let Some(threshold) = threshold {
            self.next_tick = self.next_tick.min(threshold.max(now + RESOLUTION));
        }
        let shares_its_second = self.last.replace(now).is_some_and(|last| age(last, now) < APART);
        if reason == Reason::Change && shares_its_second {
            self.again = Some(now + APART);
        } else if self.again.is_some_and(|again| again <= now) {
            self.again = None;
        }
        self.in_flight = true;
        Some(reason)
    }

    /// The request has ended, well or not.
    pub fn done(&mut self) {
        self.in_flight = false;
    }
}

#[cfg(test)]
mod tests;

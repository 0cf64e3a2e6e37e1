//! When hints are due: at once when own trouble starts or changes (another's a moment later), then
//! again 1, 2, 4, 10, 10 … s later while it lasts, because each carries for how long things have
//! been so and the function may have to wait for that; and at the very moment at which it need wait
//! no longer. Trouble is what is unhealthy, what leaves, and metrics that fail.
//!
//! Sans-I/O. One is on its way at a time; each carries the whole view of its moment, so one that is
//! superseded loses nothing. One that fails is followed by another 1, 2, 4, 8 … 60 s later, with
//! the view of then, until one gets through, whatever has become of the trouble: what was not told
//! is not known, and somebody has to notice when hints get through again. When trouble of the
//! agent's *own* service ends, one parting hint says so: the metrics would say it too, but the
//! function would go on treating the node as ill until they are read. The end of another's trouble
//! is that node's to tell.

use std::time::Duration;

use jiff::Timestamp;

/// From each hint to the next while trouble lasts; the last for all that follow.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(10),
];

/// How long news of another node waits for that node's own hint, which says more: a node is
/// believed about its own illness, and a peer that comes first costs the function an invocation
/// that cannot decide, with the decisive hint queued behind it.
const PRECEDENCE: Duration = Duration::from_millis(250);

/// After a hint that failed; doubled with each further one, up to `LONGEST_RETRY`. Each is several
/// attempts of the outlet already.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// What a verdict that changed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A service of this node.
    Own,
    /// Of a service of this node what must be told once though nothing is amiss: it was unhealthy
    /// or left and no longer is or does, it has another role, or its VIP has come.
    OwnAllClear,
    /// A service of another node.
    Others,
}

/// The schedule of the hints; at first there is no trouble.
#[derive(Debug, Clone, Default)]
pub struct Hinting {
    trouble: bool,
    due: Option<Timestamp>,
    /// The hint that is due says something of this node that is no trouble.
    all_clear: bool,
    /// Hints sent since trouble started or changed.
    repeats: usize,
    /// Hints in a row that failed.
    failures: u32,
    in_flight: bool,
}

impl Hinting {
    /// A verdict has changed. `trouble`: something is unhealthy now.
    pub fn on_change(&mut self, now: Timestamp, trouble: bool, news: News) {
        self.trouble = trouble;
        self.all_clear |= news == News::OwnAllClear;
        self.repeats = 0;
        let due = if news == News::Others { now + PRECEDENCE } else { now };
        let has_news = trouble || self.all_clear;
        self.due = if has_news {
            Some(self.due.map_or(due, |sooner| sooner.min(due)))
        } else {
            self.due.filter(|_| self.failures > 0)
        };
    }

    /// The agent did not run for a while: there is no trouble that it knows of, and no hint on its
    /// way. What had failed is tried again.
    pub fn on_stall(&mut self, now: Timestamp) {
        let failures = self.failures;
        *self = Self { failures, due: (failures > 0).then_some(now), ..Self::default() };
    }

    /// When [`Self::poll`] next has something; `None` while a hint is on its way or none is due.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due.filter(|_| !self.in_flight)
    }

    /// Whether to hint now. The caller then sends the view of this moment and calls
    /// [`Self::done`], whatever came of it. `threshold`: when, after `now`, the next observation of
    /// the view will have held for long enough to decide, with others or alone.
    pub fn poll(&mut self, now: Timestamp, threshold: Option<Timestamp>) -> bool {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        let pause = PAUSES[self.repeats.min(PAUSES.len() - 1)];
        self.repeats = self.repeats.saturating_add(1);
        let next = threshold.into_iter().chain([now + pause]).min();
        self.due = next.filter(|_| self.trouble);
        self.all_clear = false;
        self.in_flight = true;
        true
    }

    /// The hint has been sent, or could not be: then there is another.
    pub fn done(&mut self, now: Timestamp, sent: bool) {
        self.in_flight = false;
        if sent {
            self.failures = 0;
            return;
        }
        let pause = FIRST_RETRY * 2_u32.pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let again = now + pause.min(LONGEST_RETRY);
        self.due = Some(self.due.map_or(again, |due| due.min(again)));
    }
}

#[cfg(test)]
mod tests;

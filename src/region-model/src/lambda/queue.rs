//! The asynchronous queue: what waits, until when, and how retries are spaced.

use jiff::{SignedDuration, Timestamp};

use super::Settings;

/// One event in the queue, or taken from it and running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    pub function: String,
    pub request_id: String,
    pub payload: Vec<u8>,
    accepted: Timestamp,
    due: Timestamp,
    failures: u32,
    /// The wait after the last throttle, if the last try was throttled.
    backoff: Option<SignedDuration>,
}

impl Queued {
    pub(super) fn new(
        function: String,
        request_id: String,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> Self {
        Self { function, request_id, payload, accepted: now, due: now, failures: 0, backoff: None }
    }

    pub(super) fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.accepted)
    }

    /// There was no room: it waits 1 s, doubling up to 5 min (both settings). Costs no attempt.
    pub(super) fn throttled(&mut self, settings: &Settings, now: Timestamp) {
        let wait = self
            .backoff
            .map_or(settings.throttle_first, |last| (last * 2).min(settings.throttle_most));
        self.backoff = Some(wait);
        self.due = now + wait;
    }

    /// The function failed: it waits one minute, then two. `false` when no attempt is left.
    pub(super) fn failed(&mut self, max_retries: u32, settings: &Settings, now: Timestamp) -> bool {
        self.failures += 1;
        self.backoff = None;
        let wait = i32::try_from(self.failures).unwrap_or(i32::MAX);
        self.due = now + settings.error_retry * wait;
        self.failures <= max_retries
    }
}

/// All waiting events of a region.
#[derive(Debug, Default)]
pub(super) struct Queue(Vec<Queued>);

impl Queue {
    pub(super) fn push(&mut self, queued: Queued) {
        self.0.push(queued);
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.0.iter().map(|queued| queued.due).min()
    }

    /// Takes the event that is due for longest; of equals the one queued first.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Queued> {
        let (at, _) = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, queued)| queued.due <= now)
            .min_by_key(|(at, queued)| (queued.due, *at))?;
        Some(self.0.remove(at))
    }
}

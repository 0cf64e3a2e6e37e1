//! The agent's pulse: it asks to be woken often, so a long gap between two beats means that it did
//! not run. A host that was paused must not take its own pause for the failure of others, nor
//! publish as fresh what it saw before: what was known then is forgotten.
//!
//! Sans-I/O.

use std::time::Duration;

use jiff::Timestamp;

/// From one beat to the next.
const BEAT: Duration = Duration::from_millis(500);
/// A gap from which on the agent did not run. A shorter one costs a single probe its timeout at
/// most, which the verdicts' debouncing bears.
const STALL: Duration = Duration::from_secs(2);

/// When the agent last ran.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    last: Timestamp,
}

impl Pulse {
    /// The pulse of an agent that runs now.
    pub fn new(now: Timestamp) -> Self {
        Self { last: now }
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.last + BEAT)
    }

    /// The agent runs; for how long it did not, when that was a stall.
    pub fn poll(&mut self, now: Timestamp) -> Option<Duration> {
        let gap = Duration::try_from(now.duration_since(self.last)).unwrap_or_default();
        self.last = now;
        (gap >= STALL).then_some(gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_gap_between_two_beats_is_a_stall() {
        // (milliseconds of the beats, gaps noticed)
        let table: [(&str, &[u64], &[u64]); 6] = [
            ("regular beats", &[500, 1000, 1500, 2000, 2500], &[]),
            ("late ones", &[1400, 2900, 4800], &[]),
            ("just short of a stall", &[500, 2499], &[]),
            ("a stall", &[500, 2500], &[2000]),
            ("a stall is noticed once", &[500, 60_500, 61_000], &[60_000]),
            ("each is noticed", &[3000, 3500, 8500], &[3000, 5000]),
        ];
        let at = |ms| Timestamp::UNIX_EPOCH + Duration::from_millis(ms);
        for (what, beats, stalls) in table {
            let mut pulse = Pulse::new(at(0));
            let gaps: Vec<_> = beats.iter().filter_map(|ms| pulse.poll(at(*ms))).collect();
            let expected: Vec<_> = stalls.iter().map(|ms| Duration::from_millis(*ms)).collect();
            assert_eq!(gaps, expected, "{what}");
        }
    }

    #[test]
    fn the_next_beat_is_due_well_before_a_stall() {
        let mut pulse = Pulse::new(Timestamp::UNIX_EPOCH);
        let late = Timestamp::UNIX_EPOCH + Duration::from_secs(9);
        pulse.poll(late);
        assert_eq!(pulse.deadline(), Some(late + BEAT));
    }

    #[test]
    fn a_clock_that_goes_back_is_no_stall() {
        let mut pulse = Pulse::new(Timestamp::UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(pulse.poll(Timestamp::UNIX_EPOCH), None);
    }
}

//! When the next pass is due if no event comes: a slow safety net, quicker while something failed.
//! And when the instance metadata are asked again.

use std::time::Duration;

use vipward_core::knowledge::Answer;

/// Between passes when all is well. Events carry the news; this only bounds what a lost one can
/// cost.
const RESYNC: Duration = Duration::from_mins(1);
/// After the first failure; doubled with each further one, up to `RESYNC`.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// From the end of a pass to the start of the next at least. One event after a quiet time is
/// answered at once; in a flood of them each pass answers all that came meanwhile.
pub const GAP: Duration = Duration::from_millis(20);

/// Counts failed passes and answers with the wait.
#[derive(Debug)]
pub struct Pace {
    slowest: Duration,
    failures: u32,
}

impl Pace {
    /// With a watchdog that wants a sign of life within `watchdog`, passes come twice as often:
    /// each one is a sign.
    pub fn new(watchdog: Option<Duration>) -> Self {
        let slowest = watchdog.map_or(RESYNC, |limit| RESYNC.min(limit / 2));
        Self { slowest, failures: 0 }
    }

    /// How long to wait for an event after a pass in which every repair, or not every one, worked.
    pub fn after(&mut self, all_worked: bool) -> Duration {
        if all_worked {
            self.failures = 0;
            return self.slowest;
        }
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        (FIRST_RETRY * 2_u32.pow(doublings)).min(self.slowest)
    }
}

/// From one question to the next: a VIP is on the interface within half a second of the metadata
/// naming it. It costs two requests a second of the 1,024 packets that an interface may send to
/// the instance's services.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest wait after errors, which double it: throttling ends only when asked less.
const LONGEST: Duration = Duration::from_secs(4);

/// The pace of the questions to the instance metadata.
#[derive(Debug)]
pub struct Questions {
    wait: Duration,
}

impl Default for Questions {
    fn default() -> Self {
        Self { wait: INTERVAL }
    }
}

impl Questions {
    /// How long to wait after this answer before the next question.
    pub fn after(&mut self, answer: &Answer) -> Duration {
        self.wait = match answer {
            Answer::Addresses(_) => INTERVAL,
            Answer::Unknown(_) => (self.wait * 2).min(LONGEST),
        };
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_double_the_wait_and_an_answer_ends_that() {
        let failed = || Answer::Unknown("503".to_owned());
        let well = || Answer::Addresses([].into());
        let mut questions = Questions::default();
        let answers = [failed(), failed(), failed(), failed(), failed(), well(), failed()];
        let waits = answers.map(|answer| questions.after(&answer).as_millis());
        assert_eq!(waits, [1000, 2000, 4000, 4000, 4000, 500, 1000]);
    }

    #[test]
    fn a_minute_when_well_and_doubling_while_failing() {
        let mut pace = Pace::new(None);
        let waits = [true, false, false, false, false, false, false, false, true, false]
            .map(|all_worked| pace.after(all_worked).as_secs());
        assert_eq!(waits, [60, 1, 2, 4, 8, 16, 32, 60, 60, 1]);
    }

    #[test]
    fn it_never_overflows() {
        let mut pace = Pace::new(None);
        assert!((0..100).all(|_| pace.after(false) <= RESYNC));
    }

    #[test]
    fn twice_within_the_watchdog() {
        let mut pace = Pace::new(Some(Duration::from_secs(30)));
        assert_eq!(pace.after(true), Duration::from_secs(15));
        let mut pace = Pace::new(Some(Duration::from_mins(5)));
        assert_eq!(pace.after(true), RESYNC);
    }
}

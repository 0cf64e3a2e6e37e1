//! AWS's time, by the `Date` of its answers. What an agent says carries it: a request that a proxy
//! or the kernel holds back, or that is sent once more, arrives as old as it is, whatever the
//! host's clock.
//!
//! A date is a whole second, somewhere between a request and its answer. So each answer bounds
//! AWS's clock from both sides; many of them bound it to within a trip.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What a date leaves out.
const SECOND: Duration = Duration::from_secs(1);
/// Clocks drift by less than that between two answers.
const DRIFT: SignedDuration = SignedDuration::from_secs(3);

/// What is known of AWS's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsTime {
    /// By how much it is ahead of the agent's own: at least, and at most.
    ahead: Option<(SignedDuration, SignedDuration)>,
}

impl AwsTime {
    /// An answer carried that date; the request was sent, and the answer received, at these times
    /// of the agent's own clock. One that contradicts all before it is not believed, nor are they
    /// any more: somebody has a wrong date, or the host has slept.
    pub fn on_answer(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let least = date.duration_since(received);
        let most = (date + SECOND).duration_since(sent);
        self.ahead = match self.ahead {
            None => Some((least, most)),
            Some((low, high)) if least > high + DRIFT || most < low - DRIFT => None,
            // What has long been known yields to the newest answer.
            Some((low, high)) => {
                let low = low.max(least).min(most);
                Some((low, high.min(most).max(low)))
            }
        };
    }

    /// What AWS's clock shows, or showed, at that time of the agent's own, at least; `None` before
    /// the first answer.
    pub fn at(&self, own: Timestamp) -> Option<Timestamp> {
        self.ahead.map(|(least, _)| own + least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(ms)
    }

    /// A request that takes 20 ms there and back, answered by a clock so far ahead.
    fn asks(time: &mut AwsTime, sent: i64, ahead: i64) {
        let there = sent + 10 + ahead;
        time.on_answer(ms(there.div_euclid(1_000) * 1_000), ms(sent), ms(sent + 20));
    }

    #[test]
    fn before_the_first_answer_nothing_is_known() {
        assert_eq!(AwsTime::default().at(ms(0)), None);
    }

    #[test]
    fn it_is_never_ahead_of_aws_and_answers_bring_it_close() {
        for ahead in [-300_000, -1, 0, 1, 999, 300_123] {
            let mut time = AwsTime::default();
            for answer in 0..40 {
                let sent = answer * 1_270;
                asks(&mut time, sent, ahead);
                let shown = time.at(ms(sent)).expect("an answer");
                assert!(shown <= ms(sent + ahead) && ms(sent + ahead - 1_011) <= shown);
            }
            let behind = ms(ahead).duration_since(time.at(ms(0)).expect("answers"));
            assert!(behind <= SignedDuration::from_millis(40), "{behind}");
        }
    }

    #[test]
    fn a_clock_that_drifts_is_followed_both_ways() {
        for per_answer in [-7, 7] {
            let mut time = AwsTime::default();
            let mut ahead = 0;
            for answer in 0..1_000 {
                ahead += per_answer;
                asks(&mut time, answer * 1_270, ahead);
                let off = time.at(ms(0)).expect("an answer").duration_since(ms(ahead));
                assert!(off.abs() <= SignedDuration::from_millis(1_020), "{off}");
            }
        }
    }

    #[test]
    fn an_answer_that_was_long_under_way_spoils_nothing() {
        let mut time = AwsTime::default();
        (0..40).for_each(|answer| asks(&mut time, answer * 1_270, 0));
        let before = time.at(ms(0));
        time.on_answer(ms(60_000), ms(60_500), ms(64_000));
        assert_eq!(time.at(ms(0)), before);
    }

    #[test]
    fn a_date_that_contradicts_all_before_is_not_believed_and_the_next_is() {
        for wrong in [-3_600_000, 3_600_000] {
            let mut time = AwsTime::default();
            (0..40).for_each(|answer| asks(&mut time, answer * 1_270, 0));
            asks(&mut time, 60_000, wrong);
            assert_eq!(time.at(ms(60_100)), None);
            asks(&mut time, 60_200, 0);
            assert_eq!(time.at(ms(60_220)), Some(ms(60_000)));
        }
    }
}

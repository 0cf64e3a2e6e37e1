//! The memory of a VIP's moves: one tag on the ENI it moved to. The newest across ENIs wins.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::MoveBudget;
use crate::name::{ClusterName, ServiceName};
use crate::observed::age;

/// Moves remembered: more than any budget allows (15), and few enough for a tag value
/// (256 characters).
const REMEMBERED: usize = 16;

/// The wait before the first move beyond the budget; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// When a VIP moved: planned or not the last time, and the unplanned moves before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    last: Option<Timestamp>,
    /// Oldest first.
    unplanned: Vec<Timestamp>,
}

impl Ledger {
    /// The key of the tag that holds the ledger of `service`.
    pub fn tag_key(cluster: &ClusterName, service: &ServiceName) -> String {
        format!("vipward:{cluster}:{service}")
    }

    /// When the VIP last moved, to the second.
    pub fn last_move(&self) -> Option<Timestamp> {
        self.last
    }

    /// The ledger after a move at `at`, without what no budget window of length `per` can see.
    #[must_use]
    pub fn after_move(&self, at: Timestamp, unplanned: bool, per: Duration) -> Self {
        let mut moves: Vec<_> =
            self.unplanned.iter().copied().filter(|then| age(*then, at) < per).collect();
        if unplanned {
            moves.push(at);
        }
        let surplus = moves.len().saturating_sub(REMEMBERED);
        Self { last: Some(at), unplanned: moves.split_off(surplus) }
    }

    /// The ledger of somebody who has looked into the moves: the budget is whole again.
    #[must_use]
    pub fn unfrozen(&self) -> Self {
        Self { last: self.last, unplanned: Vec::new() }
    }

    /// Unplanned moves within the budget's window.
    pub fn moves_within(&self, per: Duration, now: Timestamp) -> usize {
        self.unplanned.iter().filter(|then| age(**then, now) < per).count()
    }

    /// Until when a further unplanned move must wait: never while the budget lasts, then 1, 2, 4 …
    /// minutes after the last.
    pub fn wait_until(&self, budget: MoveBudget, now: Timestamp) -> Option<Timestamp> {
        let allowed = usize::try_from(budget.moves).unwrap_or(usize::MAX);
        let beyond = self.moves_within(budget.per, now).checked_sub(allowed)?;
        let doublings = u32::try_from(beyond.min(REMEMBERED)).unwrap_or(u32::MAX);
        let wait = FIRST_WAIT.saturating_mul(2_u32.pow(doublings));
        // Anybody may write the tag, and a time at the very end of them all.
        let until = self.unplanned.last()?.checked_add(wait).unwrap_or(Timestamp::MAX);
        (now < until).then_some(until)
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.last.map_or(0, Timestamp::as_second);
        write!(f, "moved={last} moves=")?;
        for (index, at) in self.unplanned.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", at.as_second())?;
        }
        Ok(())
    }
}

/// The tag's text is not a ledger's: somebody else wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a ledger of moves")]
pub struct NotALedger(String);

impl FromStr for Ledger {
    type Err = NotALedger;

    fn from_str(text: &str) -> Result<Self, NotALedger> {
        let second =
            |digits: &str| digits.parse().ok().and_then(|s| Timestamp::from_second(s).ok());
        let read = || {
            let (last, unplanned) = text.strip_prefix("moved=")?.split_once(" moves=")?;
            let listed = unplanned.split(',').filter(|part| !part.is_empty());
            let unplanned = listed.map(second).collect::<Option<Vec<_>>>()?;
            let last = second(last)?;
            Some(Self { last: (last.as_second() > 0).then_some(last), unplanned })
        };
        read().ok_or_else(|| NotALedger(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_hours(1);
    const BUDGET: MoveBudget = MoveBudget { moves: 3, per: HOUR };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("within range")
    }

    fn after_unplanned_moves(seconds: &[i64]) -> Ledger {
        seconds.iter().fold(Ledger::default(), |l, s| l.after_move(at(*s), true, HOUR))
    }

    #[test]
    fn moves_within_the_budget_do_not_wait() {
        assert_eq!(after_unplanned_moves(&[0, 10]).wait_until(BUDGET, at(20)), None);
    }

    #[test]
    fn moves_beyond_the_budget_wait_longer_and_longer() {
        for (moves, wait) in
            [(vec![0, 10, 20], 60), (vec![0, 10, 20, 30], 120), (vec![0, 1, 2, 3, 4], 240)]
        {
            let last = *moves.last().expect("moves");
            let ledger = after_unplanned_moves(&moves);
            assert_eq!(ledger.wait_until(BUDGET, at(last)), Some(at(last + wait)), "{moves:?}");
            assert_eq!(ledger.wait_until(BUDGET, at(last + wait)), None, "{moves:?}");
        }
    }

    #[test]
    fn old_and_planned_moves_leave_the_budget_alone() {
        let old = after_unplanned_moves(&[0, 10, 20]);
        assert_eq!(old.wait_until(BUDGET, at(3_620)), None);
        let planned = (0..9).fold(Ledger::default(), |l, s| l.after_move(at(s), false, HOUR));
        assert_eq!(planned.wait_until(BUDGET, at(10)), None);
        assert_eq!(planned.last_move(), Some(at(8)));
    }

    #[test]
    fn a_move_counts_until_the_window_has_passed_and_is_forgotten_then() {
        let spent = after_unplanned_moves(&[0, 3_500, 3_550]);
        assert!(spent.wait_until(BUDGET, at(3_599)).is_some());
        assert_eq!(spent.wait_until(BUDGET, at(3_600)), None);
        let next = |second| spent.after_move(at(second), true, HOUR).unplanned;
        assert_eq!(next(3_599), [0, 3_500, 3_550, 3_599].map(at));
        assert_eq!(next(3_600), [3_500, 3_550, 3_600].map(at));
    }

    #[test]
    fn who_makes_the_budget_whole_forgets_no_rest() {
        let unfrozen = after_unplanned_moves(&[0, 10, 20]).unfrozen();
        assert_eq!(unfrozen.wait_until(BUDGET, at(20)), None);
        assert_eq!(unfrozen.last_move(), Some(at(20)), "it has moved only just now all the same");
    }

    #[test]
    fn a_move_at_the_end_of_time_waits_and_does_no_harm() {
        let end = Timestamp::MAX.as_second();
        let ledger: Ledger = format!("moved=1 moves={end},{end},{end}").parse().expect("a ledger");
        assert_eq!(ledger.wait_until(BUDGET, at(0)), Some(Timestamp::MAX));
        assert_eq!(ledger.unfrozen().wait_until(BUDGET, at(0)), None);
    }

    #[test]
    fn text_of_others_is_not_a_ledger() {
        for text in ["", "moved=1", "moved=x moves=", "moved=1 moves=a", "moves=1 moved=1"] {
            assert!(text.parse::<Ledger>().is_err(), "{text}");
        }
    }

    proptest! {
        /// Somebody wants to move all the time: what comes of it keeps the budget's promise.
        #[test]
        fn beyond_the_budget_each_move_keeps_its_distance(
            pauses in proptest::collection::vec(1_i64..900, 1..60),
            moves in 1_u32..5,
        ) {
            let budget = MoveBudget { moves, per: HOUR };
            let (mut ledger, mut now, mut made) = (Ledger::default(), 0, Vec::new());
            for pause in pauses {
                now += pause;
                if ledger.wait_until(budget, at(now)).is_some() {
                    continue;
                }
                let recent = made.iter().filter(|then| now - **then < 3_600).count();
                if let Some(beyond) = recent.checked_sub(moves as usize) {
                    let last = made.last().expect("the budget was spent");
                    prop_assert!(now - last >= 60 << beyond, "{made:?}, then {now}");
                }
                made.push(now);
                ledger = ledger.after_move(at(now), true, HOUR);
            }
            prop_assert!(!made.is_empty(), "the first never waits");
        }

        #[test]
        fn a_ledger_survives_its_tag(seconds in proptest::collection::vec(0_i64..7_200, 0..40)) {
            let ledger = after_unplanned_moves(&seconds);
            let text = ledger.to_string();
            prop_assert!(text.len() <= 256);
            prop_assert_eq!(text.parse::<Ledger>(), Ok(ledger));
        }
    }
}

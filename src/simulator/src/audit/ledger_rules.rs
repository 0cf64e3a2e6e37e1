//! What the function says it decided, held against what EC2 had told it: the rules about the ledger
//! of moves and about drained nodes. EC2's tags are what the function can know of the past: where
//! EC2 refused one, no rule is broken by what is not in it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::drain::Drain;
use vipward_core::ledger::Ledger;
use vipward_core::{Config, NodeName, ServiceName};

use crate::audit::call_log::{CallLog, Look, Remembered, drained_until};
use crate::audit::figures::{Counts, Proven};
use crate::audit::rule::{Finding, Rule};

/// The wait before the first move beyond the budget.
const FIRST_WAIT: i64 = 60;
/// More moves than any budget allows are not remembered.
const REMEMBERED: usize = 16;

/// A decision to move, as its record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub service: ServiceName,
    pub to: NodeName,
    /// `failover` for example.
    pub kind: String,
    /// When it was decided.
    pub at: Timestamp,
    /// When EC2 accepted it, where it was proven.
    pub assigned: Option<Timestamp>,
}

impl Decided {
    /// What the record says, if it is one of a move that was tried.
    pub fn read(line: &Value) -> Option<Self> {
        let choice = &line["choice"]["move"];
        let moment = |value: &Value| value.as_str()?.parse().ok();
        let tried = !matches!(line["outcome"].as_str(), Some("observed" | "overtaken") | None);
        Some(Self {
            service: line["service"].as_str()?.parse().ok()?,
            to: choice["to"].as_str()?.parse().ok()?,
            kind: choice["kind"].as_str()?.to_owned(),
            at: moment(&line["decided"])?,
            assigned: moment(&line["assigned"]),
        })
        .filter(|_| tried)
    }

    fn is_unplanned(&self) -> bool {
        matches!(self.kind.as_str(), "failover" | "relief")
    }

    /// What the ledger must know of it, when it is told `at` this moment, and `came` at that one.
    pub fn proven(&self, at: Duration, came: Option<Duration>) -> Option<Proven> {
        Some(Proven {
            told: at,
            service: self.service.clone(),
            came,
            second: self.assigned?.as_second(),
            counts: if self.is_unplanned() { Counts::Yes } else { Counts::No },
        })
    }

    /// The first rule that the decision breaks; `call_log` is of the invocation that made it.
    pub fn judge(&self, config: &Config, call_log: &CallLog) -> Option<Finding> {
        let look = call_log.look_by(self.at)?;
        self.spares_the_drained(config, look, call_log)
            .or_else(|| self.keeps_the_budget(config, look, call_log))
            .or_else(|| self.is_remembered(config, call_log))
    }

    /// What an order of this very invocation has written counts before EC2 shows it.
    fn spares_the_drained(
        &self,
        config: &Config,
        look: &Look,
        call_log: &CallLog,
    ) -> Option<Finding> {
        let node = config.node(&self.to)?;
        let ordered = call_log.tags.iter().rev().find_map(|(eni, tags)| {
            let text = tags.get(&Drain::tag_key(&config.cluster))?;
            drained_until(text).filter(|_| *eni == node.eni.as_str())
        });
        let until = ordered.or_else(|| look.drains.get(&self.to).copied());
        let until = until.filter(|until| self.at < *until)?;
        let what = format!("{} went to {}, drained until {until}", self.service, self.to);
        Some((Rule::DrainedNodeGetsNone, what))
    }

    /// Beyond the budget each move waits 1, 2, 4 … minutes after the last, unless EC2 said that the
    /// holder's instance does not run.
    fn keeps_the_budget(
        &self,
        config: &Config,
        look: &Look,
        call_log: &CallLog,
    ) -> Option<Finding> {
        let is_gone =
            look.holders.get(&self.service).is_some_and(|eni| call_log.gone.contains(eni));
        if !self.is_unplanned() || is_gone {
            return None;
        }
        // An unfreeze of this very invocation counts before EC2 shows it.
        let key = Ledger::tag_key(&config.cluster, &self.service);
        let written =
            call_log.tags.iter().filter_map(|(_, tags)| Remembered::read(tags.get(&key)?));
        let before = written.filter(|ledger| ledger.last < self.at.as_second());
        let waits: Vec<_> = look.ledgers(&self.service).into_iter().chain(before).collect();
        let until = waits.iter().map(|ledger| free_from(config, ledger, self.at)).min()?;
        (self.at.as_second() < until).then(|| {
            let early = until - self.at.as_second();
            let what = format!("{} moved {early} s before its wait was over", self.service);
            (Rule::Budget, what)
        })
    }

    /// A move that EC2 has accepted is to be written down, with those before it: whether EC2 took
    /// the tag is another matter.
    fn is_remembered(&self, config: &Config, call_log: &CallLog) -> Option<Finding> {
        let assigned = self.assigned?;
        let key = Ledger::tag_key(&config.cluster, &self.service);
        let written =
            || call_log.tags.iter().filter_map(|(_, tags)| Remembered::read(tags.get(&key)?));
        let seen = call_log.looks.iter().flat_map(|(_, look)| look.ledgers(&self.service));
        let unfrozen = written().filter(|ledger| ledger.last < assigned.as_second());
        let mut expected = seen.chain(unfrozen).map(|ledger| self.after(config, &ledger, assigned));
        let is_right = expected.any(|ledger| written().any(|is| is == ledger));
        (!is_right).then(|| {
            let written: Vec<_> = written().collect();
            let what = format!("{} moved at {assigned}, and is told as {written:?}", self.service);
            (Rule::MoveIsRecorded, what)
        })
    }

    /// The ledger after this move.
    fn after(&self, config: &Config, before: &Remembered, assigned: Timestamp) -> Remembered {
        let mut unplanned = within(config, before, assigned);
        unplanned.extend(self.is_unplanned().then(|| assigned.as_second()));
        let surplus = unplanned.len().saturating_sub(REMEMBERED);
        Remembered { last: assigned.as_second(), unplanned: unplanned.split_off(surplus) }
    }
}

/// The unplanned moves within the budget's window.
fn within(config: &Config, ledger: &Remembered, now: Timestamp) -> Vec<i64> {
    let per = config.policy.move_budget.per;
    let lately = |second: &&i64| {
        let age = now.as_duration() - jiff::SignedDuration::from_secs(**second);
        Duration::try_from(age).unwrap_or_default() < per
    };
    ledger.unplanned.iter().filter(lately).copied().collect()
}

/// From which second on a further unplanned move may be made.
fn free_from(config: &Config, ledger: &Remembered, now: Timestamp) -> i64 {
    let moves = within(config, ledger, now);
    let allowed = usize::try_from(config.policy.move_budget.moves).unwrap_or(usize::MAX);
    let (Some(beyond), Some(last)) = (moves.len().checked_sub(allowed), moves.last()) else {
        return i64::MIN;
    };
    last + FIRST_WAIT * 2_i64.pow(u32::try_from(beyond).unwrap_or(16).min(16))
}

#[cfg(test)]
mod tests;

//! The book of all changes of holder, and the rules that each has to stand up to.

use std::collections::BTreeMap;
use std::time::Duration;

use vipward_core::Config;
use vipward_core::config::Failback;

use crate::begin::FOREIGN_ENI;
use crate::fault::What;
use crate::truth::{Health, Truth};

/// The wait before the first move beyond the budget.
const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The ledger counts in whole seconds, and a move is written down when EC2 has accepted it.
const ROUNDING: Duration = Duration::from_secs(3);

/// A VIP's change of holder, interfaces by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub at: Duration,
    pub service: String,
    pub from: Option<String>,
    pub to: String,
}

/// All changes so far.
#[derive(Debug)]
pub struct Book {
    changes: Vec<Change>,
    /// By service.
    holders: BTreeMap<String, String>,
    /// For so long after a move another function may not know of it: where several run at once, and
    /// EC2's answers lag. EC2 has no compare-and-swap: one of them may undo the other's move, once.
    pub unseen: Duration,
}

type Finding = (&'static str, String);

impl Book {
    /// An empty one: the first node holds all VIPs, or nobody does.
    pub fn new(config: &Config, unplaced: bool) -> Self {
        let first = config.nodes.first().filter(|_| !unplaced).map(|node| node.eni.to_string());
        let services = config.services.iter().map(|service| service.name.to_string());
        let holders = services.filter_map(|service| Some((service, first.clone()?))).collect();
        Self { changes: Vec::new(), holders, unseen: Duration::ZERO }
    }

    /// The change is judged; it is not in the book yet.
    pub fn judge(&self, config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        Self::stays_at_home(config, change)
            .or_else(|| Self::goes_to_the_living(config, truth, change))
            .or_else(|| self.has_a_cause(config, truth, change).filter(|_| !self.is_unseen(change)))
            .or_else(|| self.keeps_the_cooldown(config, truth, change))
            .or_else(|| self.keeps_the_budget(config, truth, change))
    }

    /// Writes it down.
    pub fn enter(&mut self, change: Change) {
        self.holders.insert(change.service.clone(), change.to.clone());
        self.changes.push(change);
    }

    /// Nobody has the VIP any more.
    pub fn released(&mut self, service: &str) {
        self.holders.remove(service);
    }

    /// The interface that has the VIP.
    pub fn holder(&self, service: &str) -> Option<&String> {
        self.holders.get(service)
    }

    /// Whether the interface got the VIP in that time, or had it all along.
    pub fn had(&self, service: &str, eni: &str, since: Duration, until: Duration) -> bool {
        let of_it = || self.changes.iter().filter(|change| change.service == service);
        let before = of_it().rfind(|change| change.at < since);
        before.map_or(self.holder(service), |change| Some(&change.to)).is_some_and(|to| to == eni)
            || of_it().any(|change| change.to == eni && since <= change.at && change.at <= until)
    }

    /// When the VIP last changed hands.
    pub fn last(&self, service: &str) -> Option<&Change> {
        self.changes.iter().rfind(|change| change.service == service)
    }

    fn is_unseen(&self, change: &Change) -> bool {
        let last = self.last(&change.service);
        last.is_some_and(|last| change.at.saturating_sub(last.at) < self.unseen)
    }

    fn stays_at_home(config: &Config, change: &Change) -> Option<Finding> {
        let Change { service, from, to, .. } = change;
        if !config.nodes.iter().any(|node| node.eni.as_str() == to) {
            return Some((
                "only what the file names is touched",
                format!("{service} went to {to}"),
            ));
        }
        (from.as_deref() == Some(FOREIGN_ENI)).then(|| {
            ("a foreign holder is never robbed", format!("{service} was taken from {FOREIGN_ENI}"))
        })
    }

    /// Fresh evidence is at most `stale_after` old when it is decided on, and as old again when the
    /// last try is made: in that time the service has been well there.
    fn goes_to_the_living(config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let node = config.nodes.iter().find(|node| node.eni.as_str() == change.to)?;
        let check = &config.services.iter().find(|s| s.name.as_str() == change.service)?.check;
        let window = config.policy.stale_after * 2 + Duration::from_secs(10);
        let step = Duration::from_millis(500);
        let mut moment = change.at.saturating_sub(window);
        while moment <= change.at {
            let health = truth.health(node.name.as_str(), &change.service, moment);
            if matches!(health, Health::Answers(late) if late < check.timeout) {
                return None;
            }
            moment += step;
        }
        let what =
            format!("{} went to {}, which was not well for {window:?}", change.service, node.name);
        Some(("a VIP goes to a node that was well", what))
    }

    /// The time in which something must have been wrong with a holder that is left: verdicts and
    /// silence take `stale_after`, alarms a minute, and what hung is tried once more.
    fn window(config: &Config) -> Duration {
        config.policy.stale_after * 4 + Duration::from_secs(90)
    }

    fn has_a_cause(&self, config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let from = change.from.as_deref()?;
        let node = config.nodes.iter().find(|node| node.eni.as_str() == from)?;
        let since = change.at.saturating_sub(Self::window(config));
        let group = || companions(config, &change.service);
        let touched = group().any(|of| truth.was_touched(node.name.as_str(), of, since, change.at));
        // What is not together comes together, or follows who has gone a moment ago.
        let apart = group().any(|other| self.holder(other).map(String::as_str) != Some(from));
        if touched || apart || Self::goes_home(config, change) {
            return None;
        }
        let what = format!(
            "{} left {}, with which nothing was wrong since {since:?}",
            change.service, node.name
        );
        Some(("a holder that is up and reachable keeps its VIP", what))
    }

    /// A return to a preferred node.
    fn goes_home(config: &Config, change: &Change) -> bool {
        let priority = |eni: &str| {
            config.nodes.iter().find(|node| node.eni.as_str() == eni).map(|node| node.priority)
        };
        config.policy.failback != Failback::Never
            && priority(&change.to) > change.from.as_deref().and_then(priority)
    }

    fn keeps_the_cooldown(
        &self,
        config: &Config,
        truth: &Truth,
        change: &Change,
    ) -> Option<Finding> {
        let last = self.last(&change.service)?;
        let rest = change.at.saturating_sub(last.at);
        let from = change.from.as_deref()?;
        let node = config.nodes.iter().find(|node| node.eni.as_str() == from)?;
        if self.is_unseen(change)
            || rest + ROUNDING >= config.policy.cooldown
            || Self::calls_land_late(truth, change.at)
        {
            return None;
        }
        // Since it came, something was wrong with the holder: it is down, and is left at once.
        let since = last.at.saturating_sub(config.policy.stale_after * 3);
        let group = || companions(config, &change.service);
        let touched = group().any(|of| truth.was_touched(node.name.as_str(), of, since, change.at));
        let apart = group().any(|other| self.holder(other) != change.from.as_ref());
        (!touched && !apart).then(|| {
            let what = format!("{} left {} {rest:?} after it came", change.service, node.name);
            ("a VIP rests after a move while its holder is up", what)
        })
    }

    /// A call that EC2 takes up long after it was sent may undo a later one: EC2 has no way to tell
    /// them apart, and who sent it is gone. The next pass sees what came of it.
    fn calls_land_late(truth: &Truth, at: Duration) -> bool {
        truth.was_any(at.saturating_sub(Duration::from_mins(2)), at, |what| {
            matches!(what, What::Aws { fault } if fault.kind == "delay" && fault.on.starts_with("ec2:"))
        })
    }

    /// Beyond the budget each move waits 1, 2, 4 … minutes. Where the ledger could not be written,
    /// nobody can know; where several functions race, each knows what EC2 tells it.
    fn keeps_the_budget(&self, config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let budget = config.policy.move_budget;
        let forgetful = truth.was_any(Duration::ZERO, change.at, |what| {
            matches!(
                what,
                What::Aws { .. }
                    | What::FunctionKilled
                    | What::InstanceStopped { .. }
                    // Planned moves do not count, and an unfrozen budget is whole.
                    | What::Drain { .. }
                    | What::Resume { .. }
                    | What::Switchover { .. }
                    | What::Unfreeze { .. }
            )
        });
        // Nor do the moves of a service that its group takes along.
        let grouped = companions(config, &change.service).nth(1).is_some();
        if forgetful || grouped || config.policy.failback != Failback::Never {
            return None;
        }
        let moves: Vec<&Change> = self
            .changes
            .iter()
            .filter(|other| other.service == change.service && other.to != FOREIGN_ENI)
            .filter(|other| change.at.saturating_sub(other.at) + ROUNDING < budget.per)
            .collect();
        let beyond = moves.len().checked_sub(usize::try_from(budget.moves).unwrap_or(0))?;
        let wait = FIRST_WAIT * 2_u32.saturating_pow(u32::try_from(beyond).unwrap_or(16).min(16));
        let waited = change.at.saturating_sub(moves.last()?.at);
        (waited + ROUNDING < wait).then(|| {
            let what = format!(
                "{} moved for the {}th time, {waited:?} after the last: it had to wait {wait:?}",
                change.service,
                moves.len() + 1
            );
            ("moves beyond the budget wait", what)
        })
    }
}

/// The services that are held by one node with this one, itself among them.
pub fn companions<'c>(config: &'c Config, service: &str) -> impl Iterator<Item = &'c str> {
    let service = config.services.iter().find(|of| of.name.as_str() == service);
    let companions = service.into_iter().flat_map(|service| config.companions(service));
    companions.map(|service| service.name.as_str())
}

#[cfg(test)]
mod tests;

//! The book of all changes of holder, and the rules that each has to stand up to.

use std::collections::BTreeMap;
use std::time::Duration;

use vipward_core::config::{Failback, Node};
use vipward_core::{Config, NodeName, ServiceName};

use crate::audit::call_log::Look;
use crate::audit::host_book::HostBook;
use crate::audit::rule::{Finding, Rule};
use crate::audit::sending_rules::{FRESH, unheard};
use crate::history::cluster::{FOREIGN_ENI, companions, node_of};
use crate::history::fault::FaultKind;
use crate::history::truth::{Health, Truth};

/// The ledger counts in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);
/// What is said takes so long to be heard.
const HEARSAY: Duration = Duration::from_secs(3);

/// All have heard by then that a node leaves.
const KNOWN: Duration = Duration::from_secs(30);
/// After the last of its troubles a node, or AWS, is what it was.
pub const RECOVERY: Duration = Duration::from_secs(150);

/// A VIP's change of holder, interfaces by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub at: Duration,
    pub service: ServiceName,
    pub from: Option<String>,
    pub to: String,
    /// When the call was sent that brought it.
    pub sent: Duration,
    /// What EC2 had last told its sender; who has keys of their own does not ask.
    pub look: Option<Look>,
    /// How long its sender's last read of EC2 took.
    pub took: Duration,
}

impl Change {
    /// The interface that had the service's VIP as far as the sender knew.
    fn seen(&self, service: &ServiceName) -> Option<&String> {
        self.look.as_ref().and_then(|look| look.holders.get(service))
    }

    /// When the VIP last moved by the ledger that the sender saw, in seconds of the epoch.
    fn last_in_ledger(&self) -> Option<i64> {
        let ledgers = self.look.as_ref().map(|look| look.ledgers(&self.service));
        ledgers.into_iter().flatten().map(|ledger| ledger.last).max()
    }
}

/// All changes so far.
#[derive(Debug)]
pub struct Book {
    changes: Vec<Change>,
    /// By service.
    holders: BTreeMap<ServiceName, String>,
    /// When the history began, in seconds of the epoch.
    start: i64,
}

impl Book {
    /// An empty one: the first node holds all VIPs, or nobody does.
    pub fn new(config: &Config, unplaced: bool, start: i64) -> Self {
        let first = config.nodes.first().filter(|_| !unplaced).map(|node| node.eni.to_string());
        let services = config.services.iter().map(|service| service.name.clone());
        let holders = services.filter_map(|service| Some((service, first.clone()?))).collect();
        Self { changes: Vec::new(), holders, start }
    }

    /// The change is judged; it is not in the book yet.
    pub fn judge(
        &self,
        config: &Config,
        truth: &Truth,
        hosts: &HostBook,
        change: &Change,
    ) -> Option<Finding> {
        Self::stays_at_home(config, change)
            .or_else(|| Self::goes_to_the_living(config, truth, change))
            .or_else(|| Self::goes_to_a_primary(config, truth, change))
            .or_else(|| Self::passes_by_the_leaving(config, truth, change))
            .or_else(|| Self::has_a_cause(config, truth, hosts, change))
            .or_else(|| self.keeps_the_cooldown(config, truth, hosts, change))
    }

    /// Writes it down.
    pub fn enter(&mut self, change: Change) {
        self.holders.insert(change.service.clone(), change.to.clone());
        self.changes.push(change);
    }

    /// Nobody has the VIP any more.
    pub fn released(&mut self, service: &ServiceName) {
        self.holders.remove(service);
    }

    /// The interface that has the VIP.
    pub fn holder(&self, service: &ServiceName) -> Option<&String> {
        self.holders.get(service)
    }

    /// Whether the interface got the VIP in that time, or had it all along.
    pub fn had(&self, service: &ServiceName, eni: &str, since: Duration, until: Duration) -> bool {
        let of_it = || self.changes.iter().filter(|change| change.service == *service);
        let before = of_it().rfind(|change| change.at < since);
        before.map_or(self.holder(service), |change| Some(&change.to)).is_some_and(|to| to == eni)
            || of_it().any(|change| change.to == eni && since <= change.at && change.at <= until)
    }

    /// When the VIP last changed hands.
    pub fn last(&self, service: &ServiceName) -> Option<&Change> {
        self.changes.iter().rfind(|change| change.service == *service)
    }

    /// When the VIP came to that interface, the last time by then.
    pub fn came(&self, service: &ServiceName, eni: &str, by: Duration) -> Option<Duration> {
        let came = |change: &&Change| change.service == *service && change.to == eni;
        self.changes.iter().filter(came).rfind(|change| change.at <= by).map(|change| change.at)
    }

    /// Whether the function has moved the VIP off that interface since then.
    pub fn left_by_function(&self, service: &ServiceName, eni: &str, since: Duration) -> bool {
        self.changes.iter().any(|change| {
            change.service == *service
                && change.at >= since
                && change.look.is_some()
                && change.from.as_deref() == Some(eni)
        })
    }

    /// Whether the sender could know of the VIP's last change of hands: a call may land after a
    /// newer one, and EC2's answers may lag. EC2 has no compare-and-swap: such a call undoes the
    /// other, once.
    fn is_known(change: &Change, last: &Change) -> bool {
        last.at <= change.sent && change.seen(&change.service) == Some(&last.to)
    }

    /// Whether the ledger that the sender saw has the VIP's last change of hands.
    fn is_written(&self, change: &Change, last: &Change) -> bool {
        let second = self.start.saturating_add_unsigned(last.at.as_secs());
        change.last_in_ledger().is_some_and(|written| second <= written)
    }

    fn stays_at_home(config: &Config, change: &Change) -> Option<Finding> {
        let Change { service, from, to, .. } = change;
        if node_of(config, to).is_none() {
            return Some((Rule::OnlyFileIsTouched, format!("{service} went to {to}")));
        }
        // One that took the VIP between the sender's look and its call could not be seen, nor while
        // EC2's answers lag.
        let foreign = |holder: Option<&String>| holder.is_some_and(|eni| eni == FOREIGN_ENI);
        let unseen = change.look.is_some() && !foreign(change.seen(service));
        (foreign(from.as_ref()) && !unseen)
            .then(|| (Rule::ForeignHolderKeeps, format!("{service} was taken from {FOREIGN_ENI}")))
    }

    /// Where the agent could speak, it has said how the service is; else its last word counts until
    /// it is stale. In that time the service has been well there.
    fn goes_to_the_living(config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let node = node_of(config, &change.to)?;
        let check = &config.service(&change.service)?.check;
        let window = Self::heard_of(config, truth, change, &node.name);
        let step = Duration::from_millis(500);
        let mut moment = change.sent.saturating_sub(window);
        while moment <= change.sent {
            let health = truth.health(&node.name, &change.service, moment);
            if matches!(health, Health::Answers(late) if late < check.timeout) {
                return None;
            }
            moment += step;
        }
        let what =
            format!("{} went to {}, which was not well for {window:?}", change.service, node.name);
        Some((Rule::TargetWasWell, what))
    }

    fn goes_to_a_primary(config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let node = node_of(config, &change.to)?;
        let window = Self::heard_of(config, truth, change, &node.name);
        let lately = (change.sent.saturating_sub(window), change.sent);
        let was = || truth.was_primary(&node.name, &change.service, lately, true);
        (truth.follows(&change.service) && !was()).then(|| {
            let what = format!(
                "{} went to {}, which was no primary for {window:?}",
                change.service, node.name
            );
            (Rule::TargetIsPrimary, what)
        })
    }

    /// How old the node's last word on the service can be that its sender heard.
    fn heard_of(config: &Config, truth: &Truth, change: &Change, node: &NodeName) -> Duration {
        let short = unheard(config, &change.service, change.took);
        let lately = (change.sent.saturating_sub(short), change.sent);
        if truth.could_speak(node, &change.service, lately) {
            short
        } else {
            config.policy.stale_after + HEARSAY + FRESH * 2 + change.took
        }
    }

    /// A node that leaves by its own word gets a VIP where nobody else can take it, and never else.
    fn passes_by_the_leaving(config: &Config, truth: &Truth, change: &Change) -> Option<Finding> {
        let to = node_of(config, &change.to)?;
        let left = truth.leaving_since(&to.name, &change.service, change.sent)?;
        let while_known = |lately| (change.sent.saturating_sub(lately), change.sent);
        let (deaf_from, deaf_to) = while_known(RECOVERY);
        if change.sent.saturating_sub(left) < KNOWN
            || truth.was_any(deaf_from, deaf_to, FaultKind::impairs_aws)
            || !truth.reaches_aws(&to.name, change.sent)
        {
            return None;
        }
        let others = config.nodes.iter().filter(|node| node.name != to.name);
        let serves = |name: &NodeName| {
            companions(config, &change.service).all(|of| {
                !truth.follows(of) || !truth.was_primary(name, of, while_known(KNOWN), false)
            })
        };
        let well = others
            .map(|node| &node.name)
            .find(|name| truth.was_clear(name, while_known(RECOVERY), |_| false) && serves(name))?;
        let what =
            format!("{} went to {}, which leaves, while {well} is well", change.service, to.name);
        Some((Rule::LeavingNodeGetsNone, what))
    }

    /// The time in which something must have been wrong with a holder that is left: verdicts and
    /// silence take `stale_after`, alarms a minute, and what hung is tried once more.
    fn window(config: &Config) -> Duration {
        config.policy.stale_after * 4 + Duration::from_secs(90)
    }

    /// Judged by when the call was sent and whom its sender saw hold: what another did meanwhile is
    /// nothing that it knew.
    fn has_a_cause(
        config: &Config,
        truth: &Truth,
        hosts: &HostBook,
        change: &Change,
    ) -> Option<Finding> {
        let seen = node_of(config, change.seen(&change.service)?)?;
        let since = change.sent.saturating_sub(Self::window(config));
        if Self::is_driven_off(config, truth, hosts, change, seen, since)
            || Self::goes_home(config, change, seen)
        {
            return None;
        }
        let what = format!(
            "{} left {}, with which nothing was wrong since {since:?}",
            change.service, seen.name
        );
        Some((Rule::HealthyHolderKeeps, what))
    }

    /// Whether something was wrong with the node that was seen to hold, for the service or another
    /// of its group, from `since` on; it was not the primary to be followed; or the group was seen
    /// apart, and comes together.
    fn is_driven_off(
        config: &Config,
        truth: &Truth,
        hosts: &HostBook,
        change: &Change,
        seen: &Node,
        since: Duration,
    ) -> bool {
        let node = &seen.name;
        companions(config, &change.service).any(|of| {
            let deposed =
                || truth.follows(of) && truth.was_primary(node, of, (since, change.sent), false);
            truth.was_affected(node, of, since, change.sent)
                || hosts.lacked(node, of, (since, change.sent))
                || change.seen(of).is_none_or(|eni| *eni != *seen.eni.as_str())
                || deposed()
        })
    }

    /// A return to a preferred node.
    fn goes_home(config: &Config, change: &Change, seen: &Node) -> bool {
        let is_preferred = |to: &Node| to.priority > seen.priority;
        config.policy.failback != Failback::Never
            && node_of(config, &change.to).is_some_and(is_preferred)
    }

    /// Where the last move could not be written into the ledger, or is not to be read there yet,
    /// nobody knows when it was.
    fn keeps_the_cooldown(
        &self,
        config: &Config,
        truth: &Truth,
        hosts: &HostBook,
        change: &Change,
    ) -> Option<Finding> {
        let last = self.last(&change.service)?;
        let rest = change.sent.saturating_sub(last.at);
        let seen = node_of(config, change.seen(&change.service)?)?;
        if rest + ROUNDING >= config.policy.cooldown
            || !Self::is_known(change, last)
            || !self.is_written(change, last)
        {
            return None;
        }
        // Since it came, something was wrong with the holder: it is down, and is left at once.
        let since = last.at.saturating_sub(config.policy.stale_after * 3);
        (!Self::is_driven_off(config, truth, hosts, change, seen, since)).then(|| {
            let what = format!("{} left {} {rest:?} after it came", change.service, seen.eni);
            (Rule::Cooldown, what)
        })
    }
}

#[cfg(test)]
mod tests;

//! The rules that each assignment has to stand up to when it is sent, whatever comes of it then.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::config::Failback;
use vipward_core::plan::Reassign;
use vipward_core::{Config, NodeName, ServiceName};

use crate::audit::call_log::{Assignment, CallLog, Caller};
use crate::audit::host_book::HostBook;
use crate::audit::rule::{Finding, Rule};
use crate::history::cluster::{companions, node_of};
use crate::history::fault::FaultKind;
use crate::history::truth::voice::known;
use crate::history::truth::{Health, Truth};

/// Evidence may be so old when the next step is taken on it. A read is used once, at once, however
/// long its answer took.
pub const FRESH: Duration = Duration::from_secs(1);
/// So long after it was sent a call may take effect.
const LANDS: SignedDuration = SignedDuration::from_secs(10);
/// An operator's wishes and a node's own are known everywhere after that.
const AWARE: Duration = Duration::from_secs(150);

/// One assignment, as it is sent.
pub struct Sending<'s> {
    pub config: &'s Config,
    pub truth: &'s Truth,
    pub hosts: &'s HostBook,
    /// When the history began.
    pub start: Timestamp,
    pub call: &'s Assignment,
}

impl CallLog {
    /// How long the last read of EC2 took.
    pub fn took(&self) -> Duration {
        let took = self.read.map(|read| read.arrived.duration_since(read.asked));
        took.and_then(|took| Duration::try_from(took).ok()).unwrap_or_default()
    }

    /// When agents were last heard: by the metrics, or by the hint that woke the function.
    fn heard(&self) -> Option<Timestamp> {
        let hint = self.began.filter(|(_, caller)| *caller == Caller::Hint);
        self.words.max(hint.map(|(at, _)| at))
    }
}

/// The oldest change that the words behind a call need not tell, before the call was sent: they
/// were heard up to a second before the last read of EC2 was asked, and that was answered up to a
/// second ago.
pub fn unheard(config: &Config, service: &ServiceName, took: Duration) -> Duration {
    known(config, service) + FRESH + took + FRESH
}

impl Sending<'_> {
    /// The rules that the call breaks.
    pub fn judge(&self) -> Vec<Finding> {
        let fresh = self.is_on_fresh_evidence().into_iter();
        let well = self.services().find_map(|service| self.spares_the_well(service));
        fresh.chain(self.waits_for_the_last()).chain(self.robs_nobody()).chain(well).collect()
    }

    fn services(&self) -> impl Iterator<Item = &ServiceName> {
        let services = self.config.services.iter();
        let ours = services.filter(|service| self.call.addresses.contains(&service.vip.0));
        ours.map(|service| &service.name)
    }

    fn node(&self, eni: &str) -> Option<&NodeName> {
        Some(&node_of(self.config, eni)?.name)
    }

    /// The node of that interface, or the interface where it is none's.
    fn name<'n>(&'n self, eni: &'n str) -> &'n str {
        self.node(eni).map_or(eni, NodeName::as_str)
    }

    fn sent(&self) -> Duration {
        Duration::try_from(self.call.sent.duration_since(self.start)).unwrap_or_default()
    }

    fn in_words(&self) -> String {
        let services: Vec<_> = self.services().map(ServiceName::as_str).collect();
        format!("{} to {}", services.join(" and "), self.name(&self.call.eni))
    }

    fn is_on_fresh_evidence(&self) -> Option<Finding> {
        let found =
            |what: String| Some((Rule::FreshEvidence, format!("{}: {what}", self.in_words())));
        let call_log = &self.call.call_log;
        let Some(read) = call_log.read else {
            return found("EC2 was not read".to_owned());
        };
        let age = self.call.sent.duration_since(read.arrived);
        if age.unsigned_abs() > FRESH {
            return found(format!("EC2's answer was {age:#} old"));
        }
        let Some(heard) = call_log.heard() else {
            return found("no agent was heard".to_owned());
        };
        let age = read.asked.duration_since(heard);
        if age > SignedDuration::try_from(FRESH).unwrap_or(SignedDuration::MAX) {
            return found(format!("the words were {age:#} old when EC2 was asked"));
        }
        None
    }

    /// While a call may land, only its target is asked again; unless something has become of that.
    fn waits_for_the_last(&self) -> Option<Finding> {
        let shares = |addresses: &[_]| addresses.iter().any(|of| self.call.addresses.contains(of));
        let other = self.call.in_flight.iter().find(|open| {
            open.eni != self.call.eni
                && self.call.sent.duration_since(open.sent) < LANDS
                && shares(&open.addresses)
                && !self.is_ill(&open.eni)
        })?;
        let age = self.call.sent.duration_since(other.sent);
        let what = format!(
            "{}, and {age:#} earlier to {}, which may land yet",
            self.in_words(),
            self.name(&other.eni),
        );
        Some((Rule::OneTargetInFlight, what))
    }

    /// Whether the call's services, or others of their group, are not well on that node, or were
    /// not as far as can be known.
    fn is_ill(&self, eni: &str) -> bool {
        let Some(node) = self.node(eni) else { return true };
        let sent = self.sent();
        self.services().flat_map(|service| companions(self.config, service)).any(|of| {
            let since = sent.saturating_sub(unheard(self.config, of, self.call.call_log.took()));
            !matches!(self.truth.health(node, of, sent), Health::Answers(_))
                || self.truth.was_affected(node, of, since, sent)
        })
    }

    fn robs_nobody(&self) -> Option<Finding> {
        let looks = &self.call.call_log.looks;
        let (_, last) = looks.last()?;
        let mut free = self.call.addresses.iter().filter(|of| !last.vips.contains_key(of));
        if self.call.reassign == Reassign::Forbidden || free.clone().next().is_none() {
            return None;
        }
        let all = self.call.addresses.iter().all(|of| !last.vips.contains_key(of));
        let seen_twice =
            |of| looks.iter().filter(|(_, look)| !look.vips.contains_key(of)).count() > 1;
        let what = if all {
            "nobody has them, and the call may take them from whoever does"
        } else if free.all(seen_twice) {
            return None;
        } else {
            "EC2 has said once only that nobody has one of them"
        };
        Some((Rule::PlacementRobsNobody, format!("{}: {what}", self.in_words())))
    }

    /// A holder that is well again, and could say so, is not left for what was.
    fn spares_the_well(&self, service: &ServiceName) -> Option<Finding> {
        let look = self.call.look()?;
        let seen = look.holders.get(service)?;
        let holder = self.node(seen)?;
        let order = self.call.call_log.began.is_some_and(|(_, by)| by == Caller::Switchover);
        let drained = look.drains.get(holder).is_some_and(|until| self.call.sent < *until);
        let together =
            companions(self.config, service).all(|of| look.holders.get(of) == Some(seen));
        let well = || companions(self.config, service).all(|of| self.is_known_well(holder, of));
        if *seen == self.call.eni
            || order
            || drained
            || !together
            || self.goes_home(seen)
            || !well()
        {
            return None;
        }
        let since = unheard(self.config, service, self.call.call_log.took());
        let what = format!("{}: {holder} has been well for {since:?}", self.in_words());
        Some((Rule::RecoveredHolderKeeps, what))
    }

    /// Whether the service is well on the node and everybody who can speak has said so. The last
    /// word of one who cannot counts until it is stale.
    fn is_known_well(&self, node: &NodeName, service: &ServiceName) -> bool {
        let (config, truth, sent) = (self.config, self.truth, self.sent());
        let lately = unheard(config, service, self.call.call_log.took());
        let since = sent.saturating_sub(lately);
        let speaks = |host: &NodeName, since| truth.could_speak(host, service, (since, sent));
        let all_speak = config.members().all(|member| speaks(member, since));
        let calm = if all_speak { since } else { since.saturating_sub(config.policy.stale_after) };
        let wished = |what: &FaultKind| what.wants_move() && what.affects(node, service);
        let deposed =
            || truth.follows(service) && truth.was_primary(node, service, (calm, sent), false);
        speaks(node, since)
            && !truth.was_affected(node, service, calm, sent)
            && !self.hosts.lacked(node, service, (calm, sent))
            && !truth.was_any(sent.saturating_sub(AWARE), sent, wished)
            && !deposed()
    }

    /// A return to a preferred node.
    fn goes_home(&self, from: &str) -> bool {
        let priority = |eni: &str| node_of(self.config, eni).map(|node| node.priority);
        self.config.policy.failback != Failback::Never && priority(&self.call.eni) > priority(from)
    }
}

#[cfg(test)]
mod tests;

//! The rules about what clients need beside the service: the VIP's address on the interface, and a
//! hook that has done its work.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use vipward_core::config::AliasMode;
use vipward_core::{NodeName, ServiceName};
use vipward_observe::hooks::Occasion;

use crate::audit::Auditor;
use crate::audit::host_book;
use crate::audit::move_rules::{Change, RECOVERY};
use crate::audit::rule::{Finding, Rule};
use crate::audit::timeline::Who;
use crate::history::cluster::{companions, node_of};
use crate::history::fault::FaultKind;

/// Everybody knows by then what a node lacks: two looks, the hint or the metric, and a while.
const KNOWN: Duration = Duration::from_secs(30);
/// What the agent needs at most from the metadata's news to a hook: two looks, and a time-out.
const PROMPT: Duration = Duration::from_secs(6);
/// The slowest way to the relief of a holder: the metadata's lag and the hook's time-out from its
/// coming, an alarm, and the scheduled pass after it.
const BOUND: Duration = Duration::from_mins(3);

impl Auditor {
    /// An agent has looked at its host, which has these of the VIPs.
    pub fn host_seen(&mut self, at: Duration, node: &NodeName, present: &BTreeSet<Ipv4Addr>) {
        for service in &self.config.services {
            let holder = self.aliases.holder(service.vip.0).and_then(|(holder, _)| holder);
            let holder = holder.and_then(|eni| node_of(&self.config, eni));
            // Where the alias follows the VIP, it is not there until the VIP is.
            let is_owed = service.alias == AliasMode::Static
                || holder.is_some_and(|holder| holder.name == *node);
            let lacks = self.hosts.addresses.entry((node.clone(), service.name.clone()));
            host_book::note(lacks.or_default(), is_owed && !present.contains(&service.vip.0), at);
        }
    }

    /// An agent runs a hook.
    pub fn hook_runs(
        &mut self,
        at: Duration,
        node: &NodeName,
        service: &ServiceName,
        occasion: Occasion,
        lag: Duration,
    ) {
        self.timeline.tell(at, Who::Agent(node.as_str()), || {
            format!("runs the {} hook of {service}", occasion.word())
        });
        let Some((holder, since)) = self.config.service(service).and_then(|service| {
            let (holder, since) = self.aliases.holder(service.vip.0)?;
            Some((holder.and_then(|eni| node_of(&self.config, eni)).map(|node| &node.name), since))
        }) else {
            return;
        };
        let is_known = at.saturating_sub(since) > lag + PROMPT;
        let rule = match occasion {
            Occasion::Release if is_known && holder == Some(node) => Rule::HolderReleasesNothing,
            Occasion::Acquire if is_known && holder != Some(node) => Rule::OnlyHolderAcquires,
            _ => return,
        };
        let holder = holder.map_or("nobody of the file", NodeName::as_str).to_owned();
        let what = format!(
            "{node} ran the {} hook of {service}, which {holder} has had for long",
            occasion.word()
        );
        self.accuse(at, rule, what);
    }

    /// A hook has ended.
    pub fn hook_ended(
        &mut self,
        at: Duration,
        node: &NodeName,
        service: &ServiceName,
        occasion: Occasion,
        failed: bool,
    ) {
        if occasion == Occasion::Acquire {
            let lacks = self.hosts.acquires.entry((node.clone(), service.clone())).or_default();
            host_book::note(lacks, failed, at);
        }
        if failed {
            self.timeline.tell(at, Who::Agent(node.as_str()), || {
                format!("sees the {} hook of {service} fail", occasion.word())
            });
        }
    }

    /// A host boots: what its hooks did is forgotten with all else that they may have done.
    pub fn host_boots(&mut self, at: Duration, node: &NodeName) {
        for service in &self.config.services {
            let lacks = self.hosts.acquires.entry((node.clone(), service.name.clone()));
            host_book::note(lacks.or_default(), false, at);
        }
    }

    /// A VIP went to a node that could not serve at it, as everybody could know, while another
    /// could.
    pub fn goes_to_the_ready(&self, change: &Change) -> Option<Finding> {
        let to = &node_of(&self.config, &change.to)?.name;
        let lately = |for_long: Duration| (change.sent.saturating_sub(for_long), change.sent);
        let lacks = self.hosts.lacking_since(to, &change.service)?;
        let (deaf_from, deaf_to) = lately(RECOVERY);
        if change.sent.saturating_sub(lacks) < KNOWN
            || self.truth.was_any(deaf_from, deaf_to, FaultKind::impairs_aws)
            || !self.truth.could_speak(to, &change.service, lately(KNOWN))
        {
            return None;
        }
        let able = self.another_that_is_ready(to, &change.service, change.sent)?;
        let what = format!(
            "{} went to {to}, which could not serve at it since {lacks:?}, while {able} could",
            change.service
        );
        Some((Rule::TargetIsReady, what))
    }

    /// What is wrong, when a holder that could not serve at its VIP has kept it for longer than the
    /// bound though another node could.
    pub fn stays_unready(
        &self,
        at: Duration,
        service: &ServiceName,
        holder: Option<&str>,
    ) -> Option<String> {
        let name = &node_of(&self.config, holder?)?.name;
        let lacks = self.hosts.lacking_since(name, service)?;
        let spent = self.held_for.get(service).is_some_and(|reason| reason == "budget-spent");
        if at.saturating_sub(lacks) < BOUND
            || spent
            || !self.had_time(at, service)
            || !self.truth.was_clear(name, (at.saturating_sub(BOUND), at), |_| false)
        {
            return None;
        }
        let able = self.another_that_is_ready(name, service, at)?;
        Some(format!("{service} has been on {name}, which cannot serve at it, while {able} can"))
    }

    /// A node but for that one which could take the VIP and serve at it, for long.
    fn another_that_is_ready(
        &self,
        than: &NodeName,
        service: &ServiceName,
        at: Duration,
    ) -> Option<&NodeName> {
        let lately = (at.saturating_sub(RECOVERY), at);
        let serves = |name: &NodeName| {
            companions(&self.config, service).all(|of| {
                let was_primary =
                    || !self.truth.follows(of) || !self.truth.was_primary(name, of, lately, false);
                !self.hosts.lacked(name, of, lately) && was_primary()
            })
        };
        let others = self.config.nodes.iter().map(|node| &node.name).filter(|name| *name != than);
        others.into_iter().find(|name| {
            self.truth.was_clear(name, lately, |_| false)
                && !self.truth.is_ailing(name, lately)
                && serves(name)
        })
    }
}

#[cfg(test)]
mod tests;

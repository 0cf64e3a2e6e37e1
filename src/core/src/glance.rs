//! Whether a service needs a closer look at all. The once-a-minute safety net reads the holders
//! and the alarms in trouble; metric data, which costs money, only where this says so.

use jiff::Timestamp;

use crate::NodeName;
use crate::config::{Config, Failback, Role, Service};
use crate::evidence::{Evidence, Holder, Presence};
use crate::hint::Verdict;
use crate::observed::age;
use crate::signals::AlarmKind;

/// Whether a move of the service or of its group may be on the table: a VIP is not held by one of
/// ours, something is said or alarmed about its holder, the holder leaves or is not the primary to be
/// followed, it could go back to a preferred node, or a group is not on one node.
pub fn calls_for_closer_look(
    config: &Config,
    evidence: &Evidence,
    service: &Service,
    now: Timestamp,
) -> bool {
    let holder = |service: &Service| evidence.inventory.holder(config, service.vip);
    config.companions(service).any(|companion| {
        holder(companion) != holder(service) || calls_for_itself(config, evidence, companion, now)
    })
}

fn calls_for_itself(
    config: &Config,
    evidence: &Evidence,
    service: &Service,
    now: Timestamp,
) -> bool {
    let Holder::Node(holder) = evidence.inventory.holder(config, service.vip) else {
        return true;
    };
    let Some(node) = config.node(&holder) else {
        return true;
    };
    let glance = Glance { config, evidence, service, holder: &holder, now };
    evidence.inventory.presence(node) != Presence::Here
        || evidence.troubled_alarms(config, &service.name).any(|alarm| alarm.node == holder)
        || glance.words_against()
        || evidence.is_leaving(config, service, &holder, now)
        || evidence.is_drained(config, &holder, now)
        || glance.another_may_be_primary()
        || glance.failback_is_due()
}

struct Glance<'g> {
    config: &'g Config,
    evidence: &'g Evidence,
    service: &'g Service,
    holder: &'g NodeName,
    now: Timestamp,
}

impl Glance<'_> {
    fn words_against(&self) -> bool {
        self.evidence.testimony.iter().any(|(topic, word)| {
            let fresh = word.fresh(self.now, self.config.policy.stale_after);
            topic.service == self.service.name
                && topic.subject == *self.holder
                && fresh.is_some_and(|statement| statement.verdict != Verdict::Healthy)
        })
    }

    /// By hints, or by the alarms: those of the nodes that are no primary are not quiet.
    fn another_may_be_primary(&self) -> bool {
        let says = |node| self.evidence.is_primary(self.config, self.service, node, self.now);
        let others =
            || self.config.nodes.iter().map(|n| &n.name).filter(|name| *name != self.holder);
        let quiet = self.evidence.quiet_alarms.iter().flatten().any(|alarm| {
            alarm.kind == AlarmKind::Primary
                && alarm.service == self.service.name
                && others().any(|other| *other == alarm.node)
        });
        self.service.role == Role::Primary
            && (quiet
                || says(self.holder) == Some(false)
                || others().any(|other| says(other) == Some(true)))
    }

    fn failback_is_due(&self) -> bool {
        let Failback::After(stay) = self.config.policy.failback else {
            return false;
        };
        let ledger = self.evidence.inventory.ledger(self.config, &self.service.name);
        let stayed = ledger.last_move().is_none_or(|last| age(last, self.now) >= stay);
        let nodes = &self.config.nodes;
        stayed && nodes.iter().any(|node| self.config.prefers(&node.name, self.holder))
    }
}

#[cfg(test)]
mod tests;

//! Whether a service needs a closer look at all. The once-a-minute safety net reads the holders
//! and the alarms in trouble; metric data, which costs money, only where this says so.

use jiff::Timestamp;

use crate::config::{Config, Failback, Service};
use crate::decide::preferred_over;
use crate::evidence::{Evidence, Holder, Presence, age};
use crate::hint::Verdict;

/// Whether a move may be on the table: the VIP is not held by one of ours, something is said or
/// alarmed about its holder, or it could go back to a preferred node.
pub fn calls_for_closer_look(
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
    evidence.inventory.presence(node) != Presence::Here
        || evidence.troubled_alarms(config, &service.name).any(|alarm| alarm.node == holder)
        || words_against(config, evidence, service, &holder, now)
        || failback_is_due(config, evidence, service, &holder, now)
}

fn words_against(
    config: &Config,
    evidence: &Evidence,
    service: &Service,
    holder: &crate::NodeName,
    now: Timestamp,
) -> bool {
    evidence.testimony.iter().any(|(topic, word)| {
        let fresh = word.fresh(now, config.policy.stale_after);
        topic.service == service.name
            && topic.subject == *holder
            && fresh.is_some_and(|statement| statement.verdict != Verdict::Healthy)
    })
}

fn failback_is_due(
    config: &Config,
    evidence: &Evidence,
    service: &Service,
    holder: &crate::NodeName,
    now: Timestamp,
) -> bool {
    let Failback::After(stay) = config.policy.failback else {
        return false;
    };
    let ledger = evidence.inventory.ledger(config, &service.name);
    let stayed = ledger.last_move().is_none_or(|last| age(last, now) >= stay);
    stayed && config.nodes.iter().any(|node| preferred_over(config, &node.name, holder))
}

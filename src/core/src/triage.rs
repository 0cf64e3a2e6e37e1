//! Whether a service needs a closer look at all. The once-a-minute safety net reads the holders
//! and the alarms in trouble; metric data, which costs money, only where this says so.

use crate::NodeName;
use crate::config::{Failback, Role, Service};
use crate::evidence::{Holder, Presence, Snapshot};
use crate::hint::Verdict;
use crate::observed::age;
use crate::telemetry::AlarmKind;

/// Whether a move of the service or of its group may be on the table: a VIP is not held by one of
/// ours, something is said or alarmed about its holder, or only the metrics could say it because a
/// host's hints fail, the holder leaves or is not the primary to be followed, it could go back to a
/// preferred node, or a group is not on one node.
pub fn needs_metrics(snapshot: Snapshot<'_>, service: &Service) -> bool {
    snapshot.config.companions(service).any(|companion| {
        snapshot.holder(companion) != snapshot.holder(service)
            || needs_its_own_metrics(snapshot, companion)
    })
}

fn needs_its_own_metrics(snapshot: Snapshot<'_>, service: &Service) -> bool {
    let Snapshot { config, evidence, .. } = snapshot;
    let Holder::Node(holder) = snapshot.holder(service) else {
        return true;
    };
    let Some(node) = config.node(&holder) else {
        return true;
    };
    let triage = Triage { snapshot, service, holder: &holder };
    snapshot.presence(node) != Presence::Attached
        || evidence.troubled_alarms(config, &service.name).any(|alarm| alarm.node == holder)
        || evidence.hints_may_fail(config)
        || triage.is_observed_ill()
        || snapshot.contested(&service.name, &holder).is_some()
        || snapshot.is_leaving(service, &holder)
        || snapshot.is_unready(service, &holder)
        || snapshot.is_drained(&holder)
        || triage.another_may_be_primary()
        || triage.failback_is_due()
}

struct Triage<'g> {
    snapshot: Snapshot<'g>,
    service: &'g Service,
    holder: &'g NodeName,
}

impl Triage<'_> {
    fn is_observed_ill(&self) -> bool {
        let Snapshot { config, evidence, now } = self.snapshot;
        evidence.observations.iter().any(|(key, newest)| {
            let fresh = newest.fresh(now, config.policy.stale_after);
            key.service == self.service.name
                && key.subject == *self.holder
                && fresh.is_some_and(|observation| observation.verdict != Verdict::Healthy)
        })
    }

    /// By hints, or by the alarms: those of the nodes that are no primary are not quiet.
    fn another_may_be_primary(&self) -> bool {
        let says = |node| self.snapshot.is_primary(self.service, node);
        let others = || {
            self.snapshot.config.nodes.iter().map(|n| &n.name).filter(|name| *name != self.holder)
        };
        let quiet = self.snapshot.evidence.quiet_alarms.iter().flatten().any(|alarm| {
            alarm.kind == AlarmKind::Primary
                && alarm.service.as_ref() == Some(&self.service.name)
                && others().any(|other| *other == alarm.node)
        });
        self.service.role == Role::Primary
            && (quiet
                || says(self.holder) == Some(false)
                || others().any(|other| says(other) == Some(true)))
    }

    fn failback_is_due(&self) -> bool {
        let Failback::After(stay) = self.snapshot.config.policy.failback else {
            return false;
        };
        let ledger = self.snapshot.ledger(&self.service.name);
        let stayed = ledger.last_move().is_none_or(|last| age(last, self.snapshot.now) >= stay);
        let nodes = &self.snapshot.config.nodes;
        stayed && nodes.iter().any(|node| self.snapshot.config.prefers(&node.name, self.holder))
    }
}

#[cfg(test)]
mod tests;

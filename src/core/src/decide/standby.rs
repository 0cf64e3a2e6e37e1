//! Whether a group that may stay where it is could move: known before it has to.

use super::candidates::Fitness;
use super::group::Group;
use super::{Case, Choice, Decision};
use crate::config::{Config, Node, Service};
use crate::evidence::{Holder, Presence, Snapshot};
use crate::name::NodeName;
use crate::telemetry::{AlarmKind, AlarmName};

/// Whether another node could take a group whose holder is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standby {
    /// One could, all of it, now.
    Ready,
    /// None could.
    Missing,
    /// It was not looked for, or what was read does not tell.
    #[default]
    Unknown,
}

impl Standby {
    /// Whether nothing is said.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// Puts into the decisions about a group whether it could move: where one node that is up keeps all
/// of it.
pub(super) fn look_for_standby(
    snapshot: Snapshot<'_>,
    services: &[&Service],
    decisions: &mut [Decision],
) {
    let stays = |decision: &Decision| match decision.choice {
        Choice::Hold { reason } => reason.stays_with_holder(),
        Choice::Move { .. } => false,
    };
    let Some(Holder::Node(holder)) = decisions.first().map(|decision| decision.holder.clone())
    else {
        return;
    };
    if !decisions.iter().all(|one| stays(one) && one.holder.node() == Some(&holder)) {
        return;
    }
    let read = &snapshot.evidence.observations.read;
    let is_read = services.iter().all(|service| read.contains(&service.name));
    let standby = if is_read {
        Group::of(snapshot, services.iter().copied()).standby(&holder)
    } else {
        by_alarms(snapshot, services, &holder)
    };
    for decision in decisions {
        decision.standby = standby;
    }
}

impl Group<'_> {
    /// By the metrics. A node that is unready, leaving, or known by its peers alone may be better
    /// than none once the holder is down: nobody should rely on it.
    fn standby(&self, holder: &NodeName) -> Standby {
        if self.is_unheard() || !self.cases.iter().all(|case| case.judgement(holder).is_up()) {
            return Standby::Unknown;
        }
        let could = |node: &Node| {
            let fit = self.fitness(node, Case::fitness_but_for_role);
            node.name != *holder && fit.is_some_and(Fitness::is_worth_a_planned_move)
        };
        if self.config.nodes.iter().any(could) { Standby::Ready } else { Standby::Missing }
    }
}

/// By what a pass knows that read no metrics. A quiet alarm of a node's own says that it is up,
/// ready and stays; it does not say how far the node lags.
fn by_alarms(snapshot: Snapshot<'_>, services: &[&Service], holder: &NodeName) -> Standby {
    let Snapshot { config, evidence, .. } = snapshot;
    let Some(quiet) = &evidence.quiet_alarms else { return Standby::Unknown };
    let is_well = |node: &Node, service: &Service| {
        quiet.contains(&own_alarm(config, service, node))
            && !snapshot.is_leaving(service, &node.name)
            && !snapshot.is_unready(service, &node.name)
    };
    let could = |node: &Node| {
        node.name != *holder
            && snapshot.presence(node) == Presence::Attached
            && snapshot.is_in_reach(&node.name)
            && !snapshot.is_drained(&node.name)
            && services.iter().all(|service| is_well(node, service))
    };
    let lag_matters = services.iter().any(|service| service.check.kind.max_lag().is_some());
    match config.nodes.iter().any(could) {
        false => Standby::Missing,
        true if lag_matters => Standby::Unknown,
        true => Standby::Ready,
    }
}

fn own_alarm(config: &Config, service: &Service, node: &Node) -> AlarmName {
    AlarmName {
        cluster: config.cluster.clone(),
        service: Some(service.name.clone()),
        node: node.name.clone(),
        kind: AlarmKind::SelfHealth,
    }
}

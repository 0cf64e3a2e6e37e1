//! The answers of the query function: what is, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use vipward_core::audit::vet;
use vipward_core::config::Mode;
use vipward_core::decide::{Choice, HoldReason, MoveKind, Standby, decide};
use vipward_core::drain::Drain;
use vipward_core::evidence::{Evidence, Holder, Snapshot};
use vipward_core::judge::{Judgement, judge};
use vipward_core::{ClusterName, NodeName, ServiceName, VipAddr};

use crate::basis::{RecordedObservation, observations};
use crate::gather::{Gathered, Haste, Scope, gather};
use crate::invocation::Invocation;
use crate::ports::{PortError, Ports};
use crate::wake::Command;

/// The answer to `status` and `explain`.
#[derive(Debug, Serialize)]
pub struct Answer {
    cluster: ClusterName,
    now: Timestamp,
    config_digest: String,
    mode: Mode,
    drained: BTreeMap<NodeName, Drain>,
    services: Vec<ServiceAnswer>,
}

#[derive(Debug, Serialize)]
struct ServiceAnswer {
    service: ServiceName,
    vip: VipAddr,
    holder: Holder,
    last_move: Option<Timestamp>,
    judgements: BTreeMap<NodeName, Judgement>,
    choice: Choice,
    #[serde(skip_serializing_if = "Standby::is_unknown")]
    standby: Standby,
    #[serde(flatten)]
    explanation: Option<Explanation>,
}

#[derive(Debug, Serialize)]
struct Explanation {
    because: &'static str,
    evidence: Vec<RecordedObservation>,
    alarms: Vec<String>,
}

/// Reads everything and answers; changes nothing.
///
/// # Errors
/// When EC2 could not be read.
pub async fn answer<P: Ports>(
    invocation: &Invocation<'_, P>,
    command: &Command,
) -> Result<Answer, PortError> {
    let config = invocation.config;
    let Gathered { evidence, .. } =
        gather(invocation, invocation.hints(), &Scope::All, Haste::Thorough).await?;
    let now = invocation.ports.now();
    let (explains, only) = match command {
        Command::Explain { service } => (true, service.as_ref()),
        _ => (false, None),
    };
    let snapshot = Snapshot { config, evidence: &evidence, now };
    let (decisions, _) = vet(snapshot, decide(snapshot));
    let services = config.services.iter().zip(decisions);
    let services = services
        .filter(|(service, _)| only.is_none_or(|only| service.name == *only))
        .map(|(service, decision)| ServiceAnswer {
            last_move: snapshot.ledger(&service.name).last_move(),
            judgements: judge(snapshot, service),
            explanation: explains.then(|| Explanation {
                because: because(&decision.choice),
                evidence: said(&evidence, &service.name, now),
                alarms: evidence
                    .troubled_alarms(config, &service.name)
                    .map(|alarm| alarm.to_string())
                    .collect(),
            }),
            service: decision.service,
            vip: decision.vip,
            holder: decision.holder,
            choice: decision.choice,
            standby: decision.standby,
        })
        .collect();
    let (cluster, mode) = (config.cluster.clone(), config.policy.mode);
    let drained = config.nodes.iter().filter_map(|node| {
        let drain = evidence.inventory.drain(config, node).filter(|drain| drain.lasts(now))?;
        Some((node.name.clone(), drain))
    });
    let drained = drained.collect();
    Ok(Answer { cluster, now, config_digest: config.digest(), mode, drained, services })
}

fn said(evidence: &Evidence, service: &ServiceName, now: Timestamp) -> Vec<RecordedObservation> {
    let all = observations(evidence, service, now).into_iter();
    all.map(|one| RecordedObservation { service: None, ..one }).collect()
}

fn because(choice: &Choice) -> &'static str {
    match choice {
        Choice::Move { kind: MoveKind::Failover, .. } => {
            "the holder is down and another node is up"
        }
        Choice::Move { kind: MoveKind::Placement, .. } => "nobody holds the VIP and a node is up",
        Choice::Move { kind: MoveKind::Failback, .. } => {
            "the preferred node is up and the VIP has stayed away as long as failback asks"
        }
        Choice::Move { kind: MoveKind::Vacate, .. } => {
            "the holder is leaving or drained, and another node can take over"
        }
        Choice::Move { kind: MoveKind::Relief, .. } => {
            "the holder is up, but clients cannot be served at the VIP there; another node is ready"
        }
        Choice::Move { kind: MoveKind::Follow, .. } => {
            "the VIP follows the primary, and another node has the primary now"
        }
        Choice::Move { kind: MoveKind::Switchover, .. } => "an operator asked for it",
        Choice::Move { kind: MoveKind::Together, .. } => {
            "one node holds the whole group, and the VIP joins the others there"
        }
        Choice::Hold { reason } => match reason {
            HoldReason::HolderUp => "the holder is up",
            HoldReason::HolderSuspect => {
                "the holder says it is up; an observer cannot reach it, but that alone moves nothing"
            }
            HoldReason::HolderUnready => {
                "the holder is up, but clients cannot be served at the VIP there; it may become ready yet, \
                 or no ready node can take over"
            }
            HoldReason::AgentSilent => {
                "the holder's agent is silent, but observers reach the service"
            }
            HoldReason::AwaitingEvidence => {
                "the evidence does not show yet which node holds the VIP, or whether that node is down"
            }
            HoldReason::NoCandidate => "the VIP should move, but no node is up to take it",
            HoldReason::CandidatesLag => {
                "the VIP should move, but the nodes that are up lag too far or do not tell their lag"
            }
            HoldReason::ForeignHolder => {
                "an interface that is not in the configuration has the VIP: vipward never takes it"
            }
            HoldReason::Cooldown => {
                "the VIP may return to the preferred node, but it moved only just now"
            }
            HoldReason::BudgetSpent => "the VIP has moved too often lately, so its next move waits",
            HoldReason::CannotVacate => {
                "the holder is up and is leaving or drained, but no other node can take over yet"
            }
            HoldReason::NoPrimary => {
                "the VIP follows a primary, and no node that is up says that it is one"
            }
            HoldReason::TwoPrimaries => {
                "the VIP follows a primary, and more than one node says that it is one"
            }
            HoldReason::MoveInFlight => {
                "the VIP should move, but an earlier call may still move it elsewhere"
            }
            HoldReason::AuditRefused => {
                "the VIP was to move, but the audit found that it must not: please report this"
            }
        },
    }
}

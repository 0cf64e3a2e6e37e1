//! The answers of the query function: what is, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use vipward_core::audit::vet;
use vipward_core::config::Mode;
use vipward_core::decide::{Choice, Standby, decide_on_all};
use vipward_core::drain::Drain;
use vipward_core::evidence::{Evidence, Holder, Snapshot};
use vipward_core::judge::Judgement;
use vipward_core::{ClusterName, NodeName, ServiceName, VipAddr};

use crate::basis::{RecordedObservation, observations};
use crate::because::because;
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
    because: String,
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
    let (decisions, _) = vet(snapshot, decide_on_all(snapshot));
    let services = config.services.iter().zip(decisions);
    let services = services
        .filter(|(service, _)| only.is_none_or(|only| service.name == *only))
        .map(|(service, decision)| ServiceAnswer {
            last_move: snapshot.ledger(&service.name).last_move(),
            explanation: explains.then(|| Explanation {
                because: because(snapshot, &decision),
                evidence: said(&evidence, &service.name, now),
                alarms: evidence
                    .troubled_alarms(config, &service.name)
                    .map(|alarm| alarm.to_string())
                    .collect(),
            }),
            service: decision.service,
            vip: decision.vip,
            holder: decision.holder,
            judgements: decision.judgements,
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

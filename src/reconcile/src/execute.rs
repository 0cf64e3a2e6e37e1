//! Carrying a step out: one call, its line in the ledger, and a first look for the proof. What did
//! not succeed is not repeated here: the next pass decides afresh.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::evidence::Inventory;
use vipward_core::ledger::Ledger;
use vipward_core::name::{ServiceName, VipAddr};
use vipward_core::plan::{PlannedMove, Step};

use crate::backoff::{bounded, retry};
use crate::invocation::Invocation;
use crate::ports::{PortError, Ports};

/// How long EC2's answer to a call that changes something is waited for: then it may still take
/// effect.
const CALL_PATIENCE: Duration = Duration::from_secs(2);
/// What became of one VIP's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveOutcome {
    /// EC2 names the new holder.
    Moved(Proof),
    /// Somebody else brought the VIP where it is now.
    Overtaken,
    /// EC2 accepted the assignment and did not name the new holder in time.
    Unproven,
    /// EC2 refused the assignment, and nothing that was tried before can have its effect.
    Refused(PortError),
    /// EC2 did not accept the assignment.
    Failed(PortError),
}

/// How a move went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// EC2 accepted the assignment.
    pub assigned: Timestamp,
    /// EC2 named the new holder.
    pub proven: Timestamp,
    /// The ledger has it: otherwise the budget does not count it.
    pub recorded: bool,
}

/// A call that was sent.
#[derive(Debug)]
pub struct Sent {
    /// What it was to do.
    pub step: Step,
    /// When it was sent.
    pub at: Timestamp,
    /// EC2's answer.
    pub answer: Result<Accepted, PortError>,
}

/// EC2 accepted a call.
#[derive(Debug)]
pub struct Accepted {
    /// When.
    pub at: Timestamp,
    /// Whether the ledger has its moves.
    pub recorded: bool,
    /// When EC2 named the new holder, if it soon did.
    pub proven: Option<Timestamp>,
}

/// Sends the one call of `step`, and looks for its proof. `before` says who had what; what the
/// ledger has already is not written again.
pub async fn send<P: Ports>(
    invocation: &Invocation<'_, P>,
    step: Step,
    before: &Inventory,
    recorded: &BTreeSet<ServiceName>,
) -> Sent {
    let Invocation { ports, deadline, .. } = *invocation;
    let at = ports.now();
    let vips: Vec<VipAddr> = step.moves.iter().map(|planned| planned.vip).collect();
    let until = deadline.min(at + CALL_PATIENCE);
    let call = ports.assign(&step.eni, &vips, step.reassign);
    let answer = match bounded(ports, until, call).await {
        Ok(()) => {
            let accepted = ports.now();
            let new = step.moves.iter().filter(|planned| !recorded.contains(&planned.service));
            let recording = record(invocation, &step, new, before, accepted);
            let (recorded, proven) = futures::join!(recording, proof(invocation, &step));
            Ok(Accepted { at: accepted, recorded, proven })
        }
        Err(error) => Err(error),
    };
    Sent { step, at, answer }
}

/// Writes the moves into the ledger. They stand without it; only the budget forgets them.
pub async fn record<P: Ports>(
    invocation: &Invocation<'_, P>,
    step: &Step,
    moves: impl Iterator<Item = &PlannedMove>,
    before: &Inventory,
    at: Timestamp,
) -> bool {
    let Invocation { config, ports, deadline, .. } = *invocation;
    let tags = ledger_tags(config, moves, before, at);
    if tags.is_empty() {
        return true;
    }
    let until = deadline.min(ports.now() + CALL_PATIENCE);
    let tagged = retry(ports, until, || ports.tag(&step.eni, &tags)).await;
    tagged
        .inspect_err(|error| tracing::error!(%error, eni = %step.eni, "move not recorded"))
        .is_ok()
}

/// When EC2 named the new holder, if it does at once. A longer wait is for the next passes, which
/// see what else happens meanwhile.
async fn proof<P: Ports>(invocation: &Invocation<'_, P>, step: &Step) -> Option<Timestamp> {
    let Invocation { config, ports, deadline, .. } = *invocation;
    let until = deadline.min(ports.now() + CALL_PATIENCE);
    let seen = bounded(ports, until, ports.inventory(config)).await.ok()?;
    step.is_proven_by(config, &seen).then(|| ports.now())
}

fn ledger_tags<'m>(
    config: &Config,
    moves: impl Iterator<Item = &'m PlannedMove>,
    before: &Inventory,
    at: Timestamp,
) -> BTreeMap<String, String> {
    let per = config.policy.move_budget.per;
    let lines = moves.map(|planned| {
        let ledger = before.ledger(config, &planned.service);
        let after = ledger.after_move(at, planned.kind.is_unplanned(), per);
        (Ledger::tag_key(&config.cluster, &planned.service), after.to_string())
    });
    lines.collect()
}

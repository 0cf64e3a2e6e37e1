//! Carrying a step out: re-read right before, prove right after, try again in between.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::evidence::Inventory;
use vipward_core::ledger::Ledger;
use vipward_core::name::{ServiceName, VipAddr};
use vipward_core::plan::{PlannedMove, Step};

use crate::backoff::{Backoff, retry};
use crate::ports::{PortError, Ports};

/// How long EC2 may take to name the new holder before the assignment is repeated. Describe is
/// eventually consistent, usually within a second.
const PROOF_PATIENCE: Duration = Duration::from_secs(6);

/// What became of one VIP's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveOutcome {
    /// EC2 names the new holder.
    Moved(MoveTimes),
    /// The VIP had another holder by the time of the step; nothing was done.
    Overtaken,
    /// EC2 accepted the assignment and did not name the new holder in time.
    Unproven,
    /// EC2 did not accept the assignment.
    Failed(PortError),
}

/// When a move reached its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveTimes {
    /// EC2 accepted the assignment.
    pub assigned: Timestamp,
    /// EC2 named the new holder.
    pub proven: Timestamp,
}

/// Carries `step` out by `deadline`; says for each of its moves what became of it.
pub async fn execute(
    config: &Config,
    ports: &impl Ports,
    step: Step,
    deadline: Timestamp,
) -> BTreeMap<ServiceName, MoveOutcome> {
    let mut run = Run { config, ports, deadline, outcomes: BTreeMap::new(), assigned: None };
    if let Rest::GivenUp(step, error) = run.attempts(step).await {
        run.settle(&step.moves, &error.map_or(MoveOutcome::Unproven, MoveOutcome::Failed));
    }
    run.outcomes
}

/// What is left of a step when its attempts are over.
enum Rest {
    Settled,
    /// `None`: EC2 accepted, but the proof did not come.
    GivenUp(Step, Option<PortError>),
}

struct Run<'r, P> {
    config: &'r Config,
    ports: &'r P,
    deadline: Timestamp,
    outcomes: BTreeMap<ServiceName, MoveOutcome>,
    /// When EC2 last accepted the assignment.
    assigned: Option<Timestamp>,
}

impl<P: Ports> Run<'_, P> {
    async fn attempts(&mut self, mut step: Step) -> Rest {
        let mut backoff = Backoff::until(self.deadline);
        let mut tried = false;
        loop {
            let seen = match retry(self.ports, self.deadline, || self.ports.inventory(self.config))
                .await
            {
                Ok(seen) => seen,
                Err(error) => return Rest::GivenUp(step, Some(error)),
            };
            // A reply may be lost after the effect: an attempt that failed may have moved it all.
            if tried && step.is_proven_by(self.config, &seen) {
                let proven = self.ports.now();
                let assigned = *self.assigned.get_or_insert(proven);
                self.settle(&step.moves, &MoveOutcome::Moved(MoveTimes { assigned, proven }));
                return Rest::Settled;
            }
            let (kept, overtaken) = step.reconsidered(self.config, &seen);
            self.settle(&overtaken, &MoveOutcome::Overtaken);
            step = kept;
            if step.moves.is_empty() {
                return Rest::Settled;
            }
            let error = match self.assign_and_prove(&step, &seen).await {
                Ok(Some(times)) => {
                    self.settle(&step.moves, &MoveOutcome::Moved(times));
                    return Rest::Settled;
                }
                Ok(None) => None,
                Err(error) if error.is_transient() => Some(error),
                Err(error) => return Rest::GivenUp(step, Some(error)),
            };
            tracing::warn!(eni = %step.eni, ?error, "step not proven yet");
            tried = true;
            if !backoff.pause(self.ports).await {
                return Rest::GivenUp(step, error);
            }
        }
    }

    /// `None`: accepted, but EC2 did not name the new holder within [`PROOF_PATIENCE`].
    async fn assign_and_prove(
        &mut self,
        step: &Step,
        before: &Inventory,
    ) -> Result<Option<MoveTimes>, PortError> {
        let vips: Vec<VipAddr> = step.moves.iter().map(|planned| planned.vip).collect();
        self.ports.assign(&step.eni, &vips).await?;
        let assigned = self.ports.now();
        self.assigned = Some(assigned);
        let tags = ledger_tags(self.config, step, before, assigned);
        let (tagged, proven) = futures::join!(self.ports.tag(&step.eni, &tags), self.proof(step));
        if let Err(error) = tagged {
            // The move stands; only the budget forgets it.
            tracing::error!(%error, eni = %step.eni, "move not recorded");
        }
        Ok(proven?.map(|proven| MoveTimes { assigned, proven }))
    }

    async fn proof(&self, step: &Step) -> Result<Option<Timestamp>, PortError> {
        let patience = (self.ports.now() + PROOF_PATIENCE).min(self.deadline);
        let mut backoff = Backoff::until(patience);
        loop {
            let seen = retry(self.ports, patience, || self.ports.inventory(self.config)).await?;
            if step.is_proven_by(self.config, &seen) {
                return Ok(Some(self.ports.now()));
            }
            if !backoff.pause(self.ports).await {
                return Ok(None);
            }
        }
    }

    fn settle(&mut self, moves: &[PlannedMove], outcome: &MoveOutcome) {
        for planned in moves {
            self.outcomes.insert(planned.service.clone(), outcome.clone());
        }
    }
}

fn ledger_tags(
    config: &Config,
    step: &Step,
    before: &Inventory,
    at: Timestamp,
) -> BTreeMap<String, String> {
    let per = config.policy.move_budget.per;
    let moves = step.moves.iter().map(|planned| {
        let ledger = before.ledger(config, &planned.service);
        let after = ledger.after_move(at, planned.kind.is_unplanned(), per);
        (Ledger::tag_key(&config.cluster, &planned.service), after.to_string())
    });
    moves.collect()
}

//! Carrying a step out: re-read right before, prove right after, try again in between.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::evidence::Inventory;
use vipward_core::ledger::Ledger;
use vipward_core::name::{ServiceName, VipAddr};
use vipward_core::plan::{PlannedMove, Reassign, Step};

use crate::backoff::{Backoff, bounded, in_time, retry};
use crate::ports::{PortError, Ports};

/// How long EC2 may take to name the new holder before the assignment is repeated. Describe is
/// eventually consistent, usually within a second.
const PROOF_PATIENCE: Duration = Duration::from_secs(6);

/// What became of one VIP's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveOutcome {
    /// EC2 names the new holder.
    Moved(Proof),
    /// By the time of the step the VIP had another holder, or its goal was detached; nothing was done.
    Overtaken,
    /// EC2 accepted the assignment and did not name the new holder in time.
    Unproven,
    /// EC2 refused the assignment, now or later, and nothing that was tried before can have had its effect.
    Refused(PortError),
    /// EC2 did not accept the assignment, or could not be asked.
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

/// Carries `step` out by `deadline`; says for each of its moves what became of it.
///
/// `place` is the step's among those that are carried out at the same time, the most important being
/// the first: the later, the less often it asks, so that what a throttling EC2 lets through goes to the
/// most important.
pub async fn execute(
    config: &Config,
    ports: &impl Ports,
    step: Step,
    place: u32,
    deadline: Timestamp,
) -> BTreeMap<ServiceName, MoveOutcome> {
    let (outcomes, assigned, before) = (BTreeMap::new(), None, None);
    let mut run = Run { config, ports, place, deadline, outcomes, assigned, before };
    run.carry_out(step).await;
    run.outcomes
}

/// What is left of a step when its attempts are over.
enum Rest {
    Settled,
    /// EC2 refuses all of it; whether that was the first attempt.
    Refused(Step, PortError, bool),
    /// `None`: EC2 accepted, but the proof did not come.
    GivenUp(Step, Option<PortError>),
}

struct Run<'r, P> {
    config: &'r Config,
    ports: &'r P,
    place: u32,
    deadline: Timestamp,
    outcomes: BTreeMap<ServiceName, MoveOutcome>,
    /// When EC2 first accepted the assignment, and whether the ledger has it.
    assigned: Option<(Timestamp, bool)>,
    /// Who had what when it was first tried.
    before: Option<Inventory>,
}

impl<P: Ports> Run<'_, P> {
    async fn carry_out(&mut self, step: Step) {
        match self.attempts(step).await {
            Rest::Settled => {}
            Rest::GivenUp(step, error) => {
                let outcome = error.map_or(MoveOutcome::Unproven, MoveOutcome::Failed);
                self.settle(&step.moves, &outcome);
            }
            Rest::Refused(step, error, is_first) => {
                // EC2 takes all addresses of a call or none: one that does not fit must not keep others
                // than those of its group.
                let pieces = step.apart(self.config);
                if pieces.len() > 1 {
                    for piece in pieces {
                        let before = self.before.clone().filter(|_| !is_first);
                        let mut part = Run { outcomes: BTreeMap::new(), before, ..*self };
                        Box::pin(part.carry_out(piece)).await;
                        self.outcomes.append(&mut part.outcomes);
                    }
                } else {
                    let of = if is_first { MoveOutcome::Refused } else { MoveOutcome::Failed };
                    self.settle(&step.moves, &of(error));
                }
            }
        }
    }

    async fn attempts(&mut self, mut step: Step) -> Rest {
        let mut backoff = Backoff::until(self.deadline).slower(self.place);
        loop {
            let seen = match self.read(self.deadline).await {
                Ok(seen) => seen,
                // What EC2 accepted has not failed, only not been proven.
                Err(error) => {
                    return Rest::GivenUp(step, self.assigned.is_none().then_some(error));
                }
            };
            // A reply may be lost after the effect: an attempt that failed may have moved it all.
            if let Some(before) = &self.before
                && step.is_proven_by(self.config, &seen)
            {
                let proven = self.ports.now();
                let (assigned, recorded) = match self.assigned {
                    Some(known) => known,
                    None => (proven, self.record(&step, before, proven).await),
                };
                let proof = Proof { assigned, proven, recorded };
                self.settle(&step.moves, &MoveOutcome::Moved(proof));
                return Rest::Settled;
            }
            let (kept, overtaken) = step.reconsidered(self.config, &seen);
            self.settle(&overtaken, &MoveOutcome::Overtaken);
            step = kept;
            if step.moves.is_empty() {
                return Rest::Settled;
            }
            let is_first = self.before.is_none();
            let before = self.before.get_or_insert(seen).clone();
            let error = match self.assign_and_prove(&step, &before).await {
                Ok(Some(proof)) => {
                    self.settle(&step.moves, &MoveOutcome::Moved(proof));
                    return Rest::Settled;
                }
                Ok(None) => None,
                Err(error) if error.is_transient() => Some(error),
                Err(error) => return Rest::Refused(step, error, is_first),
            };
            tracing::warn!(eni = %step.eni, ?error, "step not proven yet");
            if !backoff.pause(self.ports).await {
                return Rest::GivenUp(step, error);
            }
        }
    }

    async fn read(&self, deadline: Timestamp) -> Result<Inventory, PortError> {
        retry(self.ports, deadline, || self.ports.inventory(self.config)).await
    }

    /// `None`: accepted, but EC2 did not name the new holder within [`PROOF_PATIENCE`].
    async fn assign_and_prove(
        &mut self,
        step: &Step,
        before: &Inventory,
    ) -> Result<Option<Proof>, PortError> {
        let vips: Vec<VipAddr> = step.moves.iter().map(|planned| planned.vip).collect();
        in_time(self.ports, self.deadline)?;
        bounded(self.ports, self.deadline, self.ports.assign(&step.eni, &vips, Reassign::Allowed))
            .await?;
        let (assigned, recorded, proven) = if let Some((assigned, recorded)) = self.assigned {
            (assigned, recorded, self.proof(step).await)
        } else {
            let now = self.ports.now();
            let recording = self.record(step, before, now);
            let (recorded, proven) = futures::join!(recording, self.proof(step));
            (now, recorded, proven)
        };
        self.assigned = Some((assigned, recorded));
        Ok(proven.map(|proven| Proof { assigned, proven, recorded }))
    }

    /// Writes the moves into the ledger. They stand without it; only the budget forgets them.
    async fn record(&self, step: &Step, before: &Inventory, at: Timestamp) -> bool {
        let tags = ledger_tags(self.config, step, before, at);
        let tagged = bounded(self.ports, self.deadline, self.ports.tag(&step.eni, &tags)).await;
        tagged
            .inspect_err(|error| tracing::error!(%error, eni = %step.eni, "move not recorded"))
            .is_ok()
    }

    /// When EC2 named the new holder; an EC2 that cannot be read proves nothing.
    async fn proof(&self, step: &Step) -> Option<Timestamp> {
        let patience = (self.ports.now() + PROOF_PATIENCE).min(self.deadline);
        let mut backoff = Backoff::until(patience);
        loop {
            let seen = self.read(patience).await.ok()?;
            if step.is_proven_by(self.config, &seen) {
                return Some(self.ports.now());
            }
            if !backoff.pause(self.ports).await {
                return None;
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

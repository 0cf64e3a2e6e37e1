//! One loop of fresh passes. Each reads the world, judges, decides and sends what it decided, one
//! call an interface. What did not succeed is decided afresh by the next pass, or not tried again:
//! neither what woke the function nor what an earlier pass thought decides anything.

use std::sync::Arc;

use vipward_core::audit::vet;
use vipward_core::decide::{Decision, decide};
use vipward_core::evidence::{Evidence, Snapshot};
use vipward_core::plan::{Step, plan};

use crate::attempts::Attempts;
use crate::backoff::Backoff;
use crate::execute::send;
use crate::gather::{Gathered, Haste, Scope, gather};
use crate::invocation::Invocation;
use crate::memory::locked;
use crate::ports::{PortError, Ports};
use crate::record::Record;
use crate::turns::Next;

/// Why there is nothing to record.
#[derive(Debug)]
pub enum Stopped {
    /// EC2 could not be read.
    Unread(PortError),
    /// The goal allows nothing, for this reason.
    NotAllowed(String),
}

/// Reconciles every VIP of the cluster.
///
/// # Errors
/// When EC2 could not be read. Then nothing was done; the next wake-up tries afresh.
pub async fn reconcile<P: Ports>(invocation: &Invocation<'_, P>) -> Result<Vec<Record>, PortError> {
    let scope = Scope::Services(invocation.first_scope());
    let goal = |snapshot: Snapshot<'_>| Ok(decide(snapshot));
    match pursue(invocation, scope, goal).await {
        Err(Stopped::Unread(error)) => Err(error),
        records => Ok(records.unwrap_or_default()),
    }
}

/// Makes passes until all is settled or held, or time is up. `goal` decides each on its evidence,
/// or says why nothing may be done.
///
/// # Errors
/// When EC2 could not be read, or the goal allows nothing: then nothing was done.
pub async fn pursue<P, G>(
    invocation: &Invocation<'_, P>,
    scope: Scope,
    goal: G,
) -> Result<Vec<Record>, Stopped>
where
    P: Ports,
    G: FnMut(Snapshot<'_>) -> Result<Vec<Decision>, String> + Send,
{
    let attempts = Attempts::default();
    let haste = Haste::ByHints;
    let mut run = Run { invocation, scope, haste, goal, attempts, decided: Vec::new() };
    let mut backoff = Backoff::until(invocation.deadline);
    loop {
        let next = match run.pass().await {
            Ok(next) => next,
            Err(Stopped::Unread(error))
                if error.is_transient() && backoff.pause(invocation.ports).await =>
            {
                tracing::warn!(%error, "EC2 not read");
                Next::AtOnce
            }
            Err(stopped) if run.decided.is_empty() => return Err(stopped),
            Err(_) => Next::Over,
        };
        let goes_on = match next {
            Next::Over => false,
            Next::Soon => backoff.look(invocation.ports).await,
            Next::Later => backoff.pause(invocation.ports).await,
            Next::AtOnce => invocation.ports.now() < invocation.deadline,
        };
        if !goes_on {
            return Ok(run.attempts.records(invocation.config, run.decided));
        }
    }
}

struct Run<'r, P, G> {
    invocation: &'r Invocation<'r, P>,
    /// Whose metrics the next pass reads at once; from the second pass on everybody's.
    scope: Scope,
    haste: Haste,
    goal: G,
    attempts: Attempts,
    /// What the last pass decided.
    decided: Vec<Record>,
}

impl<P, G> Run<'_, P, G>
where
    P: Ports,
    G: FnMut(Snapshot<'_>) -> Result<Vec<Decision>, String> + Send,
{
    /// One pass, and what comes after it.
    async fn pass(&mut self) -> Result<Next, Stopped> {
        let Invocation { config, ports, memory, .. } = *self.invocation;
        let hints = self.invocation.hints();
        let haste = std::mem::replace(&mut self.haste, Haste::Thorough);
        // Once the first pass is over hints may wait in the queue: the metrics tell about whom.
        let scope = std::mem::replace(&mut self.scope, Scope::All);
        let gathered = gather(self.invocation, hints, &scope, haste).await;
        let Gathered { mut evidence, unread, is_whole } = gathered.map_err(Stopped::Unread)?;
        let now = ports.now();
        self.attempts.settle(self.invocation, &evidence.inventory, now);
        evidence.refusals = self.attempts.refusals();
        evidence.in_flight = locked(memory).in_flight(now);
        let snapshot = Snapshot { config, evidence: &evidence, now };
        let decisions = match (self.goal)(snapshot) {
            Ok(decisions) => vetted(snapshot, decisions),
            Err(why) if self.decided.is_empty() => return Err(Stopped::NotAllowed(why)),
            // What was sent already is looked after all the same.
            Err(_) => {
                self.attempts.write_down(self.invocation, &evidence.inventory).await;
                return Ok(self.attempts.waits(&[], now));
            }
        };
        let steps = self.attempts.due(config, plan(config, &decisions), &evidence.inventory, now);
        let evidence = Arc::new(evidence);
        let record =
            |decision: &Decision| Record::new(self.invocation, now, decision, evidence.clone());
        self.decided = decisions.iter().map(record).collect();
        if steps.is_empty() {
            self.attempts.write_down(self.invocation, &evidence.inventory).await;
            let next = self.attempts.waits(&decisions, now);
            let held = (next == Next::Over && is_whole).then_some(decisions.as_slice());
            locked(memory).saw(config, now, &evidence, held);
            return Ok(if unread.is_empty() { next } else { next.max(Next::AtOnce) });
        }
        locked(memory).saw(config, now, &evidence, None);
        let moves = |service| steps.iter().any(|step| step.is_about(service));
        // A service for whose metrics nobody waited must not wait for the schedule.
        let is_partial = !unread.iter().all(moves);
        let next = self.carry_out(steps, &evidence).await;
        let next = next.max(self.attempts.waits(&decisions, ports.now()));
        Ok(if is_partial && next == Next::Over { Next::AtOnce } else { next })
    }

    async fn carry_out(&mut self, steps: Vec<Step>, evidence: &Evidence) -> Next {
        let recorded = self.attempts.recorded();
        let sending = steps
            .into_iter()
            .map(|step| send(self.invocation, step, &evidence.inventory, &recorded));
        let mut attempts = std::mem::take(&mut self.attempts);
        let writing = attempts.write_down(self.invocation, &evidence.inventory);
        let (sent, ()) = futures::join!(futures::future::join_all(sending), writing);
        self.attempts = attempts;
        let noted =
            sent.into_iter().map(|sent| self.attempts.note(self.invocation, sent, &self.decided));
        noted.max().unwrap_or(Next::Over)
    }
}

/// The decisions that stand up to the audit.
fn vetted(snapshot: Snapshot<'_>, decisions: Vec<Decision>) -> Vec<Decision> {
    let (decisions, refused) = vet(snapshot, decisions);
    for (decision, breach) in refused {
        tracing::error!(service = %decision.service, %breach, "decision refused by the audit");
    }
    decisions
}

#[cfg(test)]
mod tests;

//! The driver of one target: waits for the verdict machine's next probe or the standing
//! connection's break, probes, and passes changes on.

use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use vipward_core::outcome::{Lag, Outcome, Pass, ProbeFailure, Replication};
use vipward_probes::probe;

use vipward_core::Verdict;
use vipward_observe::last_seen::LastSeen;
use vipward_observe::target::Target;
use vipward_observe::verdict::VerdictMachine;
use vipward_observe::view::TargetChange;

use crate::host::clock::Clock;
use crate::probing::standing::StandingConnection;

/// Watches the target until nobody listens any more.
pub async fn watch(
    target: Target,
    clock: Clock,
    changes: mpsc::Sender<TargetChange>,
    seen: Arc<Mutex<LastSeen>>,
    silence: watch::Receiver<()>,
) {
    let mut watch = Watch {
        machine: VerdictMachine::new(&target.check, clock.now()),
        standing: target.check.port.map(|_| StandingConnection::new(&target)),
        silence,
        last_cause: None,
        last_place: None,
        target,
        clock,
    };
    loop {
        watch.wait().await;
        let begun = clock.now();
        let outcome = watch.probe().await;
        let took = Duration::try_from(clock.now().duration_since(begun)).unwrap_or_default();
        seen.lock().unwrap_or_else(PoisonError::into_inner).on_probe(&outcome, took);
        watch.log(&outcome);
        let Some(change) = watch.machine.done(clock.now(), &outcome) else {
            continue;
        };
        if change.from == Verdict::Unhealthy {
            watch.standing.iter_mut().for_each(StandingConnection::renew);
        }
        let Target { subject, service, .. } = watch.target.clone();
        if changes.send(TargetChange { subject, service, change }).await.is_err() {
            return;
        }
    }
}

/// Until something suggests that the target has changed: its connection breaks, or its host does
/// not answer a knock.
async fn suspected(standing: &mut Option<StandingConnection>, silence: &mut watch::Receiver<()>) {
    let broken = async {
        match standing {
            Some(standing) => standing.broken().await,
            None => std::future::pending().await,
        }
    };
    let silent = async {
        // Nobody knocks any more: nobody will tell.
        if silence.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = broken => {}
        () = silent => {}
    }
}

struct Watch {
    target: Target,
    clock: Clock,
    machine: VerdictMachine,
    /// None where the check has no port.
    standing: Option<StandingConnection>,
    /// Changes when the host does not answer a knock.
    silence: watch::Receiver<()>,
    /// What the last probe did not pass for: a cause is logged once, not at every interval.
    last_cause: Option<String>,
    /// Its place in replication when last seen, likewise.
    last_place: Option<Place>,
}

/// Replication and lag, but for how many seconds the lag is.
type Place = (Option<Replication>, Option<Discriminant<Lag>>);

impl Watch {
    /// Until the next probe is to begin.
    async fn wait(&mut self) {
        while !self.machine.poll(self.clock.now()) {
            tokio::select! {
                () = self.clock.sleep_until(self.machine.deadline()) => {}
                () = suspected(&mut self.standing, &mut self.silence) => {
                    self.machine.on_suspicion(self.clock.now());
                }
            }
        }
    }

    async fn probe(&mut self) -> Outcome {
        let mut probing = std::pin::pin!(probe(self.target.address, &self.target.check));
        loop {
            tokio::select! {
                outcome = &mut probing => return outcome,
                () = suspected(&mut self.standing, &mut self.silence) => {
                    self.machine.on_suspicion(self.clock.now());
                }
            }
        }
    }

    fn log(&mut self, outcome: &Outcome) {
        self.log_cause(outcome);
        let Ok(Pass { role, lag }) = outcome else { return };
        let place = (*role, lag.as_ref().map(discriminant));
        if self.last_place.replace(place) != Some(place) && place != (None, None) {
            let Target { subject, service, .. } = &self.target;
            tracing::info!(%subject, %service, ?role, ?lag, "place in replication changed");
        }
    }

    fn log_cause(&mut self, outcome: &Outcome) {
        let failure = outcome.as_ref().err();
        let cause = failure.map(ToString::to_string);
        if cause == self.last_cause {
            return;
        }
        let Target { subject, service, .. } = &self.target;
        match (failure, &cause) {
            (Some(ProbeFailure::Inconclusive(_)), Some(cause)) => {
                tracing::error!(%subject, %service, cause, "probe could not judge");
            }
            (Some(_), Some(cause)) => tracing::warn!(%subject, %service, cause, "probe failed"),
            _ => tracing::debug!(%subject, %service, "probe passed"),
        }
        self.last_cause = cause;
    }
}

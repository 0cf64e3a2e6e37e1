//! The driver of one target: waits for the verdict machine's next probe or the standing
//! connection's break, probes, and passes changes on.

use std::mem::{Discriminant, discriminant};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::{mpsc, watch};
use vipward_core::outcome::{Lag, Outcome, Pass, ProbeFailure, Replication};
use vipward_probes::probe;

use vipward_core::Verdict;
use vipward_core::hint::NOT_REPLICATING;
use vipward_observe::target::Target;
use vipward_observe::verdict::VerdictMachine;
use vipward_observe::view::TargetChange;

use crate::host::clock::Clock;
use crate::probing::standing::StandingConnection;

/// What the last probes of a target saw besides whether it is well.
#[derive(Debug, Default)]
pub struct LastSeen {
    /// Microseconds that the last probe took, plus one; 0 until the first has ended.
    took: AtomicU64,
    /// Milliseconds of lag plus one; 0 while none is known.
    lag: AtomicU64,
    /// Whether it was a primary plus one; 0 while its role is not known.
    primary: AtomicU8,
    /// What the last probe did not pass for; none where it passed.
    cause: Mutex<Option<String>>,
}

impl LastSeen {
    fn took(&self, took: SignedDuration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(0);
        self.took.store(micros.saturating_add(1), Ordering::Relaxed);
    }

    fn ended(&self, outcome: &Outcome) {
        let cause = outcome.as_ref().err().map(ToString::to_string);
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
        if let Ok(pass) = outcome {
            self.passed(pass);
        }
    }

    fn passed(&self, pass: &Pass) {
        let primary = pass.role.map_or(0, |role| 1 + u8::from(role == Replication::Primary));
        self.primary.store(primary, Ordering::Relaxed);
        self.saw_lag(pass);
    }

    fn saw_lag(&self, pass: &Pass) {
        let lag = match (pass.role, pass.lag) {
            (Some(Replication::Primary), _) => Duration::ZERO,
            (_, Some(Lag::Behind(lag))) => lag,
            // Every replica of a primary that died has lost it: what it was behind before counts.
            (_, Some(Lag::Severed)) if self.lag().is_some() => return,
            (_, Some(Lag::Severed | Lag::NotReplicating)) => NOT_REPLICATING,
            (_, None) => return,
        };
        let millis = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        self.lag.store(millis.saturating_add(1), Ordering::Relaxed);
    }

    /// In microseconds, how long the last probe took; `None` before the first has ended.
    pub fn micros(&self) -> Option<u64> {
        self.took.load(Ordering::Relaxed).checked_sub(1)
    }

    /// What the last probe did not pass for.
    pub fn cause(&self) -> Option<String> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the target is a primary, as the last passing probe saw it.
    pub fn primary(&self) -> Option<bool> {
        self.primary.load(Ordering::Relaxed).checked_sub(1).map(|is| is > 0)
    }

    /// How far the target is behind its primary, as far as passing probes have seen.
    pub fn lag(&self) -> Option<Duration> {
        self.lag.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_millis)
    }
}

/// Watches the target until nobody listens any more.
pub async fn watch(
    target: Target,
    clock: Clock,
    changes: mpsc::Sender<TargetChange>,
    seen: Arc<LastSeen>,
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
        seen.took(clock.now().duration_since(begun));
        seen.ended(&outcome);
        watch.log(&outcome);
        let Some(change) = watch.machine.finish(clock.now(), &outcome) else {
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

/// Until something hints that the target may have changed: its connection breaks, or its host does
/// not answer a knock.
async fn stirred(standing: &mut Option<StandingConnection>, silence: &mut watch::Receiver<()>) {
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
    /// Until the next probe is due.
    async fn wait(&mut self) {
        loop {
            tokio::select! {
                () = self.clock.sleep_until(Some(self.machine.next_probe())) => return,
                () = stirred(&mut self.standing, &mut self.silence) => self.machine.wake(self.clock.now()),
            }
        }
    }

    async fn probe(&mut self) -> Outcome {
        self.machine.begin(self.clock.now());
        let mut probing = std::pin::pin!(probe(self.target.address, &self.target.check));
        loop {
            tokio::select! {
                outcome = &mut probing => return outcome,
                () = stirred(&mut self.standing, &mut self.silence) => self.machine.wake(self.clock.now()),
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
        let shortfall = outcome.as_ref().err();
        let cause = shortfall.map(ToString::to_string);
        if cause == self.last_cause {
            return;
        }
        let Target { subject, service, .. } = &self.target;
        match (shortfall, &cause) {
            (Some(ProbeFailure::Inconclusive(_)), Some(cause)) => {
                tracing::error!(%subject, %service, cause, "probe could not judge");
            }
            (Some(_), Some(cause)) => tracing::warn!(%subject, %service, cause, "probe failed"),
            _ => tracing::debug!(%subject, %service, "probe passed"),
        }
        self.last_cause = cause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag_after(passes: &[(Option<Replication>, Option<Lag>)]) -> Option<Duration> {
        let seen = LastSeen::default();
        for (role, lag) in passes {
            seen.passed(&Pass { role: *role, lag: *lag });
        }
        seen.lag()
    }

    #[test]
    fn the_lag_is_what_probes_saw_and_outlives_the_primary() {
        let behind =
            |seconds| (Some(Replication::Replica), Some(Lag::Behind(Duration::from_secs(seconds))));
        let severed = (Some(Replication::Replica), Some(Lag::Severed));
        let stopped = (Some(Replication::Replica), Some(Lag::NotReplicating));
        let primary = (Some(Replication::Primary), None);
        assert_eq!(lag_after(&[]), None);
        assert_eq!(lag_after(&[(None, None)]), None);
        assert_eq!(lag_after(&[primary]), Some(Duration::ZERO));
        assert_eq!(lag_after(&[behind(3), behind(5)]), Some(Duration::from_secs(5)));
        assert_eq!(lag_after(&[behind(3), severed]), Some(Duration::from_secs(3)));
        assert_eq!(lag_after(&[severed]), Some(NOT_REPLICATING));
        assert_eq!(lag_after(&[behind(3), stopped]), Some(NOT_REPLICATING));
    }

    #[test]
    fn the_role_is_what_the_last_passing_probe_saw() {
        let seen = LastSeen::default();
        let passed = |role| seen.passed(&Pass { role, lag: None });
        assert_eq!(seen.primary(), None);
        passed(Some(Replication::Primary));
        assert_eq!(seen.primary(), Some(true));
        passed(Some(Replication::Replica));
        assert_eq!(seen.primary(), Some(false));
        passed(None);
        assert_eq!(seen.primary(), None, "it is a router now");
    }
}

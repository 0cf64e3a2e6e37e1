//! The driver of the whole agent: feeds the reporter with what the watches see and carries out
//! what it says.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use vipward_core::{Config, Hint, Verdict};

use crate::clock::Clock;
use crate::outlet::Outlet;
use crate::publishing::Reason;
use crate::reporter::{Report, Reporter};
use crate::service_manager::ServiceManager;
use crate::target::targets;
use crate::view::{Datum, Sighting};
use crate::watch::watch;

/// Verdict changes that may wait for the driver; watches wait when there are more.
const WAITING_SIGHTINGS: usize = 64;

/// A watch ended while the agent ran: its target would go unwatched in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a watch of a service ended unexpectedly")]
pub struct WatchEnded;

/// Runs until `shutdown` comes, then ends at once: what was on its way is dropped.
///
/// # Errors
/// [`WatchEnded`] when a target is no longer watched.
pub async fn run(
    config: &Config,
    mut reporter: Reporter,
    clock: Clock,
    outlet: &impl Outlet,
    shutdown: impl Future<Output = ()>,
) -> Result<(), WatchEnded> {
    let (seen, mut sightings) = mpsc::channel(WAITING_SIGHTINGS);
    let mut watches = JoinSet::new();
    for target in targets(config) {
        watches.spawn(watch(target, clock, seen.clone()));
    }
    let mut manager = ServiceManager::find();
    manager.ready();
    manager.status(&reporter.view().summary());
    let (mut metrics, mut hint) = (OnItsWay(None), OnItsWay(None));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        while let Some(report) = reporter.due(clock.now()) {
            match report {
                Report::Metrics(reason, data) => metrics.start(publish(outlet, reason, data)),
                Report::Hint(content) => hint.start(put(outlet, content)),
            }
        }
        tokio::select! {
            Some(sighting) = sightings.recv() => {
                take_in(&mut reporter, &clock, &sighting);
                // A host that dies takes all its services along: one hint says it all.
                while let Ok(sighting) = sightings.try_recv() {
                    take_in(&mut reporter, &clock, &sighting);
                }
                manager.status(&reporter.view().summary());
            }
            () = metrics.arrived() => reporter.published(),
            () = hint.arrived() => reporter.hinted(),
            () = clock.sleep_until(reporter.deadline()) => {}
            () = manager.stay_alive() => {}
            Some(_) = watches.join_next() => return Err(WatchEnded),
            () = &mut shutdown => {
                manager.stopping();
                return Ok(());
            }
        }
    }
}

fn take_in(reporter: &mut Reporter, clock: &Clock, sighting: &Sighting) {
    let Sighting { subject, service, change } = sighting;
    let (from, to) = (word(change.from), word(change.to));
    let cause = change.cause.as_deref();
    tracing::info!(%subject, %service, %from, %to, cause, "verdict changed");
    reporter.observe(clock.now(), sighting);
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "unhealthy",
        Verdict::Unknown => "unknown",
    }
}

async fn publish(outlet: &impl Outlet, reason: Reason, data: Vec<Datum>) {
    let reason_word = reason.as_str();
    match (outlet.publish(&data).await, reason) {
        (Ok(()), Reason::Change) => tracing::info!(reason = %reason_word, "metrics published"),
        // Every ten seconds for ever: for those who ask.
        (Ok(()), Reason::Tick) => tracing::debug!(reason = %reason_word, "metrics published"),
        (Err(error), _) => tracing::warn!(reason = %reason_word, %error, "metrics failed"),
    }
}

async fn put(outlet: &impl Outlet, hint: Hint) {
    let sequence = hint.sequence;
    match outlet.hint(&hint).await {
        Ok(()) => tracing::info!(sequence, "hint sent"),
        Err(error) => tracing::warn!(sequence, %error, "hint failed"),
    }
}

/// A request on its way, if any: at most one of its kind.
struct OnItsWay<'a>(Option<Pin<Box<dyn Future<Output = ()> + 'a>>>);

impl<'a> OnItsWay<'a> {
    fn start(&mut self, request: impl Future<Output = ()> + 'a) {
        self.0 = Some(Box::pin(request));
    }

    /// Until the request has ended; for ever when there is none. Cancel safe.
    async fn arrived(&mut self) {
        match &mut self.0 {
            Some(request) => request.await,
            None => std::future::pending().await,
        }
        self.0 = None;
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! The watches of all targets, each a task.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::clock::Clock;
use crate::target::{Target, TargetKey};
use crate::view::Sighting;
use crate::watch::watch;

/// Verdict changes that may wait for the driver; watches wait when there are more.
const WAITING_SIGHTINGS: usize = 64;

/// A watch ended while the agent ran: its target would go unwatched in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a watch of a service ended unexpectedly")]
pub struct WatchEnded;

/// One watch for each target.
pub struct Watches {
    clock: Clock,
    tasks: JoinSet<()>,
    watched: BTreeMap<TargetKey, (Target, AbortHandle)>,
    seen: mpsc::Sender<Sighting>,
    sightings: mpsc::Receiver<Sighting>,
}

impl Watches {
    /// Watches the targets from now on.
    pub fn start(clock: Clock, targets: Vec<Target>) -> Self {
        let (seen, sightings) = mpsc::channel(WAITING_SIGHTINGS);
        let (tasks, watched) = (JoinSet::new(), BTreeMap::new());
        let mut all = Self { clock, tasks, watched, seen, sightings };
        for target in targets {
            all.add(target);
        }
        all
    }

    /// Watches the same targets with fresh eyes: what the watches saw or were about to see is gone,
    /// sightings that wait included.
    pub fn start_over(&mut self) {
        let targets = std::mem::take(&mut self.watched).into_values().map(|(target, _)| target);
        *self = Self::start(self.clock, targets.collect());
    }

    /// Watches these targets instead, and says which of them are watched as before. The caller has
    /// taken every sighting that waits: one may be of a target that goes.
    pub fn replace(&mut self, targets: Vec<Target>) -> BTreeSet<TargetKey> {
        let mut old = std::mem::take(&mut self.watched);
        let mut kept = BTreeSet::new();
        for target in targets {
            let key = target.key();
            match old.remove(&key) {
                Some((same, task)) if same == target => {
                    self.watched.insert(key.clone(), (same, task));
                    kept.insert(key);
                }
                Some((_, task)) => {
                    task.abort();
                    self.add(target);
                }
                None => self.add(target),
            }
        }
        for (_, task) in old.into_values() {
            task.abort();
        }
        kept
    }

    fn add(&mut self, target: Target) {
        let key = target.key();
        let task = self.tasks.spawn(watch(target.clone(), self.clock, self.seen.clone()));
        self.watched.insert(key, (target, task));
    }

    /// The next sighting. Cancel safe.
    ///
    /// # Errors
    /// When a watch has ended.
    pub async fn next(&mut self) -> Result<Sighting, WatchEnded> {
        loop {
            tokio::select! {
                Some(sighting) = self.sightings.recv() => return Ok(sighting),
                Some(ended) = self.tasks.join_next() => {
                    // Those that were replaced end too.
                    if !ended.is_err_and(|error| error.is_cancelled()) {
                        return Err(WatchEnded);
                    }
                }
            }
        }
    }

    /// A sighting that waits, if any.
    pub fn waiting(&mut self) -> Option<Sighting> {
        self.sightings.try_recv().ok()
    }
}

//! The watches of all targets, each a task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use vipward_core::NodeName;
use vipward_observe::last_seen::LastSeen;
use vipward_observe::target::{Target, TargetKey};
use vipward_observe::view::TargetChange;

use crate::host::clock::Clock;
use crate::probing::knocking::Knocking;
use crate::probing::watch::watch as watch_over;

/// Verdict changes that may wait for the driver; watches wait when there are more.
const WAITING_CHANGES: usize = 64;

/// A watch ended while the agent ran: its target would go unwatched in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a watch of a service ended unexpectedly")]
pub struct WatchEnded;

/// A target and the task that watches it.
struct Watched {
    target: Target,
    task: AbortHandle,
    last: Arc<Mutex<LastSeen>>,
}

impl Watched {
    fn last_seen(&self) -> MutexGuard<'_, LastSeen> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host that targets are on, and the task that knocks there, where one does.
struct Host {
    silence: watch::Sender<()>,
    knocking: Option<AbortHandle>,
}

/// One watch for each target.
pub struct Watches {
    clock: Clock,
    tasks: JoinSet<()>,
    watched: BTreeMap<TargetKey, Watched>,
    hosts: BTreeMap<NodeName, Host>,
    seen: mpsc::Sender<TargetChange>,
    changes: mpsc::Receiver<TargetChange>,
}

impl Watches {
    /// Watches the targets from now on.
    pub fn start(clock: Clock, targets: Vec<Target>) -> Self {
        let (seen, changes) = mpsc::channel(WAITING_CHANGES);
        let (tasks, watched, hosts) = (JoinSet::new(), BTreeMap::new(), BTreeMap::new());
        let mut all = Self { clock, tasks, watched, hosts, seen, changes };
        for target in targets {
            all.add(target);
        }
        all.knock();
        all
    }

    /// Watches the same targets with fresh eyes: what the watches saw or were about to see is gone,
    /// changes that wait included.
    pub fn start_over(&mut self) {
        let targets = std::mem::take(&mut self.watched).into_values().map(|watched| watched.target);
        *self = Self::start(self.clock, targets.collect());
    }

    /// Watches these targets instead, and says which of them are watched as before. The caller has
    /// taken every change that waits: one may be of a target that goes.
    pub fn replace(&mut self, targets: Vec<Target>) -> BTreeSet<TargetKey> {
        let mut old = std::mem::take(&mut self.watched);
        let mut kept = BTreeSet::new();
        for target in targets {
            let key = target.key();
            match old.remove(&key) {
                Some(same) if same.target == target => {
                    self.watched.insert(key.clone(), same);
                    kept.insert(key);
                }
                Some(other) => {
                    other.task.abort();
                    self.add(target);
                }
                None => self.add(target),
            }
        }
        for gone in old.into_values() {
            gone.task.abort();
        }
        self.knock();
        kept
    }

    fn add(&mut self, target: Target) {
        let last = Arc::<Mutex<LastSeen>>::default();
        let host = self
            .hosts
            .entry(target.subject.clone())
            .or_insert_with(|| Host { silence: watch::channel(()).0, knocking: None });
        let silence = host.silence.subscribe();
        let watch =
            watch_over(target.clone(), self.clock, self.seen.clone(), last.clone(), silence);
        let task = self.tasks.spawn(watch);
        self.watched.insert(target.key(), Watched { target, task, last });
    }

    /// Knocks at the hosts as they are now.
    fn knock(&mut self) {
        let Self { tasks, watched, hosts, .. } = self;
        hosts.retain(|name, host| {
            if let Some(before) = host.knocking.take() {
                before.abort();
            }
            let targets = || watched.values().map(|watched| &watched.target);
            let knocking = Knocking::at(targets().filter(|target| target.subject == *name));
            host.knocking =
                knocking.map(|knocking| tasks.spawn(knocking.keep_on(host.silence.clone())));
            targets().any(|target| target.subject == *name)
        });
    }

    /// What the last probes of each target saw.
    pub fn last_seen(&self) -> impl Iterator<Item = (&Target, MutexGuard<'_, LastSeen>)> {
        self.watched.values().map(|watched| (&watched.target, watched.last_seen()))
    }

    /// What the last probes of that target saw.
    pub fn last_seen_of(&self, target: &TargetKey) -> Option<MutexGuard<'_, LastSeen>> {
        self.watched.get(target).map(Watched::last_seen)
    }

    /// The next change. Cancel safe.
    ///
    /// # Errors
    /// When a watch has ended.
    pub async fn next(&mut self) -> Result<TargetChange, WatchEnded> {
        loop {
            tokio::select! {
                Some(change) = self.changes.recv() => return Ok(change),
                Some(ended) = self.tasks.join_next() => {
                    // Those that were replaced end too.
                    if !ended.is_err_and(|error| error.is_cancelled()) {
                        return Err(WatchEnded);
                    }
                }
            }
        }
    }

    /// A change that waits, if any.
    pub fn waiting(&mut self) -> Option<TargetChange> {
        self.changes.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vipward_core::Verdict;

    use super::*;
    use crate::driver::tests::config;
    use vipward_observe::target::targets;

    /// Nobody serves on that port: each target soon has a verdict.
    const NOBODY: u16 = 1;

    fn me() -> NodeName {
        "a".parse().expect("a name")
    }

    fn subjects<'k>(keys: impl IntoIterator<Item = &'k TargetKey>) -> Vec<&'k str> {
        keys.into_iter().map(|(subject, _)| subject.as_str()).collect()
    }

    /// The next changes, from the same runtime that runs the watches.
    async fn seen(watches: &mut Watches, count: usize) -> Vec<(String, Verdict)> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let change = watches.next().await.expect("no watch ends by itself");
            seen.push((change.subject.to_string(), change.change.to));
        }
        seen.sort();
        seen
    }

    fn unhealthy(subject: &str) -> (String, Verdict) {
        (subject.to_owned(), Verdict::Unhealthy)
    }

    #[tokio::test]
    async fn only_what_is_quite_the_same_is_watched_as_before() {
        let mut watches = Watches::start(Clock::start(), targets(&config(NOBODY), &me()));
        assert_eq!(seen(&mut watches, 2).await, [unhealthy("a"), unhealthy("b")]);

        let mut changed = targets(&config(NOBODY), &me());
        changed[1].check.timeout = Duration::from_millis(1);
        assert_eq!(subjects(&watches.replace(changed.clone())), ["a"]);
        assert_eq!(seen(&mut watches, 1).await, [unhealthy("b")], "b is judged afresh");

        changed.remove(0);
        assert_eq!(subjects(&watches.replace(changed)), ["b"]);
        assert_eq!(subjects(watches.watched.keys()), ["b"]);
        assert_eq!(subjects(&watches.replace(targets(&config(NOBODY), &me()))), Vec::<&str>::new());
        assert_eq!(seen(&mut watches, 2).await, [unhealthy("a"), unhealthy("b")]);
    }

    #[tokio::test]
    async fn those_that_start_over_judge_afresh() {
        let mut watches = Watches::start(Clock::start(), targets(&config(NOBODY), &me()));
        assert_eq!(seen(&mut watches, 2).await, [unhealthy("a"), unhealthy("b")]);
        watches.start_over();
        assert!(watches.waiting().is_none());
        assert_eq!(seen(&mut watches, 2).await, [unhealthy("a"), unhealthy("b")]);
    }
}

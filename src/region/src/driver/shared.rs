//! The model behind its lock, and the carrying out of what it wants done.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use vipward_region_model::ids::Ids;
use vipward_region_model::journal::{Entry, JournalEvent};
use vipward_region_model::lambda::{self, Answer, EnvironmentId, FunctionSpec};
use vipward_region_model::{Effect, Region};

use super::environment_handle::Environment;
use super::launch::Launch;
use super::{Sink, clock};

/// What all listeners and processes of a region share.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    /// Wakes the ticker: there may be an earlier deadline.
    wake: Notify,
    launch: Option<Launch>,
    start: Start,
}

/// Starts an environment: its handle, and the life of its process.
pub(super) type Start =
    fn(Arc<Shared>, EnvironmentId, FunctionSpec, Launch) -> (Environment, ProcessTask);
/// To be run as a task.
pub(super) type ProcessTask = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Inner {
    pub(super) region: Region,
    /// Ids of API requests.
    pub(super) request_ids: Ids,
    /// Callers of synchronous invocations, by request id.
    pub(super) callers: BTreeMap<String, oneshot::Sender<Answer>>,
    environments: BTreeMap<EnvironmentId, Environment>,
    processes: JoinSet<()>,
    /// Calls that take effect whether or not their clients still wait.
    calls: JoinSet<()>,
    sink: Sink,
    latest: Timestamp,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(region: Region, launch: Option<Launch>, start: Start, sink: Sink) -> Self {
        Self {
            inner: Mutex::new(Inner {
                region,
                request_ids: Ids::new("request"),
                callers: BTreeMap::new(),
                environments: BTreeMap::new(),
                processes: JoinSet::new(),
                calls: JoinSet::new(),
                sink,
                latest: Timestamp::UNIX_EPOCH,
            }),
            wake: Notify::new(),
            launch,
            start,
        }
    }

    /// One step of the model: does what the caller wants, then all that is due.
    pub(super) fn turn<T>(self: &Arc<Self>, step: impl FnOnce(&mut Inner, Timestamp) -> T) -> T {
        let result = self.advance(step);
        self.wake.notify_one();
        result
    }

    /// Writes a line to the journal.
    pub(super) fn journal(&self, event: JournalEvent) {
        let mut inner = self.lock();
        let at = inner.now();
        inner.write(&Entry { at, event });
    }

    /// Runs a call to its end, or to the region's.
    pub(super) fn spawn_call(&self, call: impl Future<Output = ()> + Send + 'static) {
        let calls = &mut self.lock().calls;
        while calls.try_join_next().is_some() {}
        calls.spawn(call);
    }

    /// Ends every call and every function process, and waits until they are gone.
    pub(super) async fn end(&self) {
        let (mut calls, mut processes) = {
            let mut inner = self.lock();
            inner.environments.clear();
            (std::mem::take(&mut inner.calls), std::mem::take(&mut inner.processes))
        };
        calls.shutdown().await;
        while processes.join_next().await.is_some() {}
    }

    fn advance<T>(self: &Arc<Self>, step: impl FnOnce(&mut Inner, Timestamp) -> T) -> T {
        let mut inner = self.lock();
        let now = inner.now();
        let result = step(&mut inner, now);
        for effect in inner.region.advance(now) {
            match effect {
                Effect::Tell(entry) => inner.write(&entry),
                Effect::Lambda(effect) => self.execute(&mut inner, effect),
            }
        }
        result
    }

    fn execute(self: &Arc<Self>, inner: &mut Inner, effect: lambda::Effect) {
        match effect {
            lambda::Effect::Start { environment, function } => {
                while inner.processes.try_join_next().is_some() {}
                let launch = self
                    .launch
                    .clone()
                    .expect("a world with functions is refused without [lambda]");
                let (handle, process) = (self.start)(self.clone(), environment, function, launch);
                inner.environments.insert(environment, handle);
                inner.processes.spawn(process);
            }
            lambda::Effect::Hand { environment, invocation } => {
                if let Some(handle) = inner.environments.get(&environment) {
                    handle.hand(invocation);
                }
            }
            lambda::Effect::Stop { environment } => {
                inner.environments.remove(&environment);
            }
            lambda::Effect::Answer { request_id, answer } => {
                if let Some(caller) = inner.callers.remove(&request_id) {
                    // A caller who went away needs no answer.
                    let _ = caller.send(answer);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }
}

impl Inner {
    /// The time, which never goes back for the model even if the system's clock does.
    fn now(&mut self) -> Timestamp {
        self.latest = self.latest.max(clock::now());
        self.latest
    }

    fn write(&mut self, entry: &Entry) {
        let mut line = serde_json::to_vec(entry).expect("a journal entry is plain data");
        line.push(b'\n');
        if let Err(error) = self.sink.write_all(&line).and_then(|()| self.sink.flush()) {
            tracing::warn!(%error, "journal line lost");
        }
    }
}

/// Advances the model whenever something is due.
pub(super) async fn tick(shared: Arc<Shared>) {
    loop {
        shared.advance(|_, _| ());
        let deadline = shared.lock().region.next_deadline();
        match deadline {
            Some(deadline) => {
                let sleep = tokio::time::sleep(clock::until(deadline));
                tokio::select! {
                    () = sleep => {}
                    () = shared.wake.notified() => {}
                }
            }
            None => shared.wake.notified().await,
        }
    }
}

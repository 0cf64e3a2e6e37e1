//! Lambda: functions, their execution environments and who runs what when.
//!
//! The model decides; a driver runs processes. It is told by effects what to hand to which
//! environment, and reports back what the environment did.

mod answer;
mod dispatch;
mod function;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::ids::Ids;
use super::journal::JournalEvent;
use crate::ApiError;
pub use answer::Answer;
pub use function::FunctionSpec;
use queue::{Queue, Queued};

/// Settings of Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a new environment may take until it asks for its first invocation.
    pub init_timeout: SignedDuration,
    /// Wait before the first retry of an asynchronous event after a function error; the second
    /// waits twice as long.
    pub error_retry: SignedDuration,
    /// First wait of a throttled asynchronous event, doubling from there.
    pub throttle_first: SignedDuration,
    /// Longest wait of a throttled asynchronous event.
    pub throttle_most: SignedDuration,
    /// Invocations at a time of all functions together.
    pub account_concurrency: u32,
}

/// Names one execution environment for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentId(pub u64);

/// One event on its way to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Request id; retries keep it.
    pub request_id: String,
    /// The event, JSON.
    pub payload: Vec<u8>,
    /// ARN of the function.
    pub arn: String,
}

/// What a driver has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Start a process for this function as this environment.
    Start {
        /// The new environment.
        environment: EnvironmentId,
        /// The function it belongs to.
        function: FunctionSpec,
    },
    /// Give the environment this invocation when it asks for one.
    Hand {
        /// A started environment.
        environment: EnvironmentId,
        /// The invocation.
        invocation: Invocation,
    },
    /// End the environment's process.
    Stop {
        /// The environment, already forgotten by the model.
        environment: EnvironmentId,
    },
    /// Answer the caller who waits for this request.
    Answer {
        /// Request id of a synchronous invocation.
        request_id: String,
        /// What the function answered.
        answer: Answer,
    },
}

/// Who waits for an invocation's end.
#[derive(Debug)]
enum Origin {
    Caller,
    Queue(Queued),
}

#[derive(Debug)]
struct Work {
    request_id: String,
    origin: Origin,
    began: Timestamp,
    until: Timestamp,
    running: bool,
}

#[derive(Debug)]
struct Environment {
    function: String,
    work: Option<Work>,
}

/// The Lambda of one region.
#[derive(Debug)]
pub struct Lambda {
    settings: Settings,
    functions: BTreeMap<String, FunctionSpec>,
    environments: BTreeMap<EnvironmentId, Environment>,
    started: u64,
    /// No invocation starts: others have used all concurrency up.
    throttled: bool,
    queue: Queue,
    ids: Ids,
    effects: Vec<Effect>,
    /// What there is to tell since the last drain.
    pub journal: Vec<JournalEvent>,
}

impl Lambda {
    /// A Lambda with these functions.
    pub fn new(settings: Settings, functions: impl IntoIterator<Item = FunctionSpec>) -> Self {
        Self {
            settings,
            functions: functions
                .into_iter()
                .map(|function| (function.name.clone(), function))
                .collect(),
            environments: BTreeMap::new(),
            started: 0,
            throttled: false,
            queue: Queue::default(),
            ids: Ids::new("lambda"),
            effects: Vec::new(),
            journal: Vec::new(),
        }
    }

    /// From now on no invocation starts, as when others have used the account's concurrency up; or
    /// they do again.
    pub fn set_throttled(&mut self, throttled: bool) {
        self.throttled = throttled;
    }

    /// A function by name, partial ARN or ARN, with or without a qualifier.
    pub fn function(&self, name: &str) -> Result<&FunctionSpec, ApiError> {
        let unqualified = name.rsplit_once("function:").map_or(name, |(_, rest)| rest);
        let unqualified = unqualified.split(':').next().unwrap_or_default();
        self.functions.get(unqualified).ok_or_else(|| {
            ApiError::new("ResourceNotFoundException", 404, format!("Function not found: {name}"))
        })
    }

    /// Invokes a function for a caller who waits; the request id names the coming answer.
    pub fn invoke(
        &mut self,
        function: &str,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let function = self.function(function)?.clone();
        if !self.has_room(&function) {
            return Err(ApiError::new("TooManyRequestsException", 429, "Rate Exceeded."));
        }
        let request_id = self.ids.next_id();
        let invocation =
            Invocation { request_id: request_id.clone(), payload, arn: function.arn.clone() };
        self.hand(&function, invocation, Origin::Caller, now);
        Ok(request_id)
    }

    /// Puts an event into the asynchronous queue; it starts with the next [`Self::advance`].
    pub fn enqueue(
        &mut self,
        function: &str,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let function = self.function(function)?.name.clone();
        let request_id = self.ids.next_id();
        self.queue.push(Queued::new(function, request_id.clone(), payload, now));
        Ok(request_id)
    }

    /// The environment asked for an invocation and was given the one handed to it: its time runs
    /// from now. Returns when that is up; `None` when the environment has nothing to do.
    pub fn began(&mut self, environment: EnvironmentId, now: Timestamp) -> Option<Timestamp> {
        let environment = self.environments.get_mut(&environment)?;
        let timeout = self.functions.get(&environment.function)?.timeout;
        let work = environment.work.as_mut()?;
        work.began = now;
        work.until = now + timeout;
        work.running = true;
        Some(work.until)
    }

    /// The environment answered an invocation; `false` when it has no such invocation.
    pub fn ended(
        &mut self,
        environment: EnvironmentId,
        request_id: &str,
        answer: Answer,
        now: Timestamp,
    ) -> bool {
        let work = self.environments.get_mut(&environment).and_then(|environment| {
            environment.work.take_if(|work| work.running && work.request_id == request_id)
        });
        let Some(work) = work else { return false };
        let function = self.environments[&environment].function.clone();
        self.finish(&function, work, answer, now);
        true
    }

    /// The environment's process ended by itself; `how` is `exit status 1` for example.
    pub fn exited(&mut self, environment: EnvironmentId, how: &str, now: Timestamp) {
        self.forget(environment, now, |request_id| Answer::exited(request_id, how));
    }

    /// The runtime in an environment reported that it cannot start; the process is ended.
    pub fn init_failed(&mut self, environment: EnvironmentId, report: Vec<u8>, now: Timestamp) {
        self.forget(environment, now, |_| Answer::reported(report));
    }

    /// Ends an environment; its invocation, if it has one, gets this answer.
    fn forget(
        &mut self,
        environment: EnvironmentId,
        now: Timestamp,
        answer: impl FnOnce(&str) -> Answer,
    ) {
        let Some(Environment { function, work }) = self.environments.remove(&environment) else {
            return;
        };
        self.effects.push(Effect::Stop { environment });
        if let Some(work) = work {
            let answer = answer(&work.request_id);
            self.finish(&function, work, answer, now);
        }
    }

    /// When [`Self::advance`] has something to do next without any call before.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let timeouts = self
            .environments
            .values()
            .filter_map(|environment| Some(environment.work.as_ref()?.until));
        timeouts.chain(self.queue.next_due()).min()
    }

    /// Ends what ran too long, starts what is due, and hands out all effects since the last call.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Effect> {
        self.end_overdue(now);
        while let Some(queued) = self.queue.pop_due(now) {
            self.try_start(queued, now);
        }
        std::mem::take(&mut self.effects)
    }
}

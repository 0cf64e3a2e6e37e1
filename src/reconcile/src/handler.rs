//! From an event to an answer, in either of the function's two roles.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vipward_core::observed::age;
use vipward_core::text::chain;
use vipward_core::{Config, NodeName, ServiceName};

use crate::agents;
use crate::arrival;
use crate::invocation::Invocation;
use crate::memory::{Memory, locked};
use crate::notice::Notice;
use crate::notices::{announce, notices, notices_lost};
use crate::orders::{self, OrderOutcome};
use crate::own_tags::OwnTags;
use crate::ports::{PortError, Ports};
use crate::query::answer;
use crate::reconcile::reconcile;
use crate::record::Record;
use crate::reply::Reply;
use crate::role::Role;
use crate::wake::{Command, Refusal, Wake, WakeKind, parse};

/// Time kept back before Lambda ends the invocation: for records, notices and the answer.
const MARGIN: SignedDuration = SignedDuration::from_millis(3_000);
/// Time kept back for the answer alone.
const LAST_WORDS: SignedDuration = SignedDuration::from_millis(500);
/// How long an invocation may take where the runtime gives no deadline: the templates' timeout.
const USUAL_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);

/// A hint that was longer under way is no news. Agents know AWS's time to a second, EventBridge
/// tells it to the second and delivers in less than one; a hint that Lambda throws back comes a
/// second later.
const UNDER_WAY: Duration = Duration::from_secs(4);

/// Why an invocation failed, as the caller sees it.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// AWS could not be read.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A command that this role does not take.
    #[error(
        "this is the {0:?} function: status and explain are for the query function, orders for the failover function"
    )]
    WrongRole(Role),
    /// A command that is none.
    #[error(transparent)]
    BadCommand(Refusal),
    /// A service that the file does not name.
    #[error("service {0} is not in the function's configuration")]
    UnknownService(ServiceName),
    /// A node that the file does not name.
    #[error("node {0} is not in the function's configuration")]
    UnknownNode(NodeName),
}

/// One execution environment of the function.
#[derive(Debug)]
pub struct Function<P> {
    config: Config,
    ports: P,
    role: Role,
    started: Timestamp,
    memory: Mutex<Memory>,
}

impl<P: Ports> Function<P> {
    /// A cold function.
    pub fn new(config: Config, ports: P, role: Role) -> Self {
        let started = ports.now();
        Self { config, ports, role, started, memory: Mutex::default() }
    }

    /// The world as it meets it.
    #[cfg(test)]
    pub(crate) fn ports(&self) -> &P {
        &self.ports
    }

    /// Handles one event; `lambda_deadline` is when Lambda ends the invocation, `log` takes one
    /// JSON value a line.
    ///
    /// # Errors
    /// When AWS could not be read, so that the failure counts (the next minute tries again), and on
    /// bad commands. A refused event is no error: nothing is to be mended.
    pub async fn handle(
        &self,
        event: &Value,
        lambda_deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Value, HandlerError> {
        let woken = self.ports.now();
        let lambda_deadline = self.credible(lambda_deadline);
        let parsed = parse(&self.config, event, woken)
            .and_then(|wake| self.is_foreign(&wake).map_or(Ok(wake), Err));
        let wake = match parsed {
            Ok(wake) => wake,
            Err(refusal) if event.get("command").is_some() => {
                return Err(HandlerError::BadCommand(refusal));
            }
            Err(refusal) => {
                let said =
                    json!({ "record": "refused", "reason": chain(&refusal), "id": event["id"] });
                log(&said);
                return Ok(said);
            }
        };
        let invocation = Invocation {
            config: &self.config,
            ports: &self.ports,
            memory: &self.memory,
            wake: wake.kind(),
            woken,
            brings_news: self.is_news_to_us(&wake, woken),
            deadline: lambda_deadline - MARGIN,
        };
        match (self.role, wake) {
            (_, Wake::Command(command)) => {
                self.command(&invocation, command, lambda_deadline, log).await
            }
            (Role::Query, _) => Err(HandlerError::WrongRole(self.role)),
            (Role::Failover, wake) => self.failover(&invocation, wake, lambda_deadline, log).await,
        }
    }

    async fn command(
        &self,
        invocation: &Invocation<'_, P>,
        command: Command,
        lambda_deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Value, HandlerError> {
        if command.role() != self.role {
            return Err(HandlerError::WrongRole(self.role));
        }
        if let Some(unknown) = command.names_unknown_service(&self.config) {
            return Err(HandlerError::UnknownService(unknown.clone()));
        }
        if let Some(unknown) = command.names_unknown_node(&self.config) {
            return Err(HandlerError::UnknownNode(unknown.clone()));
        }
        if self.role == Role::Query {
            return Ok(json!(answer(invocation, &command).await?));
        }
        let outcome = orders::run_order(invocation, &command).await?;
        let OrderOutcome::Done { records, what, unread } = outcome else {
            return Ok(json!(outcome));
        };
        self.publish(&records, Vec::new(), lambda_deadline, log).await;
        Ok(json!(Reply::new(&self.config, what, &records, unread.as_ref())))
    }

    /// The deadline, unless it lies before this function's start, as none can: `cargo lambda watch`
    /// sends ten minutes past the epoch with each invocation.
    fn credible(&self, deadline: Timestamp) -> Timestamp {
        if deadline < self.started { self.ports.now() + USUAL_TIMEOUT } else { deadline }
    }

    async fn failover(
        &self,
        invocation: &Invocation<'_, P>,
        wake: Wake,
        lambda_deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Value, HandlerError> {
        let (mut notices, mut arrivals) = (Vec::new(), Vec::new());
        if let Wake::Hint(heard) = wake {
            let records = agents::records(&self.config, &heard);
            records.iter().for_each(&mut *log);
            notices = agents::notices(&self.memory, &heard, records, invocation.woken);
            arrivals = arrival::arrivals(&self.config, &heard);
        }
        // Where a VIP has just come a pass looks for the move that brought it.
        let has_come = arrivals.iter().any(|one| age(one.came, invocation.woken) <= UNDER_WAY);
        let result = if !has_come && self.is_superfluous(invocation) {
            let said = json!({ "record": "unchanged", "wake": invocation.wake });
            log(&said);
            Ok(Vec::new())
        } else {
            // What it writes itself it sees at once, however far EC2's answers lag.
            let ports = &OwnTags::new(&self.ports);
            reconcile(&invocation.through(ports)).await
        };
        for arrival in arrivals {
            let moved = locked(&self.memory).moved_there(&self.config, &arrival);
            if let Some(moved) = moved {
                log(&arrival.line(&self.config, moved));
            }
        }
        let records = result.as_deref().unwrap_or_default();
        let outcomes = self.publish(records, notices, lambda_deadline, log).await;
        result?;
        Ok(json!({ "wake": invocation.wake, "outcomes": outcomes }))
    }

    /// Hears a hint. It is news unless it was heard before, a newer one was, or it was long under
    /// way: then the all-clear may be waiting behind it.
    fn is_news_to_us(&self, wake: &Wake, woken: Timestamp) -> bool {
        let Wake::Hint(heard) = wake else { return false };
        let is_new = locked(&self.memory).hear(heard.clone());
        is_new && age(heard.at, woken) <= UNDER_WAY
    }

    /// A hint by which nothing changes of what a pass decided moments ago: reading EC2 for it would
    /// only keep the next hint waiting, which may be the one that decides.
    fn is_superfluous(&self, invocation: &Invocation<'_, P>) -> bool {
        invocation.wake == WakeKind::Hint
            && locked(&self.memory).changes_nothing(&self.config, invocation.woken)
    }

    /// Logs the records, and tells people what they should hear of them, and `besides`; what came
    /// of each service, in one word.
    async fn publish(
        &self,
        records: &[Record],
        besides: Vec<Notice>,
        lambda_deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> serde_json::Map<String, Value> {
        let (config, ports, memory) = (&self.config, &self.ports, &self.memory);
        for record in records {
            log(&record.line(config));
        }
        let mut told = notices(config, memory, records, ports.now());
        told.extend(besides);
        let lost = announce(ports, memory, &told, lambda_deadline - LAST_WORDS).await;
        if let Some(lost) = notices_lost(config, &lost, ports.now()) {
            log(&lost);
        }
        let outcome =
            |record: &Record| (record.decision.service.to_string(), json!(record.outcome()));
        records.iter().map(outcome).collect()
    }

    /// An instance that is known not to be the cluster's: the account has many, and each pass
    /// for one of them would hold up what matters.
    fn is_foreign(&self, wake: &Wake) -> Option<Refusal> {
        match wake {
            Wake::Instance(id) if locked(&self.memory).is_foreign(id) => {
                Some(Refusal::OtherInstance(id.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

//! From an event to an answer, in either of the function's two roles.

use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vipward_core::signals::ALERT_DETAIL_TYPE;
use vipward_core::{Config, NodeName, ServiceName};

use crate::memory::Memory;
use crate::ports::{PortError, Ports};
use crate::query::answer;
use crate::reconcile::{announce, reconcile};
use crate::record::Notice;
use crate::wake::{HeardHint, Refusal, Wake, parse};

/// Time kept back before Lambda ends the invocation: for records, notices and the answer.
const MARGIN: SignedDuration = SignedDuration::from_millis(1_500);

/// Record and alert about an agent whose file means something else than the function's.
const MISMATCH: &str = "config-mismatch";

/// The same build is deployed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May move VIPs; one invocation at a time.
    Failover,
    /// Only looks; any number at a time, so that looking never blocks moving.
    Query,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: use failover or query")]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        match text {
            "failover" => Ok(Self::Failover),
            "query" => Ok(Self::Query),
            other => Err(NoRole(other.to_owned())),
        }
    }
}

/// Why an invocation failed, as the caller sees it.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// AWS could not be read.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A command that this role does not take.
    #[error("this is the {0:?} function: send status and explain to the query function")]
    WrongRole(Role),
    /// A command that is none.
    #[error("the command is not known: {0}")]
    BadCommand(Refusal),
    /// A service that the file does not name.
    #[error("service {0} is not in the function's configuration")]
    UnknownService(ServiceName),
}

/// One execution environment of the function.
#[derive(Debug)]
pub struct Function<P> {
    config: Config,
    ports: P,
    role: Role,
    memory: Mutex<Memory>,
}

impl<P: Ports> Function<P> {
    /// A cold function.
    pub fn new(config: Config, ports: P, role: Role) -> Self {
        Self { config, ports, role, memory: Mutex::default() }
    }

    /// Handles one event; `lambda_deadline` is when Lambda ends the invocation, `log` takes one
    /// JSON value a line.
    ///
    /// # Errors
    /// When AWS could not be read, so that Lambda tries again, and on bad commands. A refused
    /// event is no error: it would only come again.
    pub async fn handle(
        &self,
        event: &Value,
        lambda_deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Value, HandlerError> {
        let deadline = lambda_deadline - MARGIN;
        let wake = match parse(&self.config, event, self.ports.now()) {
            Ok(wake) => wake,
            Err(refusal) if event.get("command").is_some() => {
                return Err(HandlerError::BadCommand(refusal));
            }
            Err(refusal) => {
                let said = json!({ "record": "refused", "reason": refusal.to_string(), "id": event["id"] });
                log(&said);
                return Ok(said);
            }
        };
        match (self.role, &wake) {
            (Role::Query, Wake::Command(command)) => {
                if let Some(unknown) = command.names_unknown_service(&self.config) {
                    return Err(HandlerError::UnknownService(unknown.clone()));
                }
                let answer = answer(&self.config, &self.ports, command, deadline).await?;
                Ok(json!(answer))
            }
            (Role::Query, _) | (Role::Failover, Wake::Command(_)) => {
                Err(HandlerError::WrongRole(self.role))
            }
            (Role::Failover, _) => self.failover(wake, deadline, log).await,
        }
    }

    async fn failover(
        &self,
        wake: Wake,
        deadline: Timestamp,
        log: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Value, HandlerError> {
        let kind = wake.kind();
        let mut notices = Vec::new();
        if let Wake::Hint(heard) = wake {
            if let Some(mismatch) = self.config_mismatch(&heard) {
                log(&mismatch.detail);
                if self.should_alert(&heard.observer) {
                    notices.push(mismatch);
                }
            }
            self.memory().hear(heard);
        }
        let records = reconcile(&self.config, &self.ports, &self.memory, kind, deadline).await?;
        for record in &records {
            log(&record.line(&self.config));
        }
        announce(&self.config, &self.ports, &self.memory, &records, notices).await;
        Ok(json!({
            "wake": kind,
            "outcomes": records
                .iter()
                .map(|record| (record.decision.service.to_string(), json!(record.outcome())))
                .collect::<serde_json::Map<_, _>>(),
        }))
    }

    /// The agent's file does not mean what the function's does.
    fn config_mismatch(&self, heard: &HeardHint) -> Option<Notice> {
        let ours = self.config.digest();
        let detail = json!({
            "record": MISMATCH,
            "alert": MISMATCH,
            "cluster": self.config.cluster,
            "observer": heard.observer,
            "theirs": heard.hint.config_digest,
            "ours": ours,
        });
        let differs = heard.hint.config_digest != ours;
        differs.then_some(Notice { detail_type: ALERT_DETAIL_TYPE, detail })
    }

    fn should_alert(&self, observer: &NodeName) -> bool {
        let subject = format!("agent {observer}");
        self.memory().should_alert(&subject, MISMATCH, self.ports.now())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A poisoned memory is still only an accelerator.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

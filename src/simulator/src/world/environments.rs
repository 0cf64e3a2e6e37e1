//! The function's execution environments: the production handler as futures that are polled by
//! hand, in the order of the environments' ids.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::Config;
use vipward_core::telemetry::HINT_DETAIL_TYPE;
use vipward_reconcile::handler::{Function, HandlerError};
use vipward_reconcile::role::Role;
use vipward_region_model::lambda::{Answer, EnvironmentId, FunctionSpec, Invocation};

use crate::audit::call_log::Caller;
use crate::world::cloud::Shared;
use crate::world::ports::FunctionPorts;

type Handling = Pin<Box<dyn Future<Output = Result<Value, HandlerError>> + Send>>;
type Log = Arc<Mutex<Vec<Value>>>;

struct Running {
    request_id: String,
    handling: Handling,
    log: Log,
}

struct Environment {
    function: Arc<Function<FunctionPorts>>,
    /// When it has started.
    ready: Timestamp,
    handed: Option<Invocation>,
    running: Option<Running>,
}

/// All environments that live.
pub struct Environments {
    config: Config,
    cloud: Shared,
    alive: BTreeMap<EnvironmentId, Environment>,
}

impl Environments {
    /// None yet.
    pub fn new(config: Config, cloud: Shared) -> Self {
        Self { config, cloud, alive: BTreeMap::new() }
    }

    /// A cold one, which has started by then.
    pub fn start(&mut self, id: EnvironmentId, spec: &FunctionSpec, ready: Timestamp) {
        let role = spec.environment.get("VIPWARD_ROLE").and_then(|role| role.parse().ok());
        let ports = FunctionPorts { cloud: self.cloud.clone(), environment: id };
        let function = Function::new(self.config.clone(), ports, role.unwrap_or(Role::Failover));
        let function = Arc::new(function);
        let environment = Environment { function, ready, handed: None, running: None };
        self.alive.insert(id, environment);
    }

    /// It is to handle this once it [begins](Self::begin); when it can.
    pub fn hand(&mut self, id: EnvironmentId, invocation: Invocation) -> Option<Timestamp> {
        let environment = self.alive.get_mut(&id)?;
        environment.handed = Some(invocation);
        Some(environment.ready)
    }

    /// It takes up what it was handed.
    pub fn begin(&mut self, id: EnvironmentId) {
        let Some(environment) = self.alive.get_mut(&id) else { return };
        let Some(invocation) = environment.handed.take() else { return };
        let (deadline, now) = {
            let mut cloud = self.cloud.lock();
            let now = cloud.now;
            cloud.call_logs.begins(id, now, caller(&invocation.payload));
            (cloud.region.lambda.began(id, now), now)
        };
        let deadline = deadline.unwrap_or(now);
        let log = Log::default();
        environment.running = Some(Running {
            request_id: invocation.request_id,
            handling: handling(
                environment.function.clone(),
                invocation.payload,
                deadline,
                log.clone(),
            ),
            log,
        });
    }

    /// Lets it go on; what it logged, once it has ended.
    pub fn poll(&mut self, id: EnvironmentId) -> Option<Vec<Value>> {
        let environment = self.alive.get_mut(&id)?;
        let running = environment.running.as_mut()?;
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(result) = running.handling.as_mut().poll(&mut context) else {
            return None;
        };
        let Running { request_id, log, .. } = environment.running.take()?;
        let answer = match result {
            Ok(value) => Answer::ok(value.to_string().into_bytes()),
            Err(error) => Answer::reported(error.to_string().into_bytes()),
        };
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        cloud.region.lambda.ended(id, &request_id, answer, now);
        cloud.forget(id);
        Some(std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// It is gone, whatever it was at. Calls on their way take effect all the same.
    pub fn stop(&mut self, id: EnvironmentId) -> Option<Vec<Value>> {
        let gone = self.alive.remove(&id)?;
        self.cloud.lock().forget(id);
        let log = gone.running?.log;
        Some(std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Ends all that live, as by a signal.
    pub fn kill_all(&mut self) {
        let mut cloud = self.cloud.lock();
        let now = cloud.now;
        for id in self.alive.keys() {
            cloud.region.lambda.exited(*id, "signal: killed", now);
        }
    }
}

/// Who sends such an event. Read by hand: the auditor does not ask the function.
fn caller(payload: &[u8]) -> Caller {
    let event: Value = serde_json::from_slice(payload).unwrap_or_default();
    match (event["detail-type"].as_str(), event["command"].as_str()) {
        (Some(HINT_DETAIL_TYPE), _) => Caller::Hint,
        (_, Some("switchover")) => Caller::Switchover,
        _ => Caller::Other,
    }
}

fn handling(
    function: Arc<Function<FunctionPorts>>,
    payload: Vec<u8>,
    deadline: Timestamp,
    log: Log,
) -> Handling {
    Box::pin(async move {
        let event = serde_json::from_slice(&payload).unwrap_or_default();
        let mut write = |line: &Value| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
        };
        function.handle(&event, deadline, &mut write).await
    })
}

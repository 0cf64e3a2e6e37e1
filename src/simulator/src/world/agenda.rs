//! The agenda of a history: what comes when. What is planned first comes first at the same moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::knowledge::Answer;
use vipward_core::outcome::Outcome;
use vipward_core::{NodeName, ServiceName};
use vipward_observe::hooks::Due;
use vipward_observe::ports::SendError;
use vipward_observe::reporter::{Channel, Report};
use vipward_region_model::lambda::EnvironmentId;
use vipward_upkeep::subject::Subject;

use crate::world::agent::Heard;

/// Events by the moment at which they come.
#[derive(Debug, Default)]
pub struct Agenda {
    events: BTreeMap<(Timestamp, u64), Event>,
    serial: u64,
}

/// What is on the agenda.
#[derive(Debug, Clone)]
pub enum Event {
    /// A fault of the scenario begins.
    FaultBegins { fault: usize },
    /// It ends.
    FaultEnds { fault: usize },
    /// An agent starts.
    AgentStarts { host: usize, generation: u64 },
    /// An agent has something to do.
    Agent { host: usize, generation: u64, task: AgentTask },
    /// An environment takes up its invocation.
    Invocation(EnvironmentId),
    /// The auditor looks.
    Look,
    /// Servers have another primary, or none.
    Election,
    /// An operator orders something once more.
    Order(Value),
    /// There is something to do on a node's side of the VIPs.
    Node { node: usize, generation: u64, task: NodeTask },
}

/// What an agent has to do.
#[derive(Debug, Clone)]
pub enum AgentTask {
    /// A probe begins.
    Probe { target: usize },
    /// A probe has ended; `steady`: until something changes the next will end alike.
    Probed { target: usize, outcome: Outcome, steady: bool },
    /// AWS has answered, or not, before this is said.
    Asked(Box<Report>, Heard),
    /// A report was sent, or not.
    Sent(Channel, Result<(), SendError>, Heard),
    /// A host left a knock unanswered.
    Silence(NodeName),
    /// The agent is told that these services leave.
    RequestLeave(Vec<ServiceName>),
    /// It is told that they stay.
    CancelLeave(Vec<ServiceName>),
    /// It looks at its own host.
    LookAtHost,
    /// A hook has ended, well or not.
    HookEnded { due: Due, failure: Option<String> },
    /// It looks at what is announced of its instance.
    Notices,
    /// Something is due.
    Look,
}

/// What is to do on a node's side.
#[derive(Debug, Clone)]
pub enum NodeTask {
    /// The unit starts.
    Start,
    /// The interface of a host that has booted gets its address.
    Address,
    /// The last report of a unit that ended is stale now.
    ReportStale,
    /// The unit looks at the interface.
    Pass,
    /// The unit asks the metadata.
    Ask,
    /// It is answered; `steady`: until something changes the next answer will be the same.
    Answered { subject: Subject, answer: Answer, steady: bool },
}

impl Agenda {
    /// Puts an event down.
    pub fn plan(&mut self, at: Timestamp, event: Event) {
        self.serial += 1;
        self.events.insert((at, self.serial), event);
    }

    /// When the next comes.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next, if it comes by then.
    pub fn take_due(&mut self, by: Timestamp) -> Option<Event> {
        self.next_due().filter(|at| *at <= by)?;
        self.events.pop_first().map(|(_, event)| event)
    }
}

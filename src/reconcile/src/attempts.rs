//! What an invocation has tried so far, and what has become of it: the memory between its passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::config::Mode;
use vipward_core::decide::{Choice, Decision, HoldReason};
use vipward_core::evidence::{Holder, Inventory};
use vipward_core::name::ServiceName;
use vipward_core::observed::age;
use vipward_core::plan::{PlannedMove, Step};
use vipward_core::{Config, NodeName};

use crate::execute::{Accepted, MoveOutcome, Proof, Sent, record};
use crate::invocation::Invocation;
use crate::memory::{Call, MAY_LAND, Memory, locked};
use crate::ports::{PortError, Ports};
use crate::record::Record;
use crate::turns::{Next, Turns};

/// How long EC2 may take to show what it accepted, or who has what it said is taken, before it is
/// asked again. Describe is eventually consistent, usually within a second.
const PROOF_PATIENCE: Duration = Duration::from_secs(6);

/// The calls of one invocation.
#[derive(Debug, Default)]
pub struct Attempts {
    /// By service: the last call for its VIP, until it is settled.
    tries: BTreeMap<ServiceName, Try>,
    /// By service: the calls without a certain answer, and those that were overtaken before they
    /// showed, until they have landed or cannot any more.
    in_flight: BTreeMap<ServiceName, Vec<Try>>,
    /// By service: the last node that EC2 showed to hold its VIP.
    shown: BTreeMap<ServiceName, NodeName>,
    /// The moves that came to an end.
    settled: Vec<Record>,
    /// Settled moves, by their place, that the ledger lacks: their answer was lost.
    unwritten: Vec<(usize, Try)>,
    /// By service: how many calls were sent.
    calls: BTreeMap<ServiceName, u32>,
    refusals: BTreeSet<(ServiceName, NodeName)>,
    turns: Turns,
}

/// A call for one VIP that is not settled yet.
#[derive(Debug, Clone)]
struct Try {
    record: Record,
    step: Step,
    planned: PlannedMove,
    sent: Timestamp,
    answer: Answer,
    /// When EC2 first accepted a call, and whether the ledger has it.
    assigned: Option<(Timestamp, bool)>,
}

#[derive(Debug, Clone)]
enum Answer {
    Accepted(Timestamp),
    /// Somebody has the VIP, said EC2 then.
    Taken(Timestamp),
    Failed(PortError),
}

impl Try {
    /// Whether EC2 has to show first what it has answered.
    fn is_shown_soon(&self, now: Timestamp) -> bool {
        match &self.answer {
            Answer::Accepted(at) | Answer::Taken(at) => age(*at, now) < PROOF_PATIENCE,
            Answer::Failed(_) => false,
        }
    }

    fn may_land(&self, now: Timestamp) -> bool {
        age(self.sent, now) < MAY_LAND
    }

    fn call(&self) -> Call {
        Call { to: self.step.to.clone(), sent: self.sent }
    }

    fn is_accepted(&self) -> bool {
        matches!(self.answer, Answer::Accepted(_))
    }

    fn settled(&self, outcome: MoveOutcome) -> Record {
        Record { outcome: Some(outcome), ..self.record.clone() }
    }
}

impl Attempts {
    /// Where EC2 has refused to bring which VIP.
    pub fn refusals(&self) -> BTreeSet<(ServiceName, NodeName)> {
        self.refusals.clone()
    }

    /// The services whose move the ledger has already.
    pub fn recorded(&self) -> BTreeSet<ServiceName> {
        let is_recorded = |tried: &Try| tried.assigned.is_some_and(|(_, recorded)| recorded);
        let recorded = self.tries.iter().filter(|(_, tried)| is_recorded(tried));
        recorded.map(|(service, _)| service.clone()).collect()
    }

    /// Settles what EC2's answer shows to have landed, or to have been overtaken by somebody else.
    pub fn settle<P>(
        &mut self,
        invocation: &Invocation<'_, P>,
        seen: &Inventory,
        proven: Timestamp,
    ) {
        for service in &invocation.config.services {
            let holder = seen.holder(invocation.config, service.vip);
            let service = &service.name;
            let came = holder.node().filter(|node| self.shown.get(service) != Some(*node)).cloned();
            self.shown.extend(holder.node().map(|node| (service.clone(), node.clone())));
            if !self.proves_the_last(invocation.memory, service, &holder, proven) {
                self.lands(invocation.memory, service, came.as_ref(), proven);
                self.is_overtaken(service, &holder);
            }
        }
        for open in self.in_flight.values_mut() {
            open.retain(|tried| tried.may_land(proven));
        }
    }

    /// Whether the VIP is where EC2 accepted to bring it. A call without an answer to the same node
    /// may still be on its way.
    fn proves_the_last(
        &mut self,
        memory: &Mutex<Memory>,
        service: &ServiceName,
        holder: &Holder,
        proven: Timestamp,
    ) -> bool {
        let Some(tried) = self.tries.get(service) else { return false };
        let Some((assigned, recorded)) = tried.assigned else { return false };
        if holder.node() != Some(&tried.step.to) {
            return false;
        }
        locked(memory).landed(service, &tried.call());
        let proof = Proof { assigned, proven, recorded };
        self.settled.push(tried.settled(MoveOutcome::Moved(proof)));
        self.tries.remove(service);
        true
    }

    /// What came to a node by no accepted call was brought by one without an answer.
    fn lands(
        &mut self,
        memory: &Mutex<Memory>,
        service: &ServiceName,
        came: Option<&NodeName>,
        proven: Timestamp,
    ) {
        let open = self.in_flight.entry(service.clone()).or_default();
        let Some(place) = open.iter().position(|tried| Some(&tried.step.to) == came) else {
            return;
        };
        let landed = open.remove(place);
        locked(memory).landed(service, &landed.call());
        if let Some(last) = self.tries.remove(service).filter(Try::is_accepted) {
            open.push(last);
        }
        let (assigned, recorded) = landed.assigned.unwrap_or((proven, false));
        let proof = Proof { assigned, proven, recorded };
        self.settled.push(landed.settled(MoveOutcome::Moved(proof)));
        if !recorded {
            self.unwritten.push((self.settled.len() - 1, landed));
        }
    }

    /// Whether somebody else has brought the VIP elsewhere; what EC2 accepted may come after that.
    fn is_overtaken(&mut self, service: &ServiceName, holder: &Holder) {
        let is_unsettled = |tried: &&Try| {
            matches!(holder, Holder::Nobody | Holder::Several(_)) || *holder == tried.planned.from
        };
        let Some(tried) = self.tries.get(service).filter(|tried| !is_unsettled(tried)).cloned()
        else {
            return;
        };
        self.tries.remove(service);
        self.settled.push(tried.settled(MoveOutcome::Overtaken));
        if tried.is_accepted() {
            self.in_flight.entry(service.clone()).or_default().push(tried);
        }
    }

    /// Writes into the ledger what settled without an answer.
    pub async fn write_down<P: Ports>(
        &mut self,
        invocation: &Invocation<'_, P>,
        before: &Inventory,
    ) {
        for (place, tried) in std::mem::take(&mut self.unwritten) {
            let Some(MoveOutcome::Moved(proof)) = &mut self.settled[place].outcome else {
                continue;
            };
            let moves = std::iter::once(&tried.planned);
            proof.recorded = record(invocation, &tried.step, moves, before, proof.assigned).await;
        }
    }

    /// Of the planned steps those that are to be sent now; see [`Turns::due`].
    pub fn due(
        &mut self,
        config: &Config,
        planned: Vec<Step>,
        seen: &Inventory,
        now: Timestamp,
    ) -> Vec<Step> {
        let Self { tries, unwritten, turns, .. } = self;
        turns.due(config, planned, seen, |planned| {
            let is_about = |tried: &Try| tried.planned.service == planned.service;
            // The ledger has to know of a move before the next.
            if unwritten.iter().any(|(_, tried)| is_about(tried)) {
                return Next::AtOnce;
            }
            let shows_soon =
                tries.get(&planned.service).is_some_and(|tried| tried.is_shown_soon(now));
            if shows_soon { Next::Later } else { Next::Over }
        })
    }

    /// What comes after a pass that decided this, for what it did not send: what may land or show
    /// yet is looked after until then.
    pub fn waits(&self, decisions: &[Decision], now: Timestamp) -> Next {
        let may_come = |decision: &Decision| {
            let reasons = [HoldReason::MoveInFlight, HoldReason::AwaitingPreferred];
            reasons.iter().any(|reason| decision.choice == Choice::Hold { reason: *reason })
        };
        let settles = |decision: &Decision| {
            let is_between = matches!(decision.holder, Holder::Several(_));
            is_between && self.tries.contains_key(&decision.service)
        };
        let is_on_its_way =
            self.tries.values().any(|tried| tried.is_accepted() && tried.may_land(now))
                || self.in_flight.values().flatten().any(|tried| tried.may_land(now))
                || decisions.iter().any(|one| may_come(one) || settles(one));
        self.turns.waits().max(if is_on_its_way { Next::Soon } else { Next::Over })
    }

    /// Puts down what came of a call; `decided` are the records of the pass that sent it.
    pub fn note<P: Ports>(
        &mut self,
        invocation: &Invocation<'_, P>,
        sent: Sent,
        decided: &[Record],
    ) -> Next {
        let Sent { step, at, answer } = sent;
        for planned in &step.moves {
            *self.calls.entry(planned.service.clone()).or_default() += 1;
        }
        let is_several = step.apart(invocation.config).len() > 1;
        if let Err(PortError::Refused { .. } | PortError::Taken { .. }) = answer
            && is_several
        {
            // EC2 takes all addresses of a call or none: one that does not fit must not keep others
            // than those of its group.
            self.turns.take_apart(step.eni);
            return Next::AtOnce;
        }
        let mut next = Next::Over;
        for planned in &step.moves {
            let record = decided.iter().find(|record| record.decision.service == planned.service);
            let Some(record) = record else { continue };
            let then = self.note_one(invocation, (&step, planned), record, at, &answer);
            next = next.max(then);
        }
        next
    }

    fn note_one<P: Ports>(
        &mut self,
        invocation: &Invocation<'_, P>,
        (step, planned): (&Step, &PlannedMove),
        record: &Record,
        sent: Timestamp,
        answer: &Result<Accepted, PortError>,
    ) -> Next {
        let service = &planned.service;
        let calls = self.calls_for(service);
        let before = self.tries.remove(service);
        let elsewhere = before.clone().filter(|before| before.step.to != step.to);
        let open = self.in_flight.entry(service.clone()).or_default();
        open.extend(elsewhere.filter(Try::is_accepted));
        let assigned = before.filter(|before| before.step.to == step.to);
        // A move is dated by the pass whose call was first accepted.
        let first = assigned.as_ref().filter(|before| before.assigned.is_some());
        let record = first.map_or(record, |first| &first.record).clone();
        let mut tried = Try {
            record: Record { calls, ..record },
            step: step.clone(),
            planned: planned.clone(),
            sent,
            answer: Answer::Accepted(sent),
            assigned: assigned.and_then(|before| before.assigned),
        };
        let mut memory = locked(invocation.memory);
        match answer {
            Ok(accepted) => {
                let (assigned, recorded) = tried.assigned.unwrap_or((accepted.at, false));
                let recorded = recorded || accepted.recorded;
                tried.assigned = Some((assigned, recorded));
                if let Some(proven) = accepted.proven {
                    self.shown.insert(service.clone(), step.to.clone());
                    let proof = Proof { assigned, proven, recorded };
                    self.settled.push(tried.settled(MoveOutcome::Moved(proof)));
                    return Next::Over;
                }
                tried.answer = Answer::Accepted(accepted.at);
                memory.sent(service, tried.call());
            }
            Err(error) => {
                tracing::warn!(%error, eni = %step.eni, "VIP not brought there yet");
                match error {
                    PortError::Uncertain { .. } => {
                        memory.sent(service, tried.call());
                        open.push(tried.clone());
                    }
                    PortError::Refused { .. } => {
                        self.refusals.insert((service.clone(), step.to.clone()));
                        if open.is_empty() {
                            let outcome = MoveOutcome::Refused(error.clone());
                            self.settled.push(tried.settled(outcome));
                            return Next::AtOnce;
                        }
                    }
                    PortError::Transient { .. } | PortError::Taken { .. } => {}
                }
                tried.answer = match error {
                    PortError::Taken { .. } => Answer::Taken(invocation.ports.now()),
                    _ => Answer::Failed(error.clone()),
                };
            }
        }
        let next = match &tried.answer {
            Answer::Taken(..) => Next::AtOnce,
            Answer::Accepted(_) => Next::Soon,
            Answer::Failed(_) => Next::Later,
        };
        self.tries.insert(service.clone(), tried);
        next
    }

    fn calls_for(&self, service: &ServiceName) -> u32 {
        self.calls.get(service).copied().unwrap_or_default()
    }

    /// The records of the invocation, in the order of the file: of each move that came to an end,
    /// and of what the last pass `decided` about all others.
    pub fn records(self, config: &Config, decided: Vec<Record>) -> Vec<Record> {
        let Self { mut settled, tries, calls, .. } = self;
        for record in decided {
            let service = &record.decision.service;
            let calls = calls.get(service).copied().unwrap_or_default();
            let is_settled = settled.iter().any(|one| one.decision.service == *service);
            let last = match tries.get(service) {
                Some(tried) => concluded(config, tried, Record { calls, ..record }),
                None if is_settled => continue,
                None => unsent(config, Record { calls, ..record }),
            };
            if !is_settled || last.outcome.is_some() {
                settled.push(last);
            }
        }
        let place = |record: &Record| {
            config.services.iter().position(|service| service.name == record.decision.service)
        };
        settled.sort_by_key(place);
        settled
    }
}

/// The record of a VIP whose last call is not settled when the invocation ends.
fn concluded(config: &Config, tried: &Try, record: Record) -> Record {
    let outcome = match &tried.answer {
        Answer::Accepted(_) => MoveOutcome::Unproven,
        Answer::Taken(..) => MoveOutcome::Overtaken,
        Answer::Failed(error) => MoveOutcome::Failed(error.clone()),
    };
    match record.decision.choice {
        Choice::Move { .. } => Record { outcome: Some(outcome), ..record },
        // EC2 has accepted, and a hold of the old holder is what a stale answer leads to.
        Choice::Hold { .. } if outcome == MoveOutcome::Unproven => tried.settled(outcome),
        Choice::Hold { .. } => unsent(config, record),
    }
}

fn unsent(config: &Config, record: Record) -> Record {
    if config.policy.mode == Mode::Observe || matches!(record.decision.choice, Choice::Hold { .. })
    {
        return record;
    }
    let cause = "its turn did not come in time".to_owned();
    let error = PortError::Transient { call: "AssignPrivateIpAddresses", cause };
    Record { outcome: Some(MoveOutcome::Failed(error)), ..record }
}

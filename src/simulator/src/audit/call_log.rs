//! What the function was told by EC2 and asked of it, as its ports put it down: from it the auditor
//! tells what a sender knew from what nobody could have known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use vipward_core::drain::Drain;
use vipward_core::ledger::Ledger;
use vipward_core::plan::Reassign;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_region_model::ec2::inventory::Inventory;
use vipward_region_model::lambda::EnvironmentId;

/// What a service's ledger says, in seconds of the epoch. Read here by hand: what the auditor holds
/// the function to must not be read by the function's own code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The last move.
    pub last: i64,
    /// The unplanned moves, oldest first.
    pub unplanned: Vec<i64>,
}

impl Remembered {
    /// What the tag's text says; `None` when it is none of vipward's.
    pub fn read(text: &str) -> Option<Self> {
        let (last, unplanned) = text.strip_prefix("moved=")?.split_once(" moves=")?;
        let listed = unplanned.split(',').filter(|part| !part.is_empty());
        let unplanned = listed.map(|second| second.parse().ok()).collect::<Option<_>>()?;
        Some(Self { last: last.parse().ok()?, unplanned })
    }
}

/// Until when a node is drained, by its tag's text. Read by hand, too.
pub fn drained_until(text: &str) -> Option<Timestamp> {
    let second = text.strip_prefix("until=")?.split(' ').next()?;
    Timestamp::from_second(second.parse().ok()?).ok()
}

/// One answer of EC2 about the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// By service: the interface that has the VIP.
    pub holders: BTreeMap<ServiceName, String>,
    /// By VIP: the same.
    pub vips: BTreeMap<Ipv4Addr, String>,
    /// By service: what the newest tags remember; several where two were written in one second.
    pub ledgers: BTreeMap<ServiceName, Vec<Remembered>>,
    /// By node: until when it is drained.
    pub drains: BTreeMap<NodeName, Timestamp>,
}

impl Look {
    /// What this state of EC2 says of the cluster.
    pub fn at(config: &Config, seen: &Inventory) -> Self {
        let mut look = Self::default();
        for service in &config.services {
            let name = service.name.clone();
            if let Some(holder) = seen.holder(service.vip.0) {
                look.holders.insert(name.clone(), holder.id.clone());
                look.vips.insert(service.vip.0, holder.id.clone());
            }
            let key = Ledger::tag_key(&config.cluster, &service.name);
            let ours = config.nodes.iter().filter_map(|n| seen.interfaces.get(n.eni.as_str()));
            let all: Vec<_> =
                ours.filter_map(|eni| Remembered::read(eni.tags.get(&key)?)).collect();
            let newest = all.iter().map(|ledger| ledger.last).max();
            let newest = all.into_iter().filter(|ledger| Some(ledger.last) == newest).collect();
            look.ledgers.insert(name, newest);
        }
        for node in &config.nodes {
            let tags = seen.interfaces.get(node.eni.as_str()).map(|eni| &eni.tags);
            let drain = tags.and_then(|tags| tags.get(&Drain::tag_key(&config.cluster)));
            let until = drain.and_then(|text| drained_until(text));
            look.drains.extend(until.map(|until| (node.name.clone(), until)));
        }
        look
    }

    /// What its newest tags remember of the service's moves; nothing where there are none.
    pub fn ledgers(&self, service: &ServiceName) -> Vec<Remembered> {
        let known = self.ledgers.get(service).cloned().unwrap_or_default();
        if known.is_empty() { vec![Remembered::default()] } else { known }
    }
}

/// A read of EC2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// When it was sent.
    pub asked: Timestamp,
    /// When the answer was there.
    pub arrived: Timestamp,
}

/// Who woke the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// An agent, who said how things are.
    Hint,
    /// An operator, who wants a VIP elsewhere.
    Switchover,
    /// An alarm, the schedule, EC2, or an operator with another wish.
    Other,
}

/// An assignment that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Among all assignments.
    pub serial: u64,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it gets to EC2.
    pub arrives: Timestamp,
    /// The interface that is to have the addresses.
    pub eni: String,
    /// The addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether it may take them from others.
    pub reassign: Reassign,
    /// What the sender had been told in that invocation.
    pub call_log: CallLog,
    /// Its sender's earlier ones that may take effect yet, as far as it can know.
    pub in_flight: Vec<InFlight>,
}

impl Assignment {
    /// What EC2 had last told the sender; nothing where it had not asked.
    pub fn look(&self) -> Option<&Look> {
        self.call_log.looks.last().map(|(_, look)| look)
    }
}

/// An assignment that nothing has settled: no answer came, or one that leaves open whether it has
/// an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    pub serial: u64,
    pub sent: Timestamp,
    pub arrives: Timestamp,
    pub eni: String,
    pub addresses: Vec<Ipv4Addr>,
}

/// What one invocation was told, and wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLog {
    /// When it began, and who woke it.
    pub began: Option<(Timestamp, Caller)>,
    /// Each answer, with the moment at which it was there, oldest first.
    pub looks: Vec<(Timestamp, Look)>,
    /// The read that brought the last of them.
    pub read: Option<Read>,
    /// When the metrics were last there.
    pub words: Option<Timestamp>,
    /// The interfaces of instances that EC2 said do not run.
    pub gone: BTreeSet<String>,
    /// Tags that were to be set, and on which interface.
    pub tags: Vec<(String, BTreeMap<String, String>)>,
}

impl CallLog {
    /// The last answer that was there by then.
    pub fn look_by(&self, moment: Timestamp) -> Option<&Look> {
        self.looks.iter().rfind(|(at, _)| *at <= moment).map(|(_, look)| look)
    }
}

/// The call logs of all environments, and the assignments on their way.
#[derive(Debug, Default)]
pub struct CallLogs {
    /// The function's calls, by operation.
    pub calls: BTreeMap<&'static str, u64>,
    call_log: BTreeMap<EnvironmentId, CallLog>,
    in_transit: Vec<Assignment>,
    just_sent: Vec<Assignment>,
    unsettled: BTreeMap<EnvironmentId, Vec<InFlight>>,
    serial: u64,
}

impl CallLogs {
    /// An invocation begins.
    pub fn begins(&mut self, environment: EnvironmentId, at: Timestamp, caller: Caller) {
        self.of(environment).began = Some((at, caller));
    }

    fn of(&mut self, environment: EnvironmentId) -> &mut CallLog {
        self.call_log.entry(environment).or_default()
    }

    /// The function calls AWS.
    pub fn counts(&mut self, operation: &'static str) {
        *self.calls.entry(operation).or_default() += 1;
    }

    /// EC2's answer is there. What it shows where it was to go is on its way no more, unless
    /// another call has brought it there.
    pub fn told(&mut self, environment: EnvironmentId, read: Read, look: Look) {
        let is_there = |sent: &InFlight| {
            sent.addresses.iter().all(|address| look.vips.get(address) == Some(&sent.eni))
        };
        if let Some(unsettled) = self.unsettled.get_mut(&environment) {
            unsettled.retain(|sent| !is_there(sent) || read.arrived < sent.arrives);
        }
        let call_log = self.of(environment);
        call_log.read = Some(read);
        call_log.looks.push((read.arrived, look));
    }

    /// The instances of these interfaces do not run.
    pub fn stopped(&mut self, environment: EnvironmentId, enis: impl Iterator<Item = String>) {
        self.of(environment).gone.extend(enis);
    }

    /// The metrics are there.
    pub fn hears(&mut self, environment: EnvironmentId, at: Timestamp) {
        self.of(environment).words = Some(at);
    }

    /// Tags are to be set.
    pub fn writes(
        &mut self,
        environment: EnvironmentId,
        eni: String,
        tags: BTreeMap<String, String>,
    ) {
        self.of(environment).tags.push((eni, tags));
    }

    /// An assignment will be sent: its serial.
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An assignment is sent.
    pub fn assigns(
        &mut self,
        environment: EnvironmentId,
        (serial, reassign): (u64, Reassign),
        (sent, arrives): (Timestamp, Timestamp),
        (eni, addresses): (String, Vec<Ipv4Addr>),
    ) {
        let call_log = self.of(environment).clone();
        let in_flight = self.unsettled.entry(environment).or_default();
        let new =
            InFlight { serial, sent, arrives, eni: eni.clone(), addresses: addresses.clone() };
        let assignment = Assignment {
            serial,
            sent,
            arrives,
            eni,
            addresses,
            reassign,
            call_log,
            in_flight: in_flight.clone(),
        };
        in_flight.push(new);
        self.just_sent.push(assignment.clone());
        self.in_transit.push(assignment);
    }

    /// An answer came that leaves nothing open.
    pub fn settles(&mut self, environment: EnvironmentId, serial: u64) {
        if let Some(unsettled) = self.unsettled.get_mut(&environment) {
            unsettled.retain(|sent| sent.serial != serial);
        }
    }

    /// What was sent since this was last asked.
    pub fn take_sent(&mut self) -> Vec<Assignment> {
        std::mem::take(&mut self.just_sent)
    }

    /// The assignment that EC2 carries out now; `None` when the function has not asked for it.
    pub fn arrives(
        &mut self,
        now: Timestamp,
        eni: &str,
        addresses: &[Ipv4Addr],
    ) -> Option<Assignment> {
        self.in_transit.retain(|assignment| now <= assignment.arrives);
        let is_it = |sent: &Assignment| {
            sent.arrives == now && sent.eni == eni && sent.addresses == addresses
        };
        let at = self.in_transit.iter().position(is_it)?;
        Some(self.in_transit.remove(at))
    }

    /// The invocation is over: its call log.
    pub fn take(&mut self, environment: EnvironmentId) -> CallLog {
        self.call_log.remove(&environment).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::cluster::named;

    #[test]
    fn a_ledger_is_read_as_the_function_writes_it() {
        let at = |second| Timestamp::from_second(second).expect("within range");
        let hour = std::time::Duration::from_hours(1);
        let ledger = Ledger::default().after_move(at(1_000), true, hour);
        let ledger = ledger.after_move(at(1_500), true, hour).after_move(at(1_600), false, hour);
        let read = Remembered::read(&ledger.to_string());
        assert_eq!(read, Some(Remembered { last: 1_600, unplanned: vec![1_000, 1_500] }));
        assert_eq!(Remembered::read("moved=x moves="), None);
        assert_eq!(Remembered::read("somebody else's"), None);
    }

    #[test]
    fn an_assignment_is_found_when_it_arrives_with_what_its_sender_knew() {
        let at = |second| Timestamp::from_second(second).expect("within range");
        let mut call_logs = CallLogs::default();
        let (one, other) = (EnvironmentId(1), EnvironmentId(2));
        let vip = [Ipv4Addr::new(10, 0, 0, 201)];
        let look = |eni: &str| Look {
            holders: BTreeMap::from([(named("svc"), eni.to_owned())]),
            vips: BTreeMap::from([(vip[0], eni.to_owned())]),
            ..Look::default()
        };
        let read = |second| Read { asked: at(second - 1), arrived: at(second) };
        let call = |eni: &str| (eni.to_owned(), vip.to_vec());
        call_logs.told(one, read(1), look("eni-a"));
        call_logs.assigns(one, (1, Reassign::Allowed), (at(1), at(40)), call("eni-b"));
        call_logs.told(other, read(5), look("eni-b"));
        call_logs.assigns(one, (2, Reassign::Allowed), (at(5), at(42)), call("eni-c"));
        assert_eq!(call_logs.arrives(at(40), "eni-c", &vip), None, "nobody asked for that");
        let found = call_logs.arrives(at(40), "eni-b", &vip).expect("it was sent");
        assert_eq!((found.sent, found.look()), (at(1), Some(&look("eni-a"))));
        assert_eq!(call_logs.arrives(at(40), "eni-b", &vip), None, "it was sent once");
        let sent = call_logs.take_sent();
        let open = |at: usize| sent[at].in_flight.iter().map(|of| of.serial).collect::<Vec<_>>();
        assert_eq!((open(0), open(1)), (vec![], vec![1]), "nothing has settled the first");
        call_logs.told(one, read(6), look("eni-b"));
        call_logs.settles(one, 2);
        call_logs.assigns(one, (3, Reassign::Allowed), (at(7), at(43)), call("eni-a"));
        let open =
            |sent: &[Assignment]| sent[0].in_flight.iter().map(|of| of.serial).collect::<Vec<_>>();
        assert_eq!(
            open(&call_logs.take_sent()),
            [1],
            "another has brought it there; 2 is answered"
        );
        call_logs.told(one, read(40), look("eni-b"));
        call_logs.assigns(one, (4, Reassign::Allowed), (at(41), at(44)), call("eni-a"));
        assert_eq!(open(&call_logs.take_sent()), [3], "the first has landed");
        let call_log = call_logs.take(one);
        assert_eq!(call_log.look_by(at(5)), Some(&look("eni-a")));
        assert_eq!(call_log.look_by(at(6)), Some(&look("eni-b")));
        assert_eq!(call_log.look_by(at(0)), None);
        assert_eq!(call_logs.take(one), CallLog::default());
    }
}

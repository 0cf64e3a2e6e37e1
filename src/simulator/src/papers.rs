//! What the function was told by EC2 and asked of it, as its clerk put it down: from it the auditor
//! tells what a sender knew from what nobody could have known.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use vipward_core::Config;
use vipward_core::drain::Drain;
use vipward_core::ledger::Ledger;
use vipward_region::model::ec2::inventory::Inventory;
use vipward_region::model::lambda::EnvironmentId;

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
    pub holders: BTreeMap<String, String>,
    /// By service: what the newest tags remember; several where two were written in one second.
    pub ledgers: BTreeMap<String, Vec<Remembered>>,
    /// By node: until when it is drained.
    pub drains: BTreeMap<String, Timestamp>,
}

impl Look {
    /// What this state of EC2 says of the cluster.
    pub fn at(config: &Config, seen: &Inventory) -> Self {
        let mut look = Self::default();
        for service in &config.services {
            let name = service.name.to_string();
            if let Some(holder) = seen.holder(service.vip.0) {
                look.holders.insert(name.clone(), holder.id.clone());
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
            look.drains.extend(until.map(|until| (node.name.to_string(), until)));
        }
        look
    }

    /// What its newest tags remember of the service's moves; nothing where there are none.
    pub fn ledgers(&self, service: &str) -> Vec<Remembered> {
        let known = self.ledgers.get(service).cloned().unwrap_or_default();
        if known.is_empty() { vec![Remembered::default()] } else { known }
    }
}

/// An assignment that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// When it was sent.
    pub sent: Timestamp,
    /// When it gets to EC2.
    pub arrives: Timestamp,
    /// The interface that is to have the addresses.
    pub eni: String,
    /// The addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// What EC2 had told the sender right before; nothing where it had not asked.
    pub look: Option<Look>,
}

/// What one invocation was told, and wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers {
    /// Each answer, with the moment at which it was there, oldest first.
    pub looks: Vec<(Timestamp, Look)>,
    /// Tags that were to be set, and on which interface.
    pub tags: Vec<(String, BTreeMap<String, String>)>,
}

impl Papers {
    /// The last answer that was there by then.
    pub fn look_by(&self, moment: Timestamp) -> Option<&Look> {
        self.looks.iter().rfind(|(at, _)| *at <= moment).map(|(_, look)| look)
    }
}

/// The papers of all environments, and the assignments on their way.
#[derive(Debug, Default)]
pub struct Archive {
    papers: BTreeMap<EnvironmentId, Papers>,
    sent: Vec<Assignment>,
}

impl Archive {
    /// EC2's answer is there.
    pub fn told(&mut self, environment: EnvironmentId, at: Timestamp, look: Look) {
        self.papers.entry(environment).or_default().looks.push((at, look));
    }

    /// Tags are to be set.
    pub fn writes(
        &mut self,
        environment: EnvironmentId,
        eni: String,
        tags: BTreeMap<String, String>,
    ) {
        self.papers.entry(environment).or_default().tags.push((eni, tags));
    }

    /// An assignment is sent.
    pub fn assigns(
        &mut self,
        environment: EnvironmentId,
        (sent, arrives): (Timestamp, Timestamp),
        eni: String,
        addresses: Vec<Ipv4Addr>,
    ) {
        let papers = self.papers.get(&environment);
        let last = papers.and_then(|papers| papers.looks.last());
        let look = last.filter(|(at, _)| *at == sent).map(|(_, look)| look.clone());
        self.sent.push(Assignment { sent, arrives, eni, addresses, look });
    }

    /// The assignment that EC2 carries out now; `None` when the function has not asked for it.
    pub fn arrives(
        &mut self,
        now: Timestamp,
        eni: &str,
        addresses: &[Ipv4Addr],
    ) -> Option<Assignment> {
        self.sent.retain(|assignment| now <= assignment.arrives);
        let is_it = |sent: &Assignment| {
            sent.arrives == now && sent.eni == eni && sent.addresses == addresses
        };
        let at = self.sent.iter().position(is_it)?;
        Some(self.sent.remove(at))
    }

    /// The invocation is over: its papers.
    pub fn take(&mut self, environment: EnvironmentId) -> Papers {
        self.papers.remove(&environment).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut archive = Archive::default();
        let (one, other) = (EnvironmentId(1), EnvironmentId(2));
        let look = |eni: &str| Look {
            holders: BTreeMap::from([("svc".to_owned(), eni.to_owned())]),
            ..Look::default()
        };
        let vip = [Ipv4Addr::new(10, 0, 0, 201)];
        archive.told(one, at(1), look("eni-a"));
        archive.assigns(one, (at(1), at(40)), "eni-b".to_owned(), vip.to_vec());
        archive.told(other, at(5), look("eni-b"));
        archive.told(one, at(6), look("eni-b"));
        assert_eq!(archive.arrives(at(40), "eni-c", &vip), None, "nobody asked for that");
        let found = archive.arrives(at(40), "eni-b", &vip).expect("it was sent");
        assert_eq!((found.sent, found.look), (at(1), Some(look("eni-a"))));
        assert_eq!(archive.arrives(at(40), "eni-b", &vip), None, "it was sent once");
        archive.assigns(one, (at(7), at(41)), "eni-b".to_owned(), vip.to_vec());
        let found = archive.arrives(at(41), "eni-b", &vip).expect("it was sent");
        assert_eq!(found.look, None, "it did not look right before");
        let papers = archive.take(one);
        assert_eq!(papers.look_by(at(5)), Some(&look("eni-a")));
        assert_eq!(papers.look_by(at(6)), Some(&look("eni-b")));
        assert_eq!(papers.look_by(at(0)), None);
        assert_eq!(archive.take(one), Papers::default());
    }
}

//! Nodes that leave by their own word: told so on the host, or because AWS announces the instance's
//! end.

use std::time::Duration;

use jiff::Timestamp;
use vipward_observe::interruptions::Notice;

use crate::fault::{Announcement, Fault, What};
use crate::generate::{FIRST_FAULT, LONGEST};
use crate::random::Stream;
use crate::truth::Truth;
use crate::world::{Errand, Event, World};

/// From one look at the metadata to the next, in milliseconds.
const LOOKS_MS: u64 = 5_000;
/// From the notice of a spot interruption to the end of the instance, in milliseconds.
const NOTICE_MS: u64 = 120_000;
/// The longest that an agent takes to run again after its fall.
const RUNS_AGAIN: Duration = Duration::from_secs(25);

impl Announcement {
    /// Which of the places in the metadata it stands at.
    fn notice(self) -> Notice {
        match self {
            Self::Spot => Notice::Spot,
            Self::Rebalance => Notice::Rebalance,
            Self::Maintenance => Notice::Maintenance,
            Self::AutoScaling => Notice::AutoScaling,
        }
    }

    /// What AWS writes there, about something that comes `soon` after it was first announced.
    fn text(self, first: Timestamp) -> String {
        let soon = first + Duration::from_mins(2);
        let civil = first.to_zoned(jiff::tz::TimeZone::UTC).strftime("%d %b %Y %H:%M:%S GMT");
        match self {
            Self::Spot => format!(r#"{{"action": "terminate", "time": "{soon}"}}"#),
            Self::Rebalance => format!(r#"{{"noticeTime": "{first}"}}"#),
            // By no clock of the cluster is it further ahead than a node leaves early.
            Self::Maintenance => format!(
                r#"[{{"Code": "instance-reboot", "NotBefore": "{civil}", "State": "active"}}]"#
            ),
            Self::AutoScaling => "Terminated".to_owned(),
        }
    }
}

impl Truth {
    /// What stands at a place in the metadata of the node's instance.
    pub fn announced(
        &self,
        node: &str,
        notice: Notice,
        moment: Duration,
        start: Timestamp,
    ) -> Option<String> {
        let standing = self.lasting(moment).find_map(|fault| match fault.what {
            What::Announced { node: ref on, notice: of } if on == node && of.notice() == notice => {
                Some(of.text(start + fault.begins()))
            }
            _ => None,
        });
        let scales = notice == Notice::AutoScaling;
        standing.or_else(|| scales.then(|| "InService".to_owned()))
    }

    /// Since when the node has been leaving, as its agent must know: it has run all the while.
    pub fn leaving_since(&self, node: &str, service: &str, moment: Duration) -> Option<Duration> {
        let leaving = self.lasting(moment).filter(|fault| match &fault.what {
            What::Leave { .. } => fault.what.touches(node, service),
            What::Announced { node: on, .. } => on == node,
            _ => false,
        });
        let since = leaving.map(Fault::begins).min()?;
        let fell = self.falls(node, since.saturating_sub(RUNS_AGAIN), moment);
        (!fell).then_some(since)
    }

    fn is_told_to_leave(&self, node: &str, service: &str, moment: Duration) -> bool {
        self.lasting(moment).any(|fault| {
            matches!(fault.what, What::Leave { .. }) && fault.what.touches(node, service)
        })
    }

    /// Whether the node's agent did not run, or began anew, in that time.
    fn falls(&self, node: &str, from: Duration, to: Duration) -> bool {
        self.was_any(from, to, |what| match what {
            What::HostCrash { host }
            | What::HostStall { host }
            | What::AgentCrash { host }
            | What::OtherFile { host } => host == node,
            What::InstanceStopped { node: on } => on == node,
            _ => false,
        })
    }
}

impl World {
    /// The agent of the node is told that the service leaves, or all do; or that they stay.
    pub fn is_told(&mut self, node: &str, service: Option<&str>, leave: bool) {
        let Some(index) = self.host(node) else { return };
        let services = self.config.services.iter().map(|of| of.name.clone());
        let elapsed = self.elapsed();
        let services = services.filter(|of| {
            let meant = service.is_none_or(|name| of.as_str() == name);
            // Who told it so for another reason does not take that back.
            meant && (leave || !self.truth.is_told_to_leave(node, of.as_str(), elapsed))
        });
        let (now, generation) = (self.now(), self.hosts[index].generation);
        let told = Errand::Told(services.collect(), leave);
        self.plan(now, Event::Agent(index, generation, told));
    }

    /// What the metadata of the node's instance announce has changed: its agent sees it at its next
    /// look.
    pub fn notices_change(&mut self, node: &str) {
        let Some(index) = self.host(node) else { return };
        let at = self.now() + self.chance.millis(0, LOOKS_MS);
        let generation = self.hosts[index].generation;
        self.plan(at, Event::Agent(index, generation, Errand::Notices));
    }
}

/// In half of all histories nodes leave by their own word. AWS ends the instances that it announces so;
/// or it thinks better of it.
pub fn departures(nodes: &[&str], services: &[&str], span: u64, chance: &mut Stream) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..*chance.pick(&[0, 0, 0, 1, 2, 3]) {
        let node = (*chance.pick(nodes)).to_owned();
        let at_ms = FIRST_FAULT + chance.below(span);
        let longest = *chance.pick(&[10_000, 120_000, LONGEST, 2 * LONGEST]);
        let for_ms = chance.between(500, longest);
        let service = chance.percent(50).then(|| (*chance.pick(services)).to_owned());
        let notice = *chance.pick(&[
            Announcement::Spot,
            Announcement::Rebalance,
            Announcement::Maintenance,
            Announcement::AutoScaling,
        ]);
        if chance.percent(40) {
            faults.push(Fault { at_ms, for_ms, what: What::Leave { node, service } });
            continue;
        }
        let what = What::Announced { node: node.clone(), notice };
        if chance.percent(30) {
            faults.push(Fault { at_ms, for_ms, what });
        } else {
            faults.push(Fault { at_ms, for_ms: NOTICE_MS, what });
            let what = What::HostCrash { host: node };
            faults.push(Fault { at_ms: at_ms + NOTICE_MS, for_ms, what });
        }
    }
    faults
}

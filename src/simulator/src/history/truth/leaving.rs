//! Which nodes leave by their own word: told so on the host, or because AWS announces the
//! instance's end.

use std::time::Duration;

use jiff::Timestamp;
use vipward_core::{NodeName, ServiceName};
use vipward_observe::interruptions::Notice;

use crate::history::fault::{Announcement, Fault, FaultKind};
use crate::history::truth::Truth;

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
        node: &NodeName,
        notice: Notice,
        moment: Duration,
        start: Timestamp,
    ) -> Option<String> {
        let standing = self.lasting(moment).find_map(|fault| match fault.what {
            FaultKind::Announced { node: ref on, notice: of }
                if on == node && of.notice() == notice =>
            {
                Some(of.text(start + fault.begins()))
            }
            _ => None,
        });
        let scales = notice == Notice::AutoScaling;
        standing.or_else(|| scales.then(|| "InService".to_owned()))
    }

    /// Since when the node has been leaving, as its agent must know: it has run all the while.
    pub fn leaving_since(
        &self,
        node: &NodeName,
        service: &ServiceName,
        moment: Duration,
    ) -> Option<Duration> {
        let leaving = self.lasting(moment).filter(|fault| match &fault.what {
            FaultKind::Leave { .. } => fault.what.affects(node, service),
            FaultKind::Announced { node: on, .. } => on == node,
            _ => false,
        });
        let since = leaving.map(Fault::begins).min()?;
        let fell = self.falls(node, since.saturating_sub(RUNS_AGAIN), moment);
        (!fell).then_some(since)
    }

    /// Whether somebody on the host has told it so.
    pub fn is_told_to_leave(
        &self,
        node: &NodeName,
        service: &ServiceName,
        moment: Duration,
    ) -> bool {
        self.lasting(moment).any(|fault| {
            matches!(fault.what, FaultKind::Leave { .. }) && fault.what.affects(node, service)
        })
    }

    /// Whether the node's agent did not run, or began anew, in that time.
    fn falls(&self, node: &NodeName, from: Duration, to: Duration) -> bool {
        self.was_any(from, to, |what| match what {
            FaultKind::HostCrash { host }
            | FaultKind::HostStall { host }
            | FaultKind::AgentCrash { host }
            | FaultKind::OtherFile { host } => host == node,
            FaultKind::InstanceStopped { node: on } => on == node,
            _ => false,
        })
    }
}

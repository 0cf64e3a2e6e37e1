//! How things really are at a moment of a history: what the agents try to find out. It follows
//! from the faults alone.

mod elections;
mod hosts;
mod leaving;
pub mod voice;

use std::collections::BTreeSet;
use std::time::Duration;

use vipward_core::{Config, NodeName, ServiceName};

use crate::history::fault::{Fault, FaultKind};
use crate::history::fault_groups::FaultClass;
use crate::history::truth::elections::{Elections, elections};

/// A network that is ill for less than that takes no VIP from a holder: observers have to miss it
/// for two seconds, and notice within a second that it is there again.
const BLIP: Duration = Duration::from_millis(1_500);

/// The faults of a history, asked for what they make of the world.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    faults: Vec<Fault>,
    elections: Elections,
}

/// What a service does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers after that long.
    Answers(Duration),
    /// Nothing listens: refused at once.
    Refuses,
    /// It never answers, nor does anything else there.
    Silent,
}

impl Truth {
    /// What these faults make of the world.
    pub fn of(faults: &[Fault]) -> Self {
        Self { faults: faults.to_vec(), elections: Elections::default() }
    }

    /// The same in a cluster, whose servers elect their primaries.
    pub fn in_cluster(config: &Config, faults: &[Fault]) -> Self {
        let truth = Self::of(faults);
        Self { elections: elections(config, &truth), ..truth }
    }

    /// All faults.
    pub fn all(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// The faults that last at that moment.
    pub fn lasting(&self, moment: Duration) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| fault.lasts_at(moment))
    }

    /// Whether the host is powered on.
    pub fn runs(&self, host: &NodeName, moment: Duration) -> bool {
        !self.lasting(moment).any(|fault| match &fault.what {
            FaultKind::HostCrash { host: of } => of == host,
            FaultKind::InstanceStopped { node } => node == host,
            _ => false,
        })
    }

    /// Until when nothing on the host runs, if it is stalled.
    pub fn stalled_until(&self, host: &NodeName, moment: Duration) -> Option<Duration> {
        let stalls = self
            .lasting(moment)
            .filter(|fault| matches!(&fault.what, FaultKind::HostStall { host: of } if of == host));
        stalls.map(Fault::ends).max()
    }

    /// Whether the agent's process is there.
    pub fn agent_runs(&self, host: &NodeName, moment: Duration) -> bool {
        let gone =
            |what: &FaultKind| matches!(what, FaultKind::AgentCrash { host: of } if of == host);
        self.runs(host, moment) && !self.lasting(moment).any(|fault| gone(&fault.what))
    }

    /// Whether the host reaches AWS.
    pub fn reaches_aws(&self, host: &NodeName, moment: Duration) -> bool {
        self.cut_off(host, moment).is_none()
    }

    /// From when until when the host does not reach AWS.
    pub fn cut_off(&self, host: &NodeName, moment: Duration) -> Option<(Duration, Duration)> {
        let cut =
            |fault: &&Fault| matches!(&fault.what, FaultKind::NoAws { host: of } if of == host);
        let cuts = || self.lasting(moment).filter(cut);
        cuts().map(Fault::begins).min().zip(cuts().map(Fault::ends).max())
    }

    /// What the service on the node does, for whoever reaches it.
    pub fn health(&self, node: &NodeName, service: &ServiceName, moment: Duration) -> Health {
        if !self.runs(node, moment) || self.stalled_until(node, moment).is_some() {
            return Health::Silent;
        }
        let mut late = Duration::ZERO;
        for fault in self.lasting(moment) {
            match &fault.what {
                FaultKind::ServiceCrash { node: on, service: of }
                    if on == node && of == service =>
                {
                    return Health::Refuses;
                }
                FaultKind::ServiceHang { node: on, service: of } if on == node && of == service => {
                    return Health::Silent;
                }
                FaultKind::ServiceFlap { node: on, service: of, down_ms, up_ms }
                    if on == node && of == service =>
                {
                    let since = u64::try_from(moment.saturating_sub(fault.begins()).as_millis())
                        .unwrap_or(0);
                    if since % (down_ms + up_ms).max(1) < *down_ms {
                        return Health::Refuses;
                    }
                }
                FaultKind::ServiceSlow { node: on, service: of, ms }
                    if on == node && of == service =>
                {
                    late = late.max(Duration::from_millis(*ms));
                }
                _ => {}
            }
        }
        Health::Answers(late)
    }

    /// Whether packets from one host get to the other.
    pub fn passes(&self, from: &NodeName, to: &NodeName, moment: Duration) -> bool {
        from == to
            || !self.lasting(moment).any(|fault| match &fault.what {
                FaultKind::Cut { from: f, to: t } => f == from && t == to,
                FaultKind::Partition { side } => {
                    side.iter().any(|h| h == from) != side.iter().any(|h| h == to)
                }
                _ => false,
            })
    }

    /// Of a hundred packets between the two so many are lost.
    pub fn loss(&self, one: &NodeName, other: &NodeName, moment: Duration) -> u64 {
        let losses = self.lasting(moment).filter_map(|fault| match &fault.what {
            FaultKind::Loss { host, percent } if (host == one || host == other) && one != other => {
                Some(*percent)
            }
            _ => None,
        });
        losses.max().unwrap_or(0)
    }

    /// Whether the host cannot judge its own service.
    pub fn cannot_judge(&self, host: &NodeName, service: &ServiceName, moment: Duration) -> bool {
        self.lasting(moment).any(|fault| {
            matches!(&fault.what, FaultKind::ProbeError { host: of, service: s } if of == host && s == service)
        })
    }

    /// How far the service on the node is behind its primary.
    fn lag(&self, node: &NodeName, service: &ServiceName, moment: Duration) -> Duration {
        let lags = self.lasting(moment).filter_map(|fault| match &fault.what {
            FaultKind::ServiceLag { node: on, service: of, ms } if on == node && of == service => {
                Some(Duration::from_millis(*ms))
            }
            _ => None,
        });
        lags.max().unwrap_or_default()
    }

    /// Whether two probes at different times may come to different ends though nothing begins or
    /// ends in between.
    pub fn is_intermittent(&self, moment: Duration) -> bool {
        self.lasting(moment).any(|fault| {
            matches!(fault.what, FaultKind::Loss { .. } | FaultKind::ServiceFlap { .. })
        })
    }

    /// Whether anything was wrong with the service on the node, the node, or the ways to it.
    pub fn was_affected(
        &self,
        node: &NodeName,
        service: &ServiceName,
        from: Duration,
        to: Duration,
    ) -> bool {
        let counts = |fault: &Fault| !fault.what.is_of_network() || self.lasted(fault) >= BLIP;
        self.faults.iter().any(|fault| {
            fault.meets(from, to) && fault.what.affects(node, service) && counts(fault)
        })
    }

    /// For how long the network was ill, with whatever else ailed it right before and after.
    fn lasted(&self, fault: &Fault) -> Duration {
        let (mut from, mut to) = (fault.begins(), fault.ends());
        loop {
            let near = |other: &&Fault| {
                other.what.is_of_network() && other.meets(from.saturating_sub(BLIP), to + BLIP)
            };
            let all = || self.faults.iter().filter(near);
            let begins = all().map(Fault::begins).min().unwrap_or(from).min(from);
            let ends = all().map(Fault::ends).max().unwrap_or(to).max(to);
            if (begins, ends) == (from, to) {
                return to.saturating_sub(from);
            }
            (from, to) = (begins, ends);
        }
    }

    /// Whether a fault of a kind lay in that time.
    pub fn was_any(
        &self,
        from: Duration,
        to: Duration,
        is_of_kind: impl Fn(&FaultKind) -> bool,
    ) -> bool {
        self.faults.iter().any(|fault| fault.meets(from, to) && is_of_kind(&fault.what))
    }

    /// Whether nothing was wrong with the node in that time, and nothing with the network; but for
    /// what is `allowed`.
    pub fn was_clear(
        &self,
        node: &NodeName,
        (from, to): (Duration, Duration),
        allowed: impl Fn(&FaultKind) -> bool,
    ) -> bool {
        !self.was_any(from, to, |what| {
            (what.is_of_network() || what.names_host(node)) && !allowed(what)
        })
    }

    /// The moments up to `to` at which something began or ended that agents and function could
    /// notice, the last of them.
    pub fn last_change(&self, to: Duration) -> Duration {
        let noticed = self.faults.iter().filter(|fault| !fault.what.is_on_host());
        let moments = noticed.flat_map(|fault| [fault.begins(), fault.ends()]);
        moments.filter(|moment| *moment <= to).max().unwrap_or_default()
    }

    /// The classes of the faults in that time, each once.
    pub fn classes_in(&self, from: Duration, to: Duration) -> BTreeSet<FaultClass> {
        let met = self.faults.iter().filter(|fault| fault.meets(from, to));
        met.map(|fault| fault.what.class()).collect()
    }
}

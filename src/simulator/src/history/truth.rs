//! How things really are at a moment of a history: what the agents try to find out. It follows
//! from the faults alone.

mod elections;
mod hosts;
mod leaving;
pub mod voice;

use std::collections::BTreeSet;
use std::time::Duration;

use vipward_core::Config;

use crate::history::fault::{Fault, What};
use crate::history::fault_groups::Kind;
use crate::history::truth::elections::{Reigns, reigns};

/// A network that is ill for less than that takes no VIP from a holder: observers have to miss it for
/// two seconds, and notice within a second that it is there again.
const BLIP: Duration = Duration::from_millis(1_500);

/// The faults of a history, asked for what they make of the world.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    faults: Vec<Fault>,
    reigns: Reigns,
}

/// What a service does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers after that long.
    Answers(Duration),
    /// Nothing listens: refused at once.
    Refuses,
    /// It never answers, nor does anything else there.
    Mute,
}

impl Truth {
    /// What these faults make of the world.
    pub fn of(faults: &[Fault]) -> Self {
        Self { faults: faults.to_vec(), reigns: Reigns::default() }
    }

    /// The same in a cluster, whose servers elect their primaries.
    pub fn in_cluster(config: &Config, faults: &[Fault]) -> Self {
        let truth = Self::of(faults);
        Self { reigns: reigns(config, &truth), ..truth }
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
    pub fn runs(&self, host: &str, moment: Duration) -> bool {
        !self.lasting(moment).any(|fault| match &fault.what {
            What::HostCrash { host: of } => of == host,
            What::InstanceStopped { node } => node == host,
            _ => false,
        })
    }

    /// Until when nothing on the host runs, if it is stalled.
    pub fn stalled_until(&self, host: &str, moment: Duration) -> Option<Duration> {
        let stalls = self
            .lasting(moment)
            .filter(|fault| matches!(&fault.what, What::HostStall { host: of } if of == host));
        stalls.map(Fault::ends).max()
    }

    /// Whether the agent's process is there.
    pub fn agent_runs(&self, host: &str, moment: Duration) -> bool {
        let gone = |what: &What| matches!(what, What::AgentCrash { host: of } if of == host);
        self.runs(host, moment) && !self.lasting(moment).any(|fault| gone(&fault.what))
    }

    /// Whether the host reaches AWS.
    pub fn reaches_aws(&self, host: &str, moment: Duration) -> bool {
        self.cut_off(host, moment).is_none()
    }

    /// From when until when the host does not reach AWS.
    pub fn cut_off(&self, host: &str, moment: Duration) -> Option<(Duration, Duration)> {
        let cut = |fault: &&Fault| matches!(&fault.what, What::NoAws { host: of } if of == host);
        let cuts = || self.lasting(moment).filter(cut);
        cuts().map(Fault::begins).min().zip(cuts().map(Fault::ends).max())
    }

    /// What the service on the node does, for whoever reaches it.
    pub fn health(&self, node: &str, service: &str, moment: Duration) -> Health {
        if !self.runs(node, moment) || self.stalled_until(node, moment).is_some() {
            return Health::Mute;
        }
        let mut late = Duration::ZERO;
        for fault in self.lasting(moment) {
            match &fault.what {
                What::ServiceCrash { node: on, service: of } if on == node && of == service => {
                    return Health::Refuses;
                }
                What::ServiceHang { node: on, service: of } if on == node && of == service => {
                    return Health::Mute;
                }
                What::ServiceFlap { node: on, service: of, down_ms, up_ms }
                    if on == node && of == service =>
                {
                    let since = u64::try_from(moment.saturating_sub(fault.begins()).as_millis())
                        .unwrap_or(0);
                    if since % (down_ms + up_ms).max(1) < *down_ms {
                        return Health::Refuses;
                    }
                }
                What::ServiceSlow { node: on, service: of, ms } if on == node && of == service => {
                    late = late.max(Duration::from_millis(*ms));
                }
                _ => {}
            }
        }
        Health::Answers(late)
    }

    /// Whether packets from one host get to the other.
    pub fn passes(&self, from: &str, to: &str, moment: Duration) -> bool {
        from == to
            || !self.lasting(moment).any(|fault| match &fault.what {
                What::Cut { from: f, to: t } => f == from && t == to,
                What::Partition { side } => {
                    side.iter().any(|h| h == from) != side.iter().any(|h| h == to)
                }
                _ => false,
            })
    }

    /// Of a hundred packets between the two so many are lost.
    pub fn loss(&self, one: &str, other: &str, moment: Duration) -> u64 {
        let losses = self.lasting(moment).filter_map(|fault| match &fault.what {
            What::Loss { host, percent } if (host == one || host == other) && one != other => {
                Some(*percent)
            }
            _ => None,
        });
        losses.max().unwrap_or(0)
    }

    /// Whether the host cannot judge its own service.
    pub fn cannot_judge(&self, host: &str, service: &str, moment: Duration) -> bool {
        self.lasting(moment).any(|fault| {
            matches!(&fault.what, What::ProbeError { host: of, service: s } if of == host && s == service)
        })
    }

    /// How far the service on the node is behind its primary.
    fn lag(&self, node: &str, service: &str, moment: Duration) -> Duration {
        let lags = self.lasting(moment).filter_map(|fault| match &fault.what {
            What::ServiceLag { node: on, service: of, ms } if on == node && of == service => {
                Some(Duration::from_millis(*ms))
            }
            _ => None,
        });
        lags.max().unwrap_or_default()
    }

    /// Whether two probes at different times may come to different ends though nothing begins or
    /// ends in between.
    pub fn is_fickle(&self, moment: Duration) -> bool {
        self.lasting(moment)
            .any(|fault| matches!(fault.what, What::Loss { .. } | What::ServiceFlap { .. }))
    }

    /// Whether anything was wrong with the service on the node, the node, or the ways to it.
    pub fn was_touched(&self, node: &str, service: &str, from: Duration, to: Duration) -> bool {
        let counts = |fault: &Fault| !fault.what.is_of_network() || self.lasted(fault) >= BLIP;
        self.faults.iter().any(|fault| {
            fault.meets(from, to) && fault.what.touches(node, service) && counts(fault)
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
        is_of_kind: impl Fn(&What) -> bool,
    ) -> bool {
        self.faults.iter().any(|fault| fault.meets(from, to) && is_of_kind(&fault.what))
    }

    /// Whether nothing was wrong with the node in that time, and nothing with the network; but for
    /// what is `allowed`.
    pub fn was_clear(
        &self,
        node: &str,
        (from, to): (Duration, Duration),
        allowed: impl Fn(&What) -> bool,
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
}

impl Truth {
    /// The kinds of the faults in that time, each once.
    pub fn kinds_in(&self, from: Duration, to: Duration) -> BTreeSet<Kind> {
        let met = self.faults.iter().filter(|fault| fault.meets(from, to));
        met.map(|fault| fault.what.sort()).collect()
    }
}

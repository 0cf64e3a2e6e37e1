//! What one node's agent makes of its own host, in virtual time: where the VIPs are by the instance
//! metadata, whether they could be served here, and which hooks are due. The machines are the
//! production ones, driven as `vipward-agent`'s `lifecycle` drives them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::{Config, NodeName, ServiceName, Verdict};
use vipward_observe::holdings::Holdings;
use vipward_observe::hooks::{Due, Hooks, Remembered};
use vipward_observe::ports::MetadataError;
use vipward_observe::readiness::{HostLook, Readiness};

/// From one look to the next, by the agent's `instance/watch.rs` and the readiness.
const INTERVAL: Duration = Duration::from_secs(1);
/// Looks in a row that find the same, after which the next finds it too until something changes.
const RESTS_AFTER: u32 = 3;

/// What a look finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub host: HostLook,
    /// What the instance metadata answer.
    pub metadata: Result<BTreeSet<Ipv4Addr>, MetadataError>,
}

/// The machines, and where they stand.
pub struct HostWatch {
    holdings: Holdings,
    hooks: Hooks,
    readiness: Readiness,
    last: Option<Found>,
    same: u32,
    resting: bool,
    looked: Timestamp,
}

impl HostWatch {
    /// Of an agent that starts now; nothing is known but what hooks did before.
    pub fn start(
        config: &Config,
        me: &NodeName,
        remembered: &Remembered,
        (shown, now): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            holdings: Holdings::of(config, me),
            hooks: Hooks::new(config, remembered),
            readiness: Readiness::new(config, shown),
            last: None,
            same: 0,
            resting: false,
            looked: now,
        }
    }

    /// A look has found this; when to look again, if ever by itself. `steady`: until something
    /// changes the next will find the same.
    pub fn looks(
        &mut self,
        found: Found,
        steady: bool,
        (shown, now): (Timestamp, Timestamp),
    ) -> Option<Timestamp> {
        self.looked = now;
        self.holdings.on_addresses(shown, found.metadata.clone());
        for (service, _) in self.holdings.vips() {
            self.hooks.on_vip(service, self.holdings.here_now(service));
        }
        self.readiness.done(&found.host, &self.holdings);
        self.same = if self.last.as_ref() == Some(&found) { self.same + 1 } else { 0 };
        self.last = Some(found);
        self.resting = steady && self.same >= RESTS_AFTER;
        (!self.resting).then_some(now + INTERVAL)
    }

    /// Something has changed: when one that rested looks again.
    pub fn resume(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.same = 0;
        let rested = std::mem::take(&mut self.resting);
        let passed = now.duration_since(self.looked).as_secs();
        rested.then(|| self.looked + INTERVAL * u32::try_from(passed + 1).unwrap_or(1))
    }

    /// The verdict on an own service has changed.
    pub fn on_verdict(&mut self, service: &ServiceName, verdict: Verdict) {
        self.hooks.on_verdict(service, verdict);
    }

    /// The hooks that are to run now, and when one is to be tried again.
    pub fn due(&mut self, shown: Timestamp) -> (Vec<Due>, Option<Timestamp>) {
        let due = std::iter::from_fn(|| self.hooks.poll(shown)).collect();
        (due, self.hooks.deadline())
    }

    /// A hook has ended.
    pub fn hook_ended(&mut self, service: &ServiceName, failure: Option<String>, shown: Timestamp) {
        self.hooks.done(shown, service, failure);
    }

    /// Which VIPs are here, where that is known.
    pub fn all_here(&self) -> impl Iterator<Item = (ServiceName, Option<bool>)> {
        self.holdings.all_here()
    }

    /// What could not be served at its VIP here.
    pub fn unready(&self) -> BTreeSet<ServiceName> {
        self.readiness.unready(&self.hooks)
    }

    /// What hooks did, as the host remembers it until it boots.
    pub fn remembered(&self) -> Remembered {
        self.hooks.remembered()
    }
}

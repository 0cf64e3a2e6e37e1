//! The region in virtual time: what the function and the agents share, behind one lock.
//!
//! Nothing here waits. Calls that change something are posted with the moment of their effect, so
//! that the effect comes though the caller is gone by then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use vipward_region_model::Region;
use vipward_region_model::fault::Hit;
use vipward_region_model::lambda::EnvironmentId;

use crate::audit::call_log::CallLogs;
use crate::history::random::Stream;

/// From the sending of a request to its arrival, and back, in milliseconds.
const TRAVEL: (u64, u64) = (2, 25);

/// What takes effect later.
type Posted = Box<dyn FnOnce(&mut Region, Timestamp) + Send>;

/// The region and what is on its way to it.
pub struct Cloud {
    /// The present moment.
    pub now: Timestamp,
    /// The region.
    pub region: Region,
    /// What the function was told and asked for.
    pub call_logs: CallLogs,
    /// When environments want to be woken.
    timers: BTreeSet<(Timestamp, EnvironmentId)>,
    posted: BTreeMap<(Timestamp, u64), Posted>,
    serial: u64,
    chance: Stream,
}

/// The cloud, shared by all who call it. One thread runs everything: the lock is never contended.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Cloud>>);

/// How one call goes.
pub struct Trip {
    /// What faults make of it.
    pub hit: Hit,
    /// When it arrives.
    pub arrives: Timestamp,
    /// When the answer is there.
    pub answered: Timestamp,
}

impl Shared {
    /// A cloud that begins with this region.
    pub fn new(region: Region, now: Timestamp, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Cloud {
            now,
            region,
            call_logs: CallLogs::default(),
            timers: BTreeSet::new(),
            posted: BTreeMap::new(),
            serial: 0,
            chance: Stream::new(seed, "cloud"),
        })))
    }

    /// The cloud.
    pub fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    /// A call sets out.
    pub fn sets_out(&mut self, operation: &str) -> Trip {
        let hit = self.region.faults.take(operation, self.now);
        let (there, back) = (self.travel(), self.travel());
        let arrives = self.now + there + hit.delay;
        Trip { hit, arrives, answered: arrives + back }
    }

    fn travel(&mut self) -> Duration {
        self.chance.millis(TRAVEL.0, TRAVEL.1)
    }

    /// This takes effect then.
    pub fn post(
        &mut self,
        at: Timestamp,
        effect: impl FnOnce(&mut Region, Timestamp) + Send + 'static,
    ) {
        self.serial += 1;
        self.posted.insert((at, self.serial), Box::new(effect));
    }

    /// Wakes the environment then.
    pub fn wake_at(&mut self, at: Timestamp, environment: EnvironmentId) {
        self.timers.insert((at, environment));
    }

    /// When something is due: an effect, a timer, or the region's own affairs.
    pub fn next_due(&self) -> Option<Timestamp> {
        let posted = self.posted.first_key_value().map(|((at, _), _)| *at);
        let timer = self.timers.first().map(|(at, _)| *at);
        [posted, timer, self.region.next_deadline()].into_iter().flatten().min()
    }

    /// Lets everything take effect that is due.
    pub fn settle_posted(&mut self) {
        while self.posted.first_key_value().is_some_and(|((at, _), _)| *at <= self.now) {
            if let Some((_, effect)) = self.posted.pop_first() {
                effect(&mut self.region, self.now);
            }
        }
    }

    /// The environments whose timers are due, each once.
    pub fn woken(&mut self) -> BTreeSet<EnvironmentId> {
        let mut woken = BTreeSet::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= self.now) {
            woken.extend(self.timers.pop_first().map(|(_, environment)| environment));
        }
        woken
    }

    /// Forgets the timers of an environment that is gone.
    pub fn forget(&mut self, gone: EnvironmentId) {
        self.timers.retain(|(_, environment)| *environment != gone);
    }
}

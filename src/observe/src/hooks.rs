//! Which hook is to run when: the machine between what a node has and what its services were told.
//!
//! The states of one service, for the VIP's coming and going:
//!
//! ```text
//!              the VIP came or went, or the service recovered
//!   +---------+ -------------------------> +-------------+
//!   | applied |                            | outstanding | <-----+
//!   +---------+                            +-------------+       | failed: again after
//!        ^                                        | poll         | 5, 10, 30, 60, 60 … s
//!        |               done well                v              |
//!        +--------------------------------- +---------+ ---------+
//!                                           | running |
//!                                           +---------+
//! ```
//!
//! A service never has two hooks running. An outstanding state is the one that is wanted and not
//! applied, also across restarts of the agent. While a hook runs no state counts as applied: what
//! was half done is done again, or undone. A fault hook runs before any other, and is not tried
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vipward_core::config::{Hook, Hooks as HookConfig};
use vipward_core::{Config, ServiceName, Verdict};

/// From each failure of a hook to the next try; the last for all that follow.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

/// What a hook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// The node has the VIP.
    Acquire,
    /// The node does not have the VIP.
    Release,
    /// Its own service is unhealthy.
    Fault,
}

impl Occasion {
    /// The word for logs and for the hook itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Release => "release",
            Self::Fault => "fault",
        }
    }

    /// The hook that the file has for it.
    pub fn hook(self, config: &HookConfig) -> Option<&Hook> {
        match self {
            Self::Acquire => config.on_acquire.as_ref(),
            Self::Release => config.on_release.as_ref(),
            Self::Fault => config.on_fault.as_ref(),
        }
    }
}

/// A hook that is to run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Of which service.
    pub service: ServiceName,
    /// What for.
    pub occasion: Occasion,
    /// How.
    pub hook: Hook,
}

/// The last run of a service's hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// What for.
    pub occasion: Occasion,
    /// When it had ended.
    pub ended: Timestamp,
    /// Why it failed; `None` when it did not.
    pub failure: Option<String>,
}

/// What is remembered of a service's hooks across restarts of the agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memo {
    /// The state that was last carried out: to acquire, or to release.
    pub applied: Option<Occasion>,
    /// The last hook for the VIP's coming failed.
    pub acquire_failed: bool,
}

/// What is remembered of each service that has hooks.
pub type Remembered = BTreeMap<ServiceName, Memo>;

/// The hooks of all services.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    services: BTreeMap<ServiceName, Service>,
}

#[derive(Debug, Clone)]
struct Service {
    config: HookConfig,
    memo: Memo,
    wanted: Option<Occasion>,
    /// Nobody knows any more where the VIP is.
    vip_unknown: bool,
    /// The own service is unhealthy, and has been since it last was healthy.
    ill: bool,
    /// The fault hook is to run.
    fault: bool,
    running: Option<Occasion>,
    /// Failures in a row for the wanted state, and when to try again.
    failures: usize,
    not_before: Timestamp,
    last: Option<LastRun>,
}

impl Hooks {
    /// Those of the file, with what was remembered.
    pub fn new(config: &Config, remembered: &Remembered) -> Self {
        let mut hooks = Self::default();
        hooks.on_config(config);
        for (service, state) in &mut hooks.services {
            state.memo = remembered.get(service).copied().unwrap_or_default();
        }
        hooks
    }

    /// The file has changed.
    pub fn on_config(&mut self, config: &Config) {
        let mut old = std::mem::take(&mut self.services);
        for service in config.services.iter().filter(|service| !service.hooks.is_empty()) {
            let fresh = || Service {
                config: HookConfig::default(),
                memo: Memo::default(),
                wanted: None,
                vip_unknown: false,
                ill: false,
                fault: false,
                running: None,
                failures: 0,
                not_before: Timestamp::MIN,
                last: None,
            };
            let state = old.remove(&service.name).unwrap_or_else(fresh);
            let config = service.hooks.clone();
            self.services.insert(service.name.clone(), Service { config, ..state });
        }
    }

    /// Whether the VIP is on this node; `None` when nobody knows: then nothing is to be done for it
    /// until somebody does.
    pub fn on_vip(&mut self, service: &ServiceName, here: Option<bool>) {
        let Some(state) = self.services.get_mut(service) else { return };
        state.vip_unknown = here.is_none();
        let Some(here) = here else { return };
        let wanted = Some(if here { Occasion::Acquire } else { Occasion::Release });
        if state.wanted != wanted {
            state.wanted = wanted;
            (state.failures, state.not_before) = (0, Timestamp::MIN);
        }
    }

    /// The verdict on the own service has changed. One that is healthy again was started anew, and
    /// may have forgotten what it was told.
    pub fn on_verdict(&mut self, service: &ServiceName, verdict: Verdict) {
        let Some(state) = self.services.get_mut(service) else { return };
        match verdict {
            Verdict::Unhealthy => {
                (state.ill, state.fault) = (true, state.config.on_fault.is_some());
            }
            Verdict::Healthy if std::mem::take(&mut state.ill) => {
                state.memo.applied = None;
                (state.failures, state.not_before) = (0, Timestamp::MIN);
            }
            Verdict::Healthy | Verdict::Unknown => {}
        }
    }

    /// When a hook that failed is to be tried again.
    pub fn deadline(&self) -> Option<Timestamp> {
        let waiting = self
            .services
            .values()
            .filter(|state| state.running.is_none() && state.outstanding().is_some());
        waiting.map(|state| state.not_before).min()
    }

    /// The next hook to run now. The caller then calls [`Self::done`], whatever came of it.
    pub fn poll(&mut self, now: Timestamp) -> Option<Due> {
        self.services.iter_mut().find_map(|(service, state)| {
            let (occasion, hook) = state.poll(now)?;
            Some(Due { service: service.clone(), occasion, hook })
        })
    }

    /// A hook has ended, well or not.
    pub fn done(&mut self, now: Timestamp, service: &ServiceName, failure: Option<String>) {
        let Some(state) = self.services.get_mut(service) else { return };
        let Some(occasion) = state.running.take() else { return };
        if occasion == Occasion::Acquire {
            state.memo.acquire_failed = failure.is_some();
        }
        if occasion != Occasion::Fault {
            if failure.is_none() {
                state.memo.applied = Some(occasion);
                state.failures = 0;
            } else {
                state.not_before = now + PAUSES[state.failures.min(PAUSES.len() - 1)];
                state.failures += 1;
            }
            if state.wanted != Some(occasion) {
                (state.failures, state.not_before) = (0, Timestamp::MIN);
            }
        }
        state.last = Some(LastRun { occasion, ended: now, failure });
    }

    /// What to remember across a restart.
    pub fn remembered(&self) -> Remembered {
        self.services.iter().map(|(service, state)| (service.clone(), state.memo)).collect()
    }

    /// The services whose last hook for the VIP's coming failed: they cannot serve at it.
    pub fn acquire_failed(&self) -> BTreeSet<ServiceName> {
        let fails =
            |state: &Service| state.memo.acquire_failed && state.config.on_acquire.is_some();
        let failed = self.services.iter().filter(|(_, state)| fails(state));
        failed.map(|(service, _)| service.clone()).collect()
    }

    /// Of each service that has hooks, which runs and what came of the last.
    pub fn runs(&self) -> impl Iterator<Item = (&ServiceName, Option<Occasion>, Option<&LastRun>)> {
        self.services.iter().map(|(name, state)| (name, state.running, state.last.as_ref()))
    }

    /// Of each service that has hooks, whether the last run failed.
    pub fn failing(&self) -> BTreeMap<ServiceName, bool> {
        let failed = |last: Option<&LastRun>| last.is_some_and(|last| last.failure.is_some());
        self.runs().map(|(service, _, last)| (service.clone(), failed(last))).collect()
    }
}

impl Service {
    /// The state that is known to be so and was not carried out. A service that is unhealthy
    /// acquires nothing.
    fn outstanding(&self) -> Option<Occasion> {
        let wanted =
            self.wanted.filter(|wanted| !self.vip_unknown && self.memo.applied != Some(*wanted));
        wanted.filter(|wanted| !self.ill || *wanted != Occasion::Acquire)
    }

    fn poll(&mut self, now: Timestamp) -> Option<(Occasion, Hook)> {
        if self.running.is_some() {
            return None;
        }
        let occasion = if std::mem::take(&mut self.fault) {
            Occasion::Fault
        } else {
            self.outstanding().filter(|_| self.not_before <= now)?
        };
        let Some(hook) = occasion.hook(&self.config).cloned() else {
            // Nothing is to be done for it, so it is done.
            self.memo.applied = Some(occasion);
            return None;
        };
        self.running = Some(occasion);
        if occasion != Occasion::Fault {
            self.memo.applied = None;
        }
        Some((occasion, hook))
    }
}

#[cfg(test)]
mod tests;

//! Whether a node's services, well as they are, could be served at their VIPs.
//!
//! Sans-I/O. Clients need more than the service: an interface with the VIP's address, and a hook
//! that has done its work. Probes go to the node's own address and see neither.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::config::{AliasMode, Mode};
use vipward_core::{Config, ServiceName};

use crate::holdings::Holdings;
use crate::hooks::Hooks;

/// From one look at the host to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// Looks in a row that must miss something: the alias unit puts back within milliseconds what
/// others remove.
const CONFIRMED: u8 = 2;

/// What the host's alias unit does, by the report that it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasUnit {
    /// There is no report: none ever ran here, or not since the boot. That says nothing.
    Unknown,
    /// It runs, and has its interface.
    Works,
    /// It no longer runs, or has no interface to keep addresses on.
    Fails,
}

/// What a service lacks that could not be served at its VIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// In `static`: the host does not have the address.
    Address,
    /// In `follow`: the metadata name the VIP, and the host does not have its address.
    AddressOfHolder,
    /// In `follow`: the host does not have the address, and its alias unit would not bring it.
    AliasUnit,
    /// Its last `on_acquire` failed.
    Acquire,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "the host lacks the VIP's address",
            Self::AddressOfHolder => {
                "the instance metadata name the VIP, and the host lacks its address"
            }
            Self::AliasUnit => "the host lacks the VIP's address, and its alias unit does not work",
            Self::Acquire => "the last on_acquire failed",
        })
    }
}

/// What a look at the host found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLook {
    /// The VIPs that the host has as addresses; `None` when the kernel did not say.
    pub present: Option<BTreeSet<Ipv4Addr>>,
    /// The alias unit.
    pub alias_unit: AliasUnit,
}

/// Which services could be served at their VIPs.
#[derive(Debug, Clone)]
pub struct Readiness {
    modes: BTreeMap<ServiceName, AliasMode>,
    /// The looks in a row that missed what the service needs, and what the last one missed.
    missed: BTreeMap<ServiceName, (u8, Lack)>,
    next: Timestamp,
}

impl Readiness {
    /// Nothing is known yet, and nothing amiss.
    pub fn new(config: &Config, now: Timestamp) -> Self {
        let mut readiness = Self { modes: BTreeMap::new(), missed: BTreeMap::new(), next: now };
        readiness.on_config(config);
        readiness
    }

    /// The file has changed. While vipward only observes, the addresses are somebody else's to
    /// keep.
    pub fn on_config(&mut self, config: &Config) {
        let services = config.services.iter().filter(|_| config.policy.mode == Mode::Act);
        self.modes = services.map(|service| (service.name.clone(), service.alias)).collect();
        self.missed.retain(|service, _| self.modes.contains_key(service));
    }

    /// When to look at the host again.
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.next)
    }

    /// Whether to look at the host now. The caller then calls [`Self::done`].
    pub fn poll(&mut self, now: Timestamp) -> bool {
        let is_due = self.next <= now;
        if is_due {
            self.next = now + INTERVAL;
        }
        is_due
    }

    /// What the look found; `holdings` say which VIPs should be there in `follow`. An address that
    /// is there is enough, whoever put it there.
    pub fn done(&mut self, look: &HostLook, holdings: &Holdings) {
        for (service, mode) in &self.modes {
            let Some(vip) = holdings.vip(service) else { continue };
            let present = look.present.as_ref().map(|present| present.contains(&vip));
            let fails = look.alias_unit == AliasUnit::Fails;
            let lack = match (present, mode) {
                (Some(true) | None, _) => None,
                (Some(false), AliasMode::Static) => Some(Lack::Address),
                // Nobody would bring the address, or should have by now.
                (Some(false), AliasMode::Follow) if fails => Some(Lack::AliasUnit),
                (Some(false), AliasMode::Follow) => {
                    (holdings.here(service) == Some(true)).then_some(Lack::AddressOfHolder)
                }
            };
            let Some(lack) = lack else {
                self.missed.remove(service);
                continue;
            };
            let (missed, last) = self.missed.entry(service.clone()).or_insert((0, lack));
            (*missed, *last) = (missed.saturating_add(1), lack);
        }
    }

    /// The services that could not be served at their VIPs.
    pub fn unready(&self, hooks: &Hooks) -> BTreeSet<ServiceName> {
        self.lacks(hooks).into_iter().map(|(service, _)| service).collect()
    }

    /// What each of them lacks; there may be two things.
    pub fn lacks(&self, hooks: &Hooks) -> Vec<(ServiceName, Lack)> {
        let absent = self.missed.iter().filter(|(_, (missed, _))| *missed >= CONFIRMED);
        let absent = absent.map(|(service, (_, lack))| (service.clone(), *lack));
        let failed = hooks.acquire_failed().into_iter().map(|service| (service, Lack::Acquire));
        absent.chain(failed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::config;
    use crate::hooks::{Memo, Remembered};

    const OWN: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 11);
    const VIP: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 200);

    fn with(mode: AliasMode) -> Config {
        let mut config = config(80);
        config.services[0].alias = mode;
        config
    }

    /// The looks after which the service is unready.
    fn unready_after(config: &Config, here: bool, looks: &[HostLook]) -> Vec<usize> {
        let is_unready = |count: &usize| {
            let readiness = after(config, here, &looks[..*count]);
            !readiness.unready(&Hooks::default()).is_empty()
        };
        (1..=looks.len()).filter(is_unready).collect()
    }

    /// What these looks come to, on a host that has the VIP by the metadata or has not.
    fn after(config: &Config, here: bool, looks: &[HostLook]) -> Readiness {
        let mut holdings = Holdings::of(config, &"a".parse().expect("a name"));
        let listed = if here { vec![OWN, VIP] } else { vec![OWN] };
        for _ in 0..2 {
            holdings.on_addresses(Timestamp::UNIX_EPOCH, Ok(listed.iter().copied().collect()));
        }
        let mut readiness = Readiness::new(config, Timestamp::UNIX_EPOCH);
        for look in looks {
            readiness.done(look, &holdings);
        }
        readiness
    }

    fn look(present: bool, alias_unit: AliasUnit) -> HostLook {
        HostLook { present: Some(present.then_some(VIP).into_iter().collect()), alias_unit }
    }

    #[test]
    fn in_static_the_address_has_to_be_there_whoever_put_it_there() {
        let (there, gone) = (look(true, AliasUnit::Unknown), look(false, AliasUnit::Works));
        let config = with(AliasMode::Static);
        let looks = [gone.clone(), there.clone(), gone.clone(), gone.clone(), gone, there];
        assert_eq!(unready_after(&config, false, &looks), [4, 5]);
        let unread = HostLook { present: None, alias_unit: AliasUnit::Fails };
        assert_eq!(unready_after(&config, true, &[unread.clone(), unread]), [0; 0]);
    }

    #[test]
    fn in_follow_the_holder_has_to_have_the_address_and_others_a_unit_that_would_bring_it() {
        use AliasUnit::{Fails, Unknown, Works};
        let config = with(AliasMode::Follow);
        for (here, present, unit, is_unready) in [
            (false, false, Works, false),
            (false, false, Unknown, false),
            (false, false, Fails, true),
            (true, true, Works, false),
            (true, false, Works, true),
            (true, false, Unknown, true),
            (true, true, Fails, false),
            (false, true, Fails, false),
            (true, false, Fails, true),
        ] {
            let looks = [look(present, unit), look(present, unit)];
            let unready = unready_after(&config, here, &looks);
            assert_eq!(unready == [2], is_unready, "{here} {present} {unit:?}");
        }
    }

    #[test]
    fn what_a_service_lacks_is_told_by_itself() {
        use AliasUnit::{Fails, Works};
        for (mode, here, unit, lack) in [
            (AliasMode::Static, true, Works, Lack::Address),
            (AliasMode::Follow, true, Works, Lack::AddressOfHolder),
            (AliasMode::Follow, false, Fails, Lack::AliasUnit),
        ] {
            let (config, gone) = (with(mode), look(false, unit));
            let readiness = after(&config, here, &[gone.clone(), gone]);
            let name = config.services[0].name.clone();
            assert_eq!(readiness.lacks(&Hooks::default()), [(name, lack)]);
        }
    }

    #[test]
    fn what_is_only_observed_needs_no_address() {
        let mut config = with(AliasMode::Static);
        config.policy.mode = Mode::Observe;
        let gone = look(false, AliasUnit::Unknown);
        assert_eq!(unready_after(&config, true, &[gone.clone(), gone]), [0; 0]);
    }

    #[test]
    fn a_failed_acquire_makes_unready_and_looks_are_a_second_apart() {
        let mut config = with(AliasMode::Static);
        config.services[0].hooks.on_acquire = Some(vipward_core::config::Hook {
            command: vec!["/up".to_owned()],
            user: None,
            timeout: Duration::from_secs(1),
        });
        let web: ServiceName = "web".parse().expect("a name");
        let memo = Memo { applied: None, acquire_failed: true };
        let hooks = Hooks::new(&config, &Remembered::from([(web.clone(), memo)]));
        let mut readiness = Readiness::new(&config, Timestamp::UNIX_EPOCH);
        assert_eq!(readiness.unready(&hooks), BTreeSet::from([web.clone()]));
        assert_eq!(readiness.lacks(&hooks), [(web, Lack::Acquire)]);
        let at = |ms| Timestamp::from_millisecond(ms).expect("a time");
        assert_eq!([0, 999, 1000].map(|ms| readiness.poll(at(ms))), [true, false, true]);
        assert_eq!(readiness.deadline(), Some(at(2000)));
    }
}

//! Which of the cluster's VIPs are on this node's interface, as the instance's metadata say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use vipward_core::alias_report::Holding;
use vipward_core::knowledge::{Answer, Knowledge};
use vipward_core::{Config, NodeName, ServiceName};

use crate::ports::MetadataError;

/// What the metadata said of this node's VIPs.
#[derive(Debug, Clone)]
pub struct Holdings {
    me: NodeName,
    vips: BTreeMap<ServiceName, Ipv4Addr>,
    /// `None` on a witness, which holds nothing.
    knowledge: Option<Knowledge>,
    /// When the last look began that was answered with the node's own address.
    looked: Option<Timestamp>,
}

impl Holdings {
    /// Those of `me`; nothing is known yet.
    pub fn of(config: &Config, me: &NodeName) -> Self {
        let mut holdings =
            Self { me: me.clone(), vips: BTreeMap::new(), knowledge: None, looked: None };
        holdings.on_config(config);
        holdings
    }

    /// The file has changed.
    pub fn on_config(&mut self, config: &Config) {
        let vips: BTreeMap<_, _> =
            config.services.iter().map(|s| (s.name.clone(), s.vip.0)).collect();
        let address = config.node(&self.me).map(|node| node.address);
        if vips != self.vips || self.knowledge.as_ref().map(Knowledge::own) != address {
            let knows = |address| Knowledge::new(address, vips.values().copied());
            (self.knowledge, self.looked) = (address.map(knows), None);
        }
        self.vips = vips;
    }

    /// What a look that began at `at` found; the fault to log, the first time that it is met.
    pub fn on_addresses(
        &mut self,
        at: Timestamp,
        found: Result<BTreeSet<Ipv4Addr>, MetadataError>,
    ) -> Option<String> {
        let knowledge = self.knowledge.as_mut()?;
        let before = knowledge.trouble().is_some();
        knowledge.on_answer(&match found {
            Ok(addresses) => Answer::Addresses(addresses),
            Err(MetadataError(why)) => Answer::Unknown(why),
        });
        let trouble = knowledge.trouble();
        if trouble.is_none() {
            self.looked = Some(at);
        }
        trouble.filter(|_| !before).map(str::to_owned)
    }

    /// The services with their VIPs.
    pub fn vips(&self) -> impl Iterator<Item = (&ServiceName, Ipv4Addr)> {
        self.vips.iter().map(|(service, vip)| (service, *vip))
    }

    /// The service's VIP.
    pub fn vip(&self, service: &ServiceName) -> Option<Ipv4Addr> {
        self.vips.get(service).copied()
    }

    /// Whether the VIP is here; `None` when that is not known. It has gone once two answers in a
    /// row did not name it.
    pub fn here(&self, service: &ServiceName) -> Option<bool> {
        match self.knowledge.as_ref()?.holding(*self.vips.get(service)?) {
            Holding::Held => Some(true),
            Holding::NotHeld => Some(false),
            Holding::NotAsked | Holding::Unknown => None,
        }
    }

    /// The same by the last look: while that did not name the VIP, or found nothing to rely on, it
    /// may have gone. Nothing is begun at its coming then.
    pub fn here_now(&self, service: &ServiceName) -> Option<bool> {
        let (knowledge, vip) = (self.knowledge.as_ref()?, self.vip(service)?);
        self.here(service).filter(|is_here| !is_here || knowledge.names(vip))
    }

    /// Whether each VIP is here.
    pub fn all_here(&self) -> impl Iterator<Item = (ServiceName, Option<bool>)> {
        self.vips.keys().map(|service| (service.clone(), self.here(service)))
    }

    /// When the last look began that was answered.
    pub fn looked(&self) -> Option<Timestamp> {
        self.looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::config;

    const OWN: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 11);
    const VIP: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 200);

    #[test]
    fn a_vip_is_here_by_one_answer_gone_by_two_and_an_error_says_neither() {
        let service = "web".parse().expect("a name");
        let mut holdings = Holdings::of(&config(80), &"a".parse().expect("a name"));
        assert_eq!(holdings.here(&service), None);
        let at = |second| Timestamp::from_second(second).expect("a time");
        let lists = |addresses: &[Ipv4Addr]| Ok(addresses.iter().copied().collect());
        let late = || Err(MetadataError("late".to_owned()));
        let table = [
            (lists(&[OWN, VIP]), Some(true), 1, false),
            (lists(&[OWN]), Some(true), 2, false),
            (lists(&[OWN, VIP]), Some(true), 3, false),
            (late(), Some(true), 3, true),
            (late(), Some(true), 3, false),
            (lists(&[OWN]), Some(true), 6, false),
            (lists(&[]), Some(true), 6, true),
            (lists(&[OWN]), Some(true), 8, false),
            (lists(&[OWN]), Some(false), 9, false),
            (late(), None, 9, true),
        ];
        for (second, (found, here, looked, told)) in (1..).zip(table) {
            let fault = holdings.on_addresses(at(second), found);
            assert_eq!(holdings.here(&service), here, "look {second}");
            let is_named = [1, 3].contains(&second);
            let now = here.filter(|is_here| !is_here || is_named);
            assert_eq!(holdings.here_now(&service), now, "look {second}");
            assert_eq!(holdings.looked(), Some(at(looked)), "look {second}");
            assert_eq!(fault.is_some(), told, "look {second}");
        }
    }

    #[test]
    fn a_witness_holds_nothing_and_is_told_nothing() {
        let mut holdings = Holdings::of(&config(80), &"w".parse().expect("a name"));
        let found = Ok(BTreeSet::from([VIP]));
        assert_eq!(holdings.on_addresses(Timestamp::UNIX_EPOCH, found), None);
        assert_eq!(holdings.here(&"web".parse().expect("a name")), None);
    }
}

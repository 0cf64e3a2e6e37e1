//! What the unit remembers from pass to pass: the interface it found, and which VIPs were there
//! once.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::inventory::{Inventory, Link, Mac};
use crate::locate::{Unlocated, locate};
use crate::plan::{Desired, Repair, plan};

/// The memory of the unit. No I/O: a pass feeds it a dump and carries out what it answers.
#[derive(Debug)]
pub struct Upkeep {
    address: Ipv4Addr,
    vips: Vec<Ipv4Addr>,
    mac: Option<Mac>,
    on: Option<Link>,
    seen: BTreeSet<Ipv4Addr>,
}

/// What one dump shows.
#[derive(Debug)]
pub struct Pass {
    /// The node's interface.
    pub link: Link,
    /// Whether it is another one than in the pass before, or was away there.
    pub link_changed: bool,
    /// What it lacks.
    pub repairs: Vec<Repair>,
}

/// Why there is nothing to repair.
#[derive(Debug)]
pub struct Lost {
    /// Why the interface cannot be told.
    pub cause: Unlocated,
    /// Whether it still could in the pass before.
    pub just_now: bool,
}

impl Upkeep {
    /// For the node at `address`, found on `link`; the VIPs in the order of their services.
    pub fn new(address: Ipv4Addr, link: Link, vips: Vec<Ipv4Addr>) -> Self {
        Self { address, vips, mac: link.mac, on: Some(link), seen: BTreeSet::new() }
    }

    /// How many VIPs it keeps.
    pub fn vips(&self) -> usize {
        self.vips.len()
    }

    /// Compares a dump with what should be.
    pub fn examine(&mut self, actual: &Inventory) -> Result<Pass, Lost> {
        let link = match locate(actual, self.address, self.mac) {
            Ok(link) => link.clone(),
            Err(cause) => {
                let just_now = self.on.take().is_some();
                return Err(Lost { cause, just_now });
            }
        };
        let repairs = plan(&Desired::new(&link, &self.vips), actual);
        let present = |vip: &Ipv4Addr| actual.prefix_on(link.index, *vip).is_some();
        self.seen.extend(self.vips.iter().copied().filter(present));
        self.mac = link.mac;
        let link_changed = self.on.replace(link.clone()).is_none_or(|before| before != link);
        Ok(Pass { link, link_changed, repairs })
    }

    /// Notes that a VIP was added; true when it was there before, so that somebody had taken it
    /// away.
    pub fn was_restored(&mut self, vip: Ipv4Addr) -> bool {
        !self.seen.insert(vip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Held;

    const NODE: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 11);
    const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 202);

    fn link(index: u32, name: &str) -> Link {
        Link { index, name: name.to_owned(), mac: Mac::from_bytes(&[2, 0, 0, 0, 0, 1]) }
    }

    fn upkeep() -> Upkeep {
        Upkeep::new(NODE, link(2, "ens5"), vec![VIP])
    }

    fn dump(index: u32, name: &str, addresses: &[Ipv4Addr]) -> Inventory {
        let held =
            addresses.iter().map(|address| Held { link: index, address: *address, prefix: 20 });
        Inventory::new([link(index, name)], held)
    }

    #[test]
    fn first_added_then_restored() {
        let mut upkeep = upkeep();
        let pass = upkeep.examine(&dump(2, "ens5", &[NODE])).expect("it is there");
        assert!(!pass.link_changed);
        assert_eq!(pass.repairs.len(), 1);
        assert!(!upkeep.was_restored(VIP));

        let pass = upkeep.examine(&dump(2, "ens5", &[NODE, VIP])).expect("it is there");
        assert!(!pass.link_changed);
        assert!(pass.repairs.is_empty());
        assert!(upkeep.was_restored(VIP));
    }

    #[test]
    fn what_was_found_there_and_goes_is_restored() {
        let mut upkeep = upkeep();
        let pass = upkeep.examine(&dump(2, "ens5", &[NODE, VIP])).expect("it is there");
        assert!(pass.repairs.is_empty());
        assert!(upkeep.was_restored(VIP));
    }

    #[test]
    fn an_add_that_failed_is_asked_for_again() {
        let mut upkeep = upkeep();
        for _ in 0..2 {
            let pass = upkeep.examine(&dump(2, "ens5", &[NODE])).expect("it is there");
            assert_eq!(pass.repairs.len(), 1);
        }
        assert!(!upkeep.was_restored(VIP), "it never was there");
    }

    #[test]
    fn the_interface_goes_and_comes_back_under_another_name_without_its_address() {
        let mut upkeep = upkeep();
        upkeep.examine(&dump(2, "ens5", &[NODE, VIP])).expect("it is there");
        let lost = upkeep.examine(&Inventory::default()).expect_err("it is gone");
        assert!(lost.just_now);
        let lost = upkeep.examine(&Inventory::default()).expect_err("it is gone");
        assert!(!lost.just_now, "said once");

        let pass = upkeep.examine(&dump(9, "ens6", &[])).expect("the MAC tells it");
        assert!(pass.link_changed);
        assert_eq!((pass.link.index, pass.repairs[0].link), (9, 9));
        assert_eq!(
            pass.repairs[0].label.as_ref().map(ToString::to_string),
            Some("ens6:1".to_owned())
        );
    }
}

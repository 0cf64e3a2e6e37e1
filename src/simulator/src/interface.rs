//! A host's network interface as the kernel keeps it: addresses in the order of their coming.

use std::net::Ipv4Addr;

use vipward_upkeep::inventory::{Held, Inventory, Link, Mac};
use vipward_upkeep::plan::{Act, Repair};

/// The kernel's number of the interface: the loopback is the first.
const INDEX: u32 = 2;

/// The one interface of a host. It promotes no secondaries: when the first address of a subnet
/// goes, the others of that subnet and prefix length go with it.
#[derive(Debug, Clone)]
pub struct Interface {
    mac: Option<Mac>,
    held: Vec<Held>,
}

impl Interface {
    /// A bare one with this hardware address.
    pub fn new(mac: [u8; 6]) -> Self {
        Self { mac: Mac::from_bytes(&mac), held: Vec::new() }
    }

    /// What netlink would tell.
    pub fn dump(&self) -> Inventory {
        let link = Link { index: INDEX, name: "ens5".to_owned(), mac: self.mac };
        Inventory::new([link], self.held.iter().copied())
    }

    /// Whether it has the address, with any prefix length.
    pub fn has(&self, address: Ipv4Addr) -> bool {
        self.held.iter().any(|held| held.address == address)
    }

    /// Whether it cannot lose the address without losing others.
    pub fn binds_others(&self, address: Ipv4Addr) -> bool {
        let dump = self.dump();
        dump.copies_on(INDEX, address).any(|copy| !dump.going_with(copy).is_empty())
    }

    /// An address comes; whether that is news.
    pub fn gains(&mut self, address: Ipv4Addr, prefix: u8) -> bool {
        let is_it = |held: &Held| held.address == address && held.prefix == prefix;
        if self.held.iter().any(is_it) {
            return false;
        }
        let mut new = Held { link: INDEX, address, prefix, secondary: false };
        new.secondary = self.held.iter().any(|held| network(held) == network(&new));
        self.held.push(new);
        true
    }

    /// An address goes, with every prefix length; what went with it.
    pub fn loses(&mut self, address: Ipv4Addr) -> Vec<Ipv4Addr> {
        let prefixes: Vec<u8> =
            self.held.iter().filter(|held| held.address == address).map(|h| h.prefix).collect();
        prefixes.into_iter().flat_map(|prefix| self.removes(address, prefix)).collect()
    }

    /// All addresses go.
    pub fn is_emptied(&mut self) {
        self.held.clear();
    }

    /// Does what the unit asks of the kernel; what else went with it.
    pub fn carry_out(&mut self, repair: &Repair) -> Vec<Ipv4Addr> {
        match repair.act {
            Act::Add => {
                self.gains(repair.vip, 32);
                Vec::new()
            }
            Act::Remove(prefix) => self.removes(repair.vip, prefix),
        }
    }

    fn removes(&mut self, address: Ipv4Addr, prefix: u8) -> Vec<Ipv4Addr> {
        let is_it = |held: &Held| held.address == address && held.prefix == prefix;
        let Some(at) = self.held.iter().position(is_it) else { return Vec::new() };
        let gone = self.held.remove(at);
        if gone.secondary {
            return Vec::new();
        }
        let along = |held: &Held| held.secondary && network(held) == network(&gone);
        let others = self.held.iter().filter(|held| along(held)).map(|h| h.address).collect();
        self.held.retain(|held| !along(held));
        others
    }

    /// Whether the repair is about this interface at all.
    pub fn is_meant_by(repair: &Repair) -> bool {
        repair.link == INDEX
    }
}

/// Subnet and prefix length: what the kernel tells secondaries by.
fn network(held: &Held) -> (u8, u32) {
    let bits = u32::from(held.address);
    (held.prefix, bits.checked_shr(32 - u32::from(held.prefix.min(32))).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
    const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 201);

    #[test]
    fn secondaries_of_the_same_prefix_go_with_their_primary() {
        let mut interface = Interface::new([2; 6]);
        assert!(interface.gains(OWN, 24) && interface.gains(VIP, 24));
        assert!(!interface.gains(VIP, 24), "it is there");
        assert!(interface.binds_others(OWN) && !interface.binds_others(VIP));
        assert_eq!(interface.loses(OWN), [VIP]);
        assert!(!interface.has(VIP));
    }

    #[test]
    fn an_alias_stands_by_itself() {
        let mut interface = Interface::new([2; 6]);
        interface.gains(OWN, 24);
        let repair = |act| Repair { link: INDEX, vip: VIP, act };
        assert!(interface.carry_out(&repair(Act::Add)).is_empty());
        assert!(interface.loses(OWN).is_empty());
        assert!(interface.has(VIP));
        assert!(interface.carry_out(&repair(Act::Remove(24))).is_empty(), "there is none");
        assert!(interface.has(VIP));
        interface.carry_out(&repair(Act::Remove(32)));
        assert!(!interface.has(VIP));
    }
}

//! What the kernel holds: its interfaces and their IPv4 addresses, as one dump told it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

/// A hardware address that can identify an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac([u8; 6]);

impl Mac {
    /// `None` for other lengths and for all zeroes: the loopback and tunnels share that one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let octets: [u8; 6] = bytes.try_into().ok()?;
        (octets != [0; 6]).then_some(Self(octets))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.0.map(|octet| format!("{octet:02x}"));
        out.write_str(&octets.join(":"))
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number of it; a new one each time it comes back.
    pub index: u32,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// Its hardware address, where it has one of its own.
    pub mac: Option<Mac>,
}

/// An IPv4 address on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The index of the interface.
    pub link: u32,
    /// The local address.
    pub address: Ipv4Addr,
    /// The prefix length, 0 to 32.
    pub prefix: u8,
    /// Whether the kernel holds it as secondary to an older one of the same subnet on the same
    /// interface; when that one goes, so does this, unless the interface promotes secondaries.
    pub secondary: bool,
}

impl Held {
    fn network(&self) -> u32 {
        let bits = u32::from(self.address);
        bits.checked_shr(32 - u32::from(self.prefix.min(32))).unwrap_or(0)
    }
}

/// All interfaces and IPv4 addresses of this network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    links: BTreeMap<u32, Link>,
    held: BTreeSet<Held>,
    promoting: BTreeSet<u32>,
}

impl Inventory {
    /// Puts the two dumps together.
    pub fn new(
        links: impl IntoIterator<Item = Link>,
        held: impl IntoIterator<Item = Held>,
    ) -> Self {
        Self {
            links: links.into_iter().map(|link| (link.index, link)).collect(),
            held: held.into_iter().collect(),
            promoting: BTreeSet::new(),
        }
    }

    /// Notes the interfaces that promote secondaries when their primary goes.
    #[must_use]
    pub fn promoting(mut self, links: impl IntoIterator<Item = u32>) -> Self {
        self.promoting = links.into_iter().collect();
        self
    }

    /// Every interface, by index.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Every interface that holds exactly this address, whatever its prefix length.
    pub fn holders(&self, address: Ipv4Addr) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |link| self.prefix_on(link.index, address).is_some())
    }

    /// Every copy of this address on this interface: the kernel tells them apart by their prefix.
    pub fn copies_on(&self, link: u32, address: Ipv4Addr) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(move |held| held.link == link && held.address == address)
    }

    /// Every address on this interface.
    pub fn on(&self, link: u32) -> impl Iterator<Item = Ipv4Addr> {
        self.held.iter().filter(move |held| held.link == link).map(|held| held.address)
    }

    /// The addresses that would go with this one if it went: secondaries of its subnet.
    pub fn going_with(&self, held: &Held) -> Vec<Ipv4Addr> {
        if held.secondary || self.promoting.contains(&held.link) {
            return Vec::new();
        }
        let same = |other: &&Held| {
            let subnet = (other.link, other.prefix, other.network());
            other.secondary && subnet == (held.link, held.prefix, held.network())
        };
        self.held.iter().filter(same).map(|other| other.address).collect()
    }

    /// The interfaces on which some address has secondaries.
    pub fn with_secondaries(&self) -> impl Iterator<Item = &Link> {
        let secondary =
            |link: &&Link| self.held.iter().any(|held| held.link == link.index && held.secondary);
        self.links.values().filter(secondary)
    }

    /// The prefix length (the shortest of several) with which this interface holds the address.
    pub fn prefix_on(&self, link: u32, address: Ipv4Addr) -> Option<u8> {
        self.copies_on(link, address).map(|held| held.prefix).min()
    }
}

/// Lists interfaces with their addresses, for error messages: `lo 127.0.0.1, ens5 10.0.0.5`.
impl fmt::Display for Inventory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, link) in self.links().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(out, "{comma}{}", link.name)?;
            for held in self.held.iter().filter(|held| held.link == link.index) {
                write!(out, " {}", held.address)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_six_bytes_and_not_all_zero() {
        let table: [(&[u8], Option<&str>); 4] = [
            (&[2, 0, 0, 0, 0, 0x1f], Some("02:00:00:00:00:1f")),
            (&[0; 6], None),
            (&[2; 5], None),
            (&[2; 20], None),
        ];
        for (bytes, want) in table {
            let got = Mac::from_bytes(bytes).map(|mac| mac.to_string());
            assert_eq!(got.as_deref(), want, "{bytes:?}");
        }
    }

    #[test]
    fn it_lists_interfaces_with_their_addresses() {
        let link = |index, name: &str| Link { index, name: name.to_owned(), mac: None };
        let held =
            Held { link: 2, address: Ipv4Addr::new(10, 0, 0, 5), prefix: 24, secondary: false };
        let inventory = Inventory::new([link(1, "lo"), link(2, "ens5")], [held]);
        assert_eq!(inventory.to_string(), "lo, ens5 10.0.0.5");
    }
    #[test]
    fn secondaries_of_the_same_subnet_go_with_their_primary_unless_promoted() {
        let held = |link, last: u8, prefix, secondary| Held {
            link,
            address: Ipv4Addr::new(10, 0, 0, last),
            prefix,
            secondary,
        };
        let primary = held(2, 1, 24, false);
        let others = [
            held(2, 2, 24, true),
            held(2, 3, 32, false),
            held(2, 4, 25, true),
            held(3, 5, 24, true),
            Held { address: Ipv4Addr::new(10, 0, 1, 6), ..held(2, 6, 24, true) },
        ];
        let inventory = Inventory::new([], others.into_iter().chain([primary]));
        assert_eq!(inventory.going_with(&primary), [Ipv4Addr::new(10, 0, 0, 2)]);
        assert_eq!(inventory.going_with(&others[0]), [] as [Ipv4Addr; 0], "it is no primary");
        assert_eq!(inventory.going_with(&others[1]), [] as [Ipv4Addr; 0], "a subnet of one");
        let inventory = inventory.promoting([2]);
        assert_eq!(inventory.going_with(&primary), [] as [Ipv4Addr; 0]);
    }
}

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
}

/// All interfaces and IPv4 addresses of this network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    links: BTreeMap<u32, Link>,
    held: BTreeSet<Held>,
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
        }
    }

    /// Every interface, by index.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Every interface that holds exactly this address, whatever its prefix length.
    pub fn holders(&self, address: Ipv4Addr) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |link| self.prefix_on(link.index, address).is_some())
    }

    /// The prefix length (the shortest of several) with which this interface holds the address.
    pub fn prefix_on(&self, link: u32, address: Ipv4Addr) -> Option<u8> {
        self.held
            .iter()
            .find(|held| held.link == link && held.address == address)
            .map(|held| held.prefix)
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
        let held = Held { link: 2, address: Ipv4Addr::new(10, 0, 0, 5), prefix: 24 };
        let inventory = Inventory::new([link(1, "lo"), link(2, "ens5")], [held]);
        assert_eq!(inventory.to_string(), "lo, ens5 10.0.0.5");
    }
}

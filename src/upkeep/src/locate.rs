//! Which interface is the node's: the one with its address; while that is away, the one with the
//! known MAC.

use std::net::Ipv4Addr;

use crate::inventory::{Inventory, Link, Mac};

/// Why the node's interface cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    /// No interface has the address, nor the MAC known from before.
    #[error("no interface has the node's address {address}; this host has: {host}")]
    Absent {
        /// The node's address.
        address: Ipv4Addr,
        /// The interfaces there are, with their addresses.
        host: String,
    },
    /// Several have it, and nothing tells them apart.
    #[error("several interfaces have the node's address {address}: {names}")]
    Ambiguous {
        /// The node's address.
        address: Ipv4Addr,
        /// Their names.
        names: String,
    },
}

impl Unlocated {
    /// Whether time may mend it: an interface that is not there yet may come.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// What would be right.
    pub const fn cure(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "wait until the network is up, or correct the node's address",
            Self::Ambiguous { .. } => "keep the address on only one of them",
        }
    }
}

/// Finds the interface of the node at `address`.
///
/// The address is what the configuration promises, so it comes first. `known` is the MAC of the
/// interface as it was found before: it finds the interface while DHCP or a reload has taken the
/// address away, and settles a draw.
pub fn locate(
    inventory: &Inventory,
    address: Ipv4Addr,
    known: Option<Mac>,
) -> Result<&Link, Unlocated> {
    let same_mac = |link: &&Link| known.is_some() && link.mac == known;
    let holders: Vec<&Link> = inventory.holders(address).collect();
    let candidates = if let [only] = holders[..] {
        return Ok(only);
    } else if holders.is_empty() {
        inventory.links().filter(same_mac).collect::<Vec<_>>()
    } else {
        holders.iter().copied().filter(same_mac).collect()
    };
    match (&candidates[..], &holders[..]) {
        ([only], _) => Ok(only),
        (_, []) => Err(Unlocated::Absent { address, host: inventory.to_string() }),
        (_, several) => Err(Unlocated::Ambiguous {
            address,
            names: several.iter().map(|link| link.name.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Held;

    const NODE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn link(index: u32, name: &str, mac: u8) -> Link {
        Link { index, name: name.to_owned(), mac: Mac::from_bytes(&[mac; 6]) }
    }

    fn held(link: u32, last: u8) -> Held {
        Held { link, address: Ipv4Addr::new(10, 0, 0, last), prefix: 24, secondary: false }
    }

    #[test]
    fn address_first_then_mac() {
        let links = || [link(1, "lo", 0), link(2, "ens5", 2), link(3, "ens6", 3)];
        let twins = || [link(1, "lo", 0), link(2, "ens5", 2), link(3, "bond0", 2)];
        let known = Mac::from_bytes(&[2; 6]);
        let cases = [
            ("by address", Inventory::new(links(), [held(2, 1)]), None, Some("ens5")),
            ("a similar address is another", Inventory::new(links(), [held(2, 11)]), None, None),
            ("address wins over MAC", Inventory::new(links(), [held(3, 1)]), known, Some("ens6")),
            ("MAC while the address is away", Inventory::new(links(), []), known, Some("ens5")),
            (
                "MAC settles a draw",
                Inventory::new(links(), [held(2, 1), held(3, 1)]),
                known,
                Some("ens5"),
            ),
            ("a draw", Inventory::new(links(), [held(2, 1), held(3, 1)]), None, None),
            (
                "two with the MAC, one with the address",
                Inventory::new(twins(), [held(3, 1)]),
                known,
                Some("bond0"),
            ),
            ("two with the MAC, none with the address", Inventory::new(twins(), []), known, None),
            ("no MAC is not everybody's MAC", Inventory::new([link(1, "lo", 0)], []), None, None),
            ("nothing there", Inventory::default(), known, None),
        ];
        for (name, inventory, known, want) in cases {
            let found = locate(&inventory, NODE, known).ok();
            assert_eq!(found.map(|link| link.name.as_str()), want, "{name}");
        }
    }

    #[test]
    fn errors_say_what_is_there() {
        let links = [link(1, "lo", 0), link(2, "ens5", 2)];
        let absent = locate(&Inventory::new(links.clone(), [held(2, 11)]), NODE, None).unwrap_err();
        let want =
            "no interface has the node's address 10.0.0.1; this host has: lo, ens5 10.0.0.11";
        assert_eq!(absent.to_string(), want);
        assert!(absent.may_pass() && absent.cure().contains("until the network is up"));
        let twice =
            locate(&Inventory::new(links, [held(1, 1), held(2, 1)]), NODE, None).unwrap_err();
        let want = "several interfaces have the node's address 10.0.0.1: lo, ens5";
        assert_eq!(twice.to_string(), want);
        assert!(!twice.may_pass() && twice.cure().contains("one of them"));
    }
}

//! Desired minus actual: the whole judgement of the unit, as a pure function.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use vipward_core::alias_report::Holding;

use crate::inventory::Inventory;

#[cfg(test)]
mod tests;

/// What the interface should be like for one VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desired {
    /// It must be there.
    Present,
    /// Nobody knows: what is, stays.
    Unchanged,
    /// It must not be there: EC2 has confirmed that this node's ENI does not hold it.
    Absent,
}

impl From<Holding> for Desired {
    fn from(holding: Holding) -> Self {
        match holding {
            Holding::Held => Self::Present,
            Holding::NotHeld => Self::Absent,
            Holding::NotAsked | Holding::Unknown => Self::Unchanged,
        }
    }
}

/// What should be of every VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAliases {
    /// The index of the node's interface.
    pub link: u32,
    /// Each VIP, and whether it should be there.
    pub aliases: BTreeMap<Ipv4Addr, Desired>,
}

/// One change of one VIP on the node's interface. Other addresses cannot be expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The index of the interface.
    pub link: u32,
    /// The address.
    pub vip: Ipv4Addr,
    /// What to do with it.
    pub act: Act,
}

/// What to do with a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Add it as /32.
    Add,
    /// Remove the copy with this prefix length.
    Remove(u8),
}

/// The difference between what should be and what is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to carry out.
    pub repairs: Vec<Repair>,
    /// VIPs that should go and stay, because the kernel would take these addresses with them.
    pub withheld: BTreeMap<Ipv4Addr, Vec<Ipv4Addr>>,
}

/// Compares.
///
/// A VIP counts as present with any prefix length: cloud-init and nm-cloud-setup add it with the
/// subnet's, and a second one as /32 would be a second address. One that must go does so with
/// every prefix length. On another interface it is somebody else's and counts for nothing.
///
/// Secondaries go before the primaries that the kernel would take them away with.
pub fn plan(desired: &DesiredAliases, actual: &Inventory) -> Plan {
    let mut plan = Plan::default();
    let mut primaries = Vec::new();
    let link = desired.link;
    let stays = |other: &Ipv4Addr| desired.aliases.get(other) != Some(&Desired::Absent);
    for (vip, desired) in &desired.aliases {
        let repair = |act| Repair { link, vip: *vip, act };
        match desired {
            Desired::Unchanged => {}
            Desired::Present if actual.prefix_on(link, *vip).is_some() => {}
            Desired::Present => plan.repairs.push(repair(Act::Add)),
            Desired::Absent => {
                for copy in actual.copies_on(link, *vip) {
                    let others: Vec<_> =
                        actual.going_with(copy).into_iter().filter(stays).collect();
                    if !others.is_empty() {
                        plan.withheld.entry(*vip).or_default().extend(others);
                    } else if copy.secondary {
                        plan.repairs.push(repair(Act::Remove(copy.prefix)));
                    } else {
                        primaries.push(repair(Act::Remove(copy.prefix)));
                    }
                }
            }
        }
    }
    plan.repairs.extend(primaries);
    plan
}

//! Desired minus actual: the whole judgement of the unit, as a pure function.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::inventory::{Inventory, Link};
use crate::label::Label;

#[cfg(test)]
mod tests;

/// What must be held: in static mode every VIP, at all times, on every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The index of the node's interface.
    pub link: u32,
    /// Each VIP with the label it gets if it has to be added.
    pub aliases: BTreeMap<Ipv4Addr, Option<Label>>,
}

impl Desired {
    /// The VIPs in the order of their services; the first is alias number 1.
    pub fn new(link: &Link, vips: &[Ipv4Addr]) -> Self {
        let aliases = vips
            .iter()
            .zip(1..)
            .map(|(vip, number)| (*vip, Label::new(&link.name, number)))
            .collect();
        Self { link: link.index, aliases }
    }
}

/// A VIP to add as /32. There is no other kind of repair: what this unit cannot express it cannot
/// do by mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The index of the interface to add it to.
    pub link: u32,
    /// The address.
    pub vip: Ipv4Addr,
    /// Its label, where one fits.
    pub label: Option<Label>,
}

/// The VIPs that the interface lacks.
///
/// A VIP counts as present with any prefix length: cloud-init and nm-cloud-setup add it with the
/// subnet's, and a second one as /32 would be a second address. On another interface it is somebody
/// else's and counts for nothing.
pub fn plan(desired: &Desired, actual: &Inventory) -> Vec<Repair> {
    desired
        .aliases
        .iter()
        .filter(|(vip, _)| actual.prefix_on(desired.link, **vip).is_none())
        .map(|(vip, label)| Repair { link: desired.link, vip: *vip, label: label.clone() })
        .collect()
}

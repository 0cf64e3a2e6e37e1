//! Assigning and unassigning secondary private addresses: all of a call's addresses, or none.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::inventory::{Interface, addresses_per_interface};
use super::{AssignedAgain, Ec2, invalid_value};
use crate::ApiError;
use crate::journal::JournalEvent;

/// What an `AssignPrivateIpAddresses` call did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The interface that has the addresses now.
    pub eni: String,
    /// The addresses, in the order of the call.
    pub addresses: Vec<Ipv4Addr>,
    /// The interface each came from, where another had it.
    pub from: BTreeMap<Ipv4Addr, String>,
}

impl Ec2 {
    /// Brings secondary addresses to an interface; with `reassign` they may come from another one.
    ///
    /// Every check comes before the first change, so a call takes effect whole or not at all.
    pub fn assign(
        &mut self,
        eni: &str,
        addresses: &[Ipv4Addr],
        reassign: bool,
        now: Timestamp,
    ) -> Result<Assigned, ApiError> {
        self.check(eni, addresses, reassign)?;
        let from = self.other_holders(eni, addresses);
        self.change(now, |inventory| {
            for (address, holder) in &from {
                if let Some(holder) = inventory.interfaces.get_mut(holder) {
                    holder.secondaries.retain(|held| held != address);
                }
            }
            if let Some(target) = inventory.interfaces.get_mut(eni) {
                for address in addresses {
                    if !target.secondaries.contains(address) {
                        target.secondaries.push(*address);
                    }
                }
            }
        });
        let assigned = Assigned { eni: eni.to_owned(), addresses: addresses.to_vec(), from };
        self.journal.push(JournalEvent::Assigned {
            eni: assigned.eni.clone(),
            addresses: assigned.addresses.clone(),
            from: assigned.from.clone(),
        });
        Ok(assigned)
    }

    /// Takes secondary addresses off an interface.
    pub fn unassign(
        &mut self,
        eni: &str,
        addresses: &[Ipv4Addr],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let held = &self.interface(eni)?.secondaries;
        if addresses.iter().any(|address| !held.contains(address)) {
            return Err(invalid_value(format!(
                "Some of the specified addresses are not assigned to interface {eni}"
            )));
        }
        self.change(now, |inventory| {
            if let Some(interface) = inventory.interfaces.get_mut(eni) {
                interface.secondaries.retain(|held| !addresses.contains(held));
            }
        });
        self.journal
            .push(JournalEvent::Unassigned { eni: eni.to_owned(), addresses: addresses.to_vec() });
        Ok(())
    }

    /// Every reason for which addresses cannot come to an interface.
    pub(super) fn check(
        &self,
        eni: &str,
        addresses: &[Ipv4Addr],
        reassign: bool,
    ) -> Result<(), ApiError> {
        let target = self.interface(eni)?;
        self.check_range(target, addresses)?;
        self.check_holders(target, addresses, reassign)?;
        self.check_room(target, addresses)
    }

    fn check_range(&self, target: &Interface, addresses: &[Ipv4Addr]) -> Result<(), ApiError> {
        let subnet = self.present().subnet_of(target);
        for &address in addresses {
            if !subnet.cidr.contains(&address) {
                return Err(invalid_value(
                    "Address does not fall within the subnet's address range",
                ));
            }
            if subnet.reserves(address) {
                return Err(invalid_value(format!(
                    "Address {address} is in subnet's reserved address range"
                )));
            }
        }
        Ok(())
    }

    fn check_holders(
        &self,
        target: &Interface,
        addresses: &[Ipv4Addr],
        reassign: bool,
    ) -> Result<(), ApiError> {
        let refuses = |holder: &Interface| {
            let again = self.settings.assigned_again;
            !reassign && (holder.id != target.id || again == AssignedAgain::Refused)
        };
        let mut taken = Vec::new();
        for &address in addresses {
            match self.present().holder(address) {
                Some(holder) if holder.primary == address => {
                    return Err(invalid_value(format!(
                        "[{address}] is a primary address; only secondary-addresses can be moved"
                    )));
                }
                Some(holder) if refuses(holder) => taken.push(address.to_string()),
                _ => {}
            }
        }
        if taken.is_empty() {
            return Ok(());
        }
        Err(invalid_value(format!("[{}] assigned, but move is not allowed.", taken.join(", "))))
    }

    fn check_room(&self, target: &Interface, addresses: &[Ipv4Addr]) -> Result<(), ApiError> {
        let limit = self
            .present()
            .instances
            .get(&target.instance)
            .map_or(usize::MAX, |instance| addresses_per_interface(&instance.kind));
        let new = addresses.iter().filter(|address| !target.secondaries.contains(address)).count();
        if target.addresses().count() + new > limit {
            return Err(ApiError::new(
                "PrivateIpAddressLimitExceeded",
                400,
                "Number of private addresses will exceed limit.",
            ));
        }
        Ok(())
    }

    fn other_holders(&self, eni: &str, addresses: &[Ipv4Addr]) -> BTreeMap<Ipv4Addr, String> {
        addresses
            .iter()
            .filter_map(|&address| Some((address, self.present().holder(address)?.id.clone())))
            .filter(|(_, holder)| holder != eni)
            .collect()
    }
}

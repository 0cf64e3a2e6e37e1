//! EC2, as far as addresses go: subnets, instances, interfaces, tags.
//!
//! Writes act on the present in one step; reads may be answered from the recent past.

mod addresses;
mod describe;
mod instances;
pub mod inventory;
mod tags;
#[cfg(test)]
mod tests;
mod throttle;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::journal::JournalEvent;
use crate::ApiError;
pub use addresses::Assigned;
pub use describe::{Filter, Page, Paging, TagDescription};
pub use instances::NewInstance;
use inventory::{Interface, Inventory, Subnet};
pub use throttle::Class;
use throttle::Throttle;

/// How long past states are kept for stale reads.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// Settings of EC2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// How far Describe calls lag behind changes.
    pub describe_lag: SignedDuration,
    /// The answer to an assignment, without `AllowReassignment`, of what the interface has already.
    pub assigned_again: AssignedAgain,
}

/// An answer that AWS's documentation leaves open: clients have to live with either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignedAgain {
    /// Success, and all is as it was.
    #[default]
    Accepted,
    /// The refusal of what another interface has.
    Refused,
}

/// The EC2 of one region.
#[derive(Debug)]
pub struct Ec2 {
    settings: Settings,
    present: Inventory,
    /// Earlier states with the moment each ended, oldest first.
    past: VecDeque<(Timestamp, Inventory)>,
    throttle: Throttle,
    /// What there is to tell since the last drain.
    pub journal: Vec<JournalEvent>,
}

impl Ec2 {
    /// An EC2 with these subnets and nothing else.
    pub fn new(settings: Settings, subnets: impl IntoIterator<Item = Subnet>) -> Self {
        let subnets: BTreeMap<_, _> =
            subnets.into_iter().map(|subnet| (subnet.id.clone(), subnet)).collect();
        Self {
            settings,
            present: Inventory { subnets, ..Inventory::default() },
            past: VecDeque::new(),
            throttle: Throttle::default(),
            journal: Vec::new(),
        }
    }

    /// What there is now.
    pub fn present(&self) -> &Inventory {
        &self.present
    }

    /// What there was at a moment; the oldest state remembered if that is too long ago.
    pub fn as_of(&self, moment: Timestamp) -> &Inventory {
        self.past
            .iter()
            .find(|(ended, _)| moment < *ended)
            .map_or(&self.present, |(_, inventory)| inventory)
    }

    /// What a Describe call sees: the state `describe_lag` and `stale` ago.
    pub fn seen(&self, now: Timestamp, stale: SignedDuration) -> &Inventory {
        self.as_of(now - self.settings.describe_lag - stale)
    }

    /// Counts one call against EC2's request limits: `RequestLimitExceeded` beyond them.
    pub fn admit(&mut self, class: Class, now: Timestamp) -> Result<(), ApiError> {
        self.throttle.admit(class, now)
    }

    /// Changes the present in one step and keeps what was before.
    fn change<T>(&mut self, now: Timestamp, step: impl FnOnce(&mut Inventory) -> T) -> T {
        self.past.push_back((now, self.present.clone()));
        while self.past.front().is_some_and(|(ended, _)| *ended + MEMORY < now) {
            self.past.pop_front();
        }
        step(&mut self.present)
    }

    fn interface(&self, eni: &str) -> Result<&Interface, ApiError> {
        self.present.interfaces.get(eni).ok_or_else(|| no_such_interface(eni))
    }
}

fn no_such_interface(eni: &str) -> ApiError {
    ApiError::new(
        "InvalidNetworkInterfaceID.NotFound",
        400,
        format!("The networkInterface ID '{eni}' does not exist"),
    )
}

fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", 400, message)
}

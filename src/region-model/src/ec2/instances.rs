//! Instances: their launch and their changes of state.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Ec2;
use super::inventory::{Instance, InstanceState, Interface};
use crate::ApiError;
use crate::Place;
use crate::events::Envelope;
use crate::ids::stable_id;
use crate::journal::JournalEvent;

/// An instance to launch, with its one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// `i-...`.
    pub id: String,
    /// Instance type.
    pub kind: String,
    /// `eni-...`.
    pub eni: String,
    /// Hardware address.
    pub mac: String,
    /// Subnet of the interface; has to exist.
    pub subnet: String,
    /// Primary private address.
    pub address: Ipv4Addr,
    /// Secondary private addresses it starts with.
    pub secondaries: Vec<Ipv4Addr>,
}

/// A change of an instance's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Instance id.
    pub instance: String,
    /// The state it is in now.
    pub to: InstanceState,
    /// When it changed.
    pub at: Timestamp,
}

impl StateChange {
    /// The event that EC2 puts on the default bus.
    pub fn to_event(&self, place: &Place) -> Value {
        let arn =
            format!("arn:aws:ec2:{}:{}:instance/{}", place.region, place.account, self.instance);
        Envelope {
            id: stable_id(&[&arn, &self.at.to_string(), self.to.name()]),
            source: "aws.ec2".to_owned(),
            detail_type: "EC2 Instance State-change Notification".to_owned(),
            time: self.at,
            resources: vec![arn],
            detail: json!({ "instance-id": self.instance, "state": self.to.name() }),
        }
        .to_event(place)
    }
}

impl Ec2 {
    /// Puts a running instance in place, as if it had been there all along: stale reads see it too.
    pub fn launch(&mut self, new: NewInstance, now: Timestamp) -> Result<(), ApiError> {
        let inventory = self.present();
        if !inventory.subnets.contains_key(&new.subnet) {
            return Err(ApiError::new(
                "InvalidSubnetID.NotFound",
                400,
                format!("The subnet ID '{}' does not exist", new.subnet),
            ));
        }
        if inventory.holder(new.address).is_some() {
            return Err(ApiError::new(
                "InvalidIPAddress.InUse",
                400,
                format!("Address {} is in use.", new.address),
            ));
        }
        let interface = Interface {
            id: new.eni.clone(),
            instance: new.id.clone(),
            mac: new.mac.to_lowercase(),
            subnet: new.subnet,
            primary: new.address,
            secondaries: Vec::new(),
            tags: BTreeMap::new(),
        };
        let instance = Instance {
            id: new.id,
            kind: new.kind,
            state: InstanceState::Running,
            eni: new.eni,
            launched: now,
        };
        let eni = interface.id.clone();
        self.present.interfaces.insert(eni.clone(), interface);
        self.present.instances.insert(instance.id.clone(), instance);
        self.check(&eni, &new.secondaries, false)?;
        if let Some(interface) = self.present.interfaces.get_mut(&eni) {
            interface.secondaries = new.secondaries;
        }
        Ok(())
    }

    /// Brings an instance into a state; `None` when it was in it already.
    ///
    /// Termination deletes the interface, as it does for an instance's first interface on EC2.
    pub fn set_state(
        &mut self,
        id: &str,
        to: InstanceState,
        now: Timestamp,
    ) -> Result<Option<StateChange>, ApiError> {
        let Some(instance) = self.present().instances.get(id) else {
            return Err(ApiError::new(
                "InvalidInstanceID.NotFound",
                400,
                format!("The instance ID '{id}' does not exist"),
            ));
        };
        let from = instance.state;
        if from == to {
            return Ok(None);
        }
        if from == InstanceState::Terminated {
            return Err(ApiError::new(
                "IncorrectInstanceState",
                400,
                format!("The instance '{id}' is not in a state from which it can be changed."),
            ));
        }
        let eni = instance.eni.clone();
        self.change(now, |inventory| {
            if let Some(instance) = inventory.instances.get_mut(id) {
                instance.state = to;
            }
            if to == InstanceState::Terminated {
                inventory.interfaces.remove(&eni);
            }
        });
        self.journal.push(JournalEvent::InstanceState {
            instance: id.to_owned(),
            from: from.name().to_owned(),
            to: to.name().to_owned(),
        });
        Ok(Some(StateChange { instance: id.to_owned(), to, at: now }))
    }
}

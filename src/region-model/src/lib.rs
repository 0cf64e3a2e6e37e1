//! The region as data: no clock, no socket. Every call takes `now`.
//!
//! A driver calls the services through their wire protocols, then [`Region::advance`], carries the
//! effects out, and comes back at [`Region::next_deadline`] or with the next call.

#![warn(missing_docs)]

mod api_error;
pub mod cloudwatch;
pub mod ec2;
pub mod events;
pub mod fault;
pub mod iam;
pub mod ids;
pub mod imds;
pub mod journal;
pub mod lambda;
pub mod template;

use jiff::Timestamp;

pub use api_error::ApiError;
use cloudwatch::CloudWatch;
use ec2::Ec2;
use ec2::inventory::InstanceState;
use events::{Delivery, EventBridge};
use fault::Faults;
use iam::Iam;
use imds::Imds;
use journal::{Entry, JournalEvent};
use lambda::Lambda;

/// Where the region is: what its ARNs and events carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Account number, twelve digits.
    pub account: String,
    /// Region name, `us-east-1` for example.
    pub region: String,
}

/// What a driver has to do after an advance.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write this to the journal.
    Tell(Entry),
    /// Do this for Lambda.
    Lambda(lambda::Effect),
}

/// A whole region.
#[derive(Debug)]
pub struct Region {
    /// Account and region name.
    pub place: Place,
    /// EC2.
    pub ec2: Ec2,
    /// CloudWatch.
    pub cloudwatch: CloudWatch,
    /// EventBridge.
    pub events: EventBridge,
    /// Lambda.
    pub lambda: Lambda,
    /// The instances' metadata service.
    pub imds: Imds,
    /// Who may do what.
    pub iam: Iam,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

impl Region {
    /// When there is something to do next without any call before.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        [self.cloudwatch.next_deadline(), self.events.next_deadline(), self.lambda.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does all that is due: alarms change, their events travel, functions start and time out.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut told = std::mem::take(&mut self.ec2.journal);
        let changes = self.cloudwatch.advance(now);
        told.append(&mut self.cloudwatch.journal);
        for change in changes {
            self.events.offer(&change.to_event(&self.place), now);
        }
        let deliveries = self.events.advance(now, &mut self.faults);
        told.append(&mut self.faults.journal);
        told.append(&mut self.events.journal);
        for delivery in deliveries {
            told.extend(self.hand_over(&delivery, now));
        }
        let lambda = self.lambda.advance(now);
        told.append(&mut self.lambda.journal);
        let told = told.into_iter().map(|event| Effect::Tell(Entry { at: now, event }));
        told.chain(lambda.into_iter().map(Effect::Lambda)).collect()
    }

    /// Hands an event to its target. Targets of other services than Lambda are not in the region:
    /// that the event was delivered is all that there is to tell of them.
    fn hand_over(&mut self, delivery: &Delivery, now: Timestamp) -> Option<JournalEvent> {
        if !delivery.target_arn.starts_with("arn:aws:lambda:") {
            return None;
        }
        let payload = delivery.event.to_string().into_bytes();
        let refused = self.lambda.enqueue(&delivery.target_arn, payload, now).err()?;
        Some(JournalEvent::DeliveryFailed {
            rule: delivery.rule.clone(),
            target: delivery.target_arn.clone(),
            reason: refused.to_string(),
        })
    }

    /// Brings an instance into a state, and tells the bus if that is a change.
    pub fn set_instance_state(
        &mut self,
        id: &str,
        to: InstanceState,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if let Some(change) = self.ec2.set_state(id, to, now)? {
            self.events.offer(&change.to_event(&self.place), now);
        }
        Ok(())
    }
}

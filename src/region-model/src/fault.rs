//! Injected faults: what is to go wrong, where, and how often.

mod spec;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::journal::JournalEvent;
use crate::ApiError;

pub use spec::{DELIVERY, FaultError, FaultSpec, Kind, Operations};

#[derive(Debug)]
struct Active {
    spec: FaultSpec,
    left: Option<u32>,
    until: Option<Timestamp>,
}

impl Active {
    fn hits(&self, operation: &str, now: Timestamp) -> bool {
        self.spec.on().contain(operation) && !self.is_over(now)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.left == Some(0) || self.until.is_some_and(|until| until <= now)
    }
}

/// What hits one call or delivery, all faults together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each fault is there or not, whatever the others are"
)]
pub struct Hit {
    /// Comes this much later.
    pub delay: SignedDuration,
    /// Fails with this.
    pub error: Option<ApiError>,
    /// The answer is lost.
    pub lost_reply: bool,
    /// Answers what was true this long ago.
    pub stale: SignedDuration,
    /// Delivered twice.
    pub duplicate: bool,
    /// Delivered after its successor.
    pub reorder: bool,
    /// Not delivered.
    pub drop: bool,
}

impl Hit {
    fn suffers(&mut self, kind: &Kind) {
        match kind {
            Kind::Error { code, status } => {
                let message = format!("{code}, injected");
                self.error = Some(ApiError::new(code.clone(), status.unwrap_or(400), message));
            }
            Kind::Delay { .. } => self.delay += kind.delay(),
            Kind::LostReply => self.lost_reply = true,
            Kind::Stale { .. } => self.stale = self.stale.max(kind.delay()),
            Kind::Duplicate => self.duplicate = true,
            Kind::Reorder => self.reorder = true,
            Kind::Drop => self.drop = true,
        }
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    active: Vec<Active>,
    /// What there is to tell since the last drain.
    pub journal: Vec<JournalEvent>,
}

impl Faults {
    /// Adds faults.
    pub fn add(&mut self, specs: impl IntoIterator<Item = FaultSpec>, now: Timestamp) {
        self.active.extend(specs.into_iter().map(|spec| Active {
            left: spec.times,
            until: spec.for_ms.map(|ms| now + SignedDuration::from_millis(ms.into())),
            spec,
        }));
    }

    /// Ends all faults.
    pub fn clear(&mut self) {
        self.active.clear();
    }

    /// What hits this operation now; uses up one time of each fault that does.
    ///
    /// Of several errors only the first hits: a call fails once.
    pub fn take(&mut self, operation: &str, now: Timestamp) -> Hit {
        let mut hit = Hit::default();
        for fault in &mut self.active {
            let kind = fault.spec.kind();
            let second_error = hit.error.is_some() && matches!(kind, Kind::Error { .. });
            if second_error || !fault.hits(operation, now) {
                continue;
            }
            hit.suffers(kind);
            let kind = kind.name().to_owned();
            self.journal.push(JournalEvent::Fault { on: operation.to_owned(), kind });
            fault.left = fault.left.map(|left| left - 1);
        }
        self.active.retain(|fault| !fault.is_over(now));
        hit
    }
}

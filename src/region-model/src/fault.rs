//! Injected faults: what is to go wrong, where, and how often.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::journal::JournalEvent;
use crate::ApiError;

/// The pseudo operation that stands for a rule handing an event to its target.
pub const DELIVERY: &str = "events:deliver";

/// What faults can be on: the operations that the region has, and [`DELIVERY`].
const OPERATIONS: [&str; 29] = [
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:PutMetricData",
    "cloudwatch:SetAlarmState",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:UnassignPrivateIpAddresses",
    "events:DeleteRule",
    "events:DescribeRule",
    "events:ListRules",
    "events:ListTargetsByRule",
    "events:PutEvents",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:TestEventPattern",
    DELIVERY,
    "imds:GetMetadata",
    "imds:PutToken",
    "lambda:Invoke",
];

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The call has no effect and answers this error.
    Error(ApiError),
    /// The call, or the delivery, comes later.
    Delay(SignedDuration),
    /// The call takes effect, but the client's connection drops without an answer.
    LostReply,
    /// A read of EC2 or IMDS answers what was true this long ago.
    Stale(SignedDuration),
    /// An event is delivered twice.
    Duplicate,
    /// An event is delivered after the one that follows it.
    Reorder,
    /// An event is not delivered.
    Drop,
}

/// A fault as people write it: in the world file or by the control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// `service:Operation` with IAM's service prefix, `service:*`, or `events:deliver`.
    pub on: String,
    /// `error`, `delay`, `lost-reply`, `stale`, `duplicate`, `reorder` or `drop`.
    pub kind: String,
    /// Of an error: AWS's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Of an error: HTTP status; 400 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Of a delay or a stale read: milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u32>,
    /// Ends after this many hits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Ends after this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u32>,
}

/// Why a fault cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such kind.
    #[error(
        "fault kind `{0}` is not one of error, delay, lost-reply, stale, duplicate, reorder, drop"
    )]
    UnknownKind(String),
    /// No such operation: the fault would never hit.
    #[error("the region has no operation `{0}`; it has {known}", known = like(.0))]
    UnknownOperation(String),
    /// The kind needs a field that is not there.
    #[error("a fault of kind `{kind}` needs `{field}`")]
    Missing {
        /// Kind of fault.
        kind: String,
        /// The field.
        field: &'static str,
    },
    /// The kind has no meaning there.
    #[error("a fault of kind `{kind}` cannot be on `{on}`")]
    Misplaced {
        /// Kind of fault.
        kind: String,
        /// Where it was meant to be.
        on: String,
    },
}

impl FaultSpec {
    fn check(&self) -> Result<Kind, FaultError> {
        let kind = self.read_kind()?;
        let delivery = self.on == DELIVERY;
        let fits = match kind {
            Kind::Delay(_) => true,
            Kind::Error(_) | Kind::LostReply => !delivery,
            Kind::Stale(_) => ["ec2:", "imds:"].iter().any(|service| self.on.starts_with(service)),
            Kind::Duplicate | Kind::Reorder | Kind::Drop => delivery,
        };
        if !OPERATIONS.iter().any(|operation| names(&self.on, operation)) {
            return Err(FaultError::UnknownOperation(self.on.clone()));
        }
        if fits {
            return Ok(kind);
        }
        Err(FaultError::Misplaced { kind: self.kind.clone(), on: self.on.clone() })
    }

    fn read_kind(&self) -> Result<Kind, FaultError> {
        let ms = || {
            self.ms
                .map(|ms| SignedDuration::from_millis(ms.into()))
                .ok_or_else(|| self.missing("ms"))
        };
        Ok(match self.kind.as_str() {
            "error" => {
                let code = self.code.clone().ok_or_else(|| self.missing("code"))?;
                let message = format!("{code}, injected");
                Kind::Error(ApiError::new(code, self.status.unwrap_or(400), message))
            }
            "delay" => Kind::Delay(ms()?),
            "lost-reply" => Kind::LostReply,
            "stale" => Kind::Stale(ms()?),
            "duplicate" => Kind::Duplicate,
            "reorder" => Kind::Reorder,
            "drop" => Kind::Drop,
            other => return Err(FaultError::UnknownKind(other.to_owned())),
        })
    }

    fn missing(&self, field: &'static str) -> FaultError {
        FaultError::Missing { kind: self.kind.clone(), field }
    }
}

#[derive(Debug, Clone)]
struct Active {
    on: String,
    name: String,
    kind: Kind,
    left: Option<u32>,
    until: Option<Timestamp>,
}

impl Active {
    fn hits(&self, operation: &str, now: Timestamp) -> bool {
        names(&self.on, operation)
            && self.left != Some(0)
            && self.until.is_none_or(|until| now < until)
    }
}

/// Whether `on`, which may end with a `*`, names the operation.
fn names(on: &str, operation: &str) -> bool {
    match on.strip_suffix('*') {
        Some(prefix) => prefix.contains(':') && operation.starts_with(prefix),
        None => operation == on,
    }
}

/// The operations of the service that `on` begins with; of all, when it is none.
fn like(on: &str) -> String {
    let service = |name: &str| name.split_once(':').map(|(service, _)| service.to_owned());
    let wanted = service(on);
    let of_it: Vec<&str> =
        OPERATIONS.into_iter().filter(|operation| service(operation) == wanted).collect();
    if of_it.is_empty() { OPERATIONS.join(", ") } else { of_it.join(", ") }
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

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    active: Vec<Active>,
    /// What there is to tell since the last drain.
    pub journal: Vec<JournalEvent>,
}

impl Faults {
    /// Adds faults: all of them, or none when one is wrong.
    pub fn add(&mut self, specs: &[FaultSpec], now: Timestamp) -> Result<(), FaultError> {
        let mut new = Vec::new();
        for spec in specs {
            new.push(Active {
                on: spec.on.clone(),
                name: spec.kind.clone(),
                kind: spec.check()?,
                left: spec.times,
                until: spec.for_ms.map(|ms| now + SignedDuration::from_millis(ms.into())),
            });
        }
        self.active.extend(new);
        Ok(())
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
            let second_error = hit.error.is_some() && matches!(fault.kind, Kind::Error(_));
            if second_error || !fault.hits(operation, now) {
                continue;
            }
            fault.left = fault.left.map(|left| left - 1);
            match &fault.kind {
                Kind::Error(error) => hit.error = Some(error.clone()),
                Kind::Delay(delay) => hit.delay += *delay,
                Kind::LostReply => hit.lost_reply = true,
                Kind::Stale(age) => hit.stale = hit.stale.max(*age),
                Kind::Duplicate => hit.duplicate = true,
                Kind::Reorder => hit.reorder = true,
                Kind::Drop => hit.drop = true,
            }
            self.journal
                .push(JournalEvent::Fault { on: operation.to_owned(), kind: fault.name.clone() });
        }
        self.active
            .retain(|fault| fault.left != Some(0) && fault.until.is_none_or(|until| now < until));
        hit
    }
}

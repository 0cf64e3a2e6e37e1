//! A fault as people write it, in the world file, by the control API or in a history. It is checked
//! as it is read.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

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

/// A fault that makes sense: its kind fits what it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct FaultSpec {
    on: Operations,
    kind: Kind,
    /// Ends after this many hits.
    pub times: Option<u32>,
    /// Ends after this many milliseconds.
    pub for_ms: Option<u32>,
}

/// What a fault is on: one operation; with a `*` at the end, all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations(String);

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The call has no effect and answers this error.
    Error {
        /// AWS's code.
        code: String,
        /// HTTP status; 400 when left out.
        status: Option<u16>,
    },
    /// The call, or the delivery, comes later.
    Delay {
        /// Milliseconds.
        ms: u32,
    },
    /// The call takes effect, but the client's connection drops without an answer.
    LostReply,
    /// A read of EC2 or IMDS answers what was true this long ago.
    Stale {
        /// Milliseconds.
        ms: u32,
    },
    /// An event is delivered twice.
    Duplicate,
    /// An event is delivered after the one that follows it.
    Reorder,
    /// An event is not delivered.
    Drop,
}

/// Why a fault makes no sense.
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
        kind: &'static str,
        /// Where it was meant to be.
        on: Operations,
    },
}

impl FaultSpec {
    /// A fault of that kind on these operations, without an end.
    ///
    /// # Errors
    /// When the region has no such operation, or the kind has no meaning there.
    pub fn new(on: &str, kind: Kind) -> Result<Self, FaultError> {
        let on: Operations = on.parse()?;
        if kind.fits(&on) {
            return Ok(Self { on, kind, times: None, for_ms: None });
        }
        Err(FaultError::Misplaced { kind: kind.name(), on })
    }

    /// What it is on.
    pub fn on(&self) -> &Operations {
        &self.on
    }

    /// What goes wrong.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl Operations {
    /// The service's prefix, `ec2` for example.
    pub fn service(&self) -> &str {
        self.0.split_once(':').map_or("", |(service, _)| service)
    }

    /// Whether it is the delivery of events, and no operation that is called.
    pub fn is_delivery(&self) -> bool {
        self.0 == DELIVERY
    }

    /// Whether that operation is among them.
    pub fn contain(&self, operation: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => prefix.contains(':') && operation.starts_with(prefix),
            None => operation == self.0,
        }
    }
}

impl FromStr for Operations {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let on = Self(text.to_owned());
        if OPERATIONS.iter().any(|operation| on.contain(operation)) {
            return Ok(on);
        }
        Err(FaultError::UnknownOperation(on.0))
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Kind {
    /// Its name, as people write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::Delay { .. } => "delay",
            Self::LostReply => "lost-reply",
            Self::Stale { .. } => "stale",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Drop => "drop",
        }
    }

    /// How late, or how old, it makes things.
    pub fn delay(&self) -> SignedDuration {
        match self {
            Self::Delay { ms } | Self::Stale { ms } => SignedDuration::from_millis((*ms).into()),
            _ => SignedDuration::ZERO,
        }
    }

    fn fits(&self, on: &Operations) -> bool {
        match self {
            Self::Delay { .. } => true,
            Self::Error { .. } | Self::LostReply => !on.is_delivery(),
            Self::Stale { .. } => matches!(on.service(), "ec2" | "imds"),
            Self::Duplicate | Self::Reorder | Self::Drop => on.is_delivery(),
        }
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

/// A fault as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// `service:Operation` with IAM's service prefix, `service:*`, or `events:deliver`.
    on: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_ms: Option<u32>,
}

impl TryFrom<Written> for FaultSpec {
    type Error = FaultError;

    fn try_from(written: Written) -> Result<Self, FaultError> {
        let Written { on, kind, code, status, ms, times, for_ms } = written;
        let missing = |field| FaultError::Missing { kind: kind.clone(), field };
        let ms = || ms.ok_or_else(|| missing("ms"));
        let kind = match kind.as_str() {
            "error" => Kind::Error { code: code.ok_or_else(|| missing("code"))?, status },
            "delay" => Kind::Delay { ms: ms()? },
            "lost-reply" => Kind::LostReply,
            "stale" => Kind::Stale { ms: ms()? },
            "duplicate" => Kind::Duplicate,
            "reorder" => Kind::Reorder,
            "drop" => Kind::Drop,
            _ => return Err(FaultError::UnknownKind(kind)),
        };
        Ok(Self { times, for_ms, ..Self::new(&on, kind)? })
    }
}

impl From<FaultSpec> for Written {
    fn from(spec: FaultSpec) -> Self {
        let FaultSpec { on, kind, times, for_ms } = spec;
        let name = kind.name().to_owned();
        let (code, status, ms) = match kind {
            Kind::Error { code, status } => (Some(code), status, None),
            Kind::Delay { ms } | Kind::Stale { ms } => (None, None, Some(ms)),
            Kind::LostReply | Kind::Duplicate | Kind::Reorder | Kind::Drop => (None, None, None),
        };
        Self { on: on.0, kind: name, code, status, ms, times, for_ms }
    }
}

//! Injected faults: what is to go wrong, where, and how often.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::journal::Happening;
use crate::wire::ApiError;

/// The pseudo operation that stands for a rule handing an event to its target.
pub const DELIVERY: &str = "events:deliver";

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
        if fits && self.on.contains(':') {
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
        let place = match self.on.strip_suffix('*') {
            Some(prefix) => operation.starts_with(prefix),
            None => operation == self.on,
        };
        place && self.left != Some(0) && self.until.is_none_or(|until| now < until)
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

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    active: Vec<Active>,
    /// What there is to tell since the last drain.
    pub journal: Vec<Happening>,
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
                .push(Happening::Fault { on: operation.to_owned(), kind: fault.name.clone() });
        }
        self.active
            .retain(|fault| fault.left != Some(0) && fault.until.is_none_or(|until| now < until));
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> FaultSpec {
        serde_json::from_str(text).expect("a fault")
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("in range")
    }

    #[test]
    fn an_error_hits_its_operation_as_often_as_it_says() {
        let mut faults = Faults::default();
        let fault = spec(
            r#"{"on":"ec2:AssignPrivateIpAddresses","kind":"error","code":"RequestLimitExceeded","status":503,"times":2}"#,
        );
        faults.add(&[fault], at(0)).expect("fits");
        assert_eq!(faults.take("ec2:DescribeTags", at(1)), Hit::default());
        for _ in 0..2 {
            let error = faults.take("ec2:AssignPrivateIpAddresses", at(1)).error.expect("hits");
            assert_eq!((error.code.as_ref(), error.status), ("RequestLimitExceeded", 503));
        }
        assert_eq!(faults.take("ec2:AssignPrivateIpAddresses", at(1)), Hit::default());
        assert_eq!(faults.journal.len(), 2);
    }

    #[test]
    fn a_fault_with_a_time_ends_by_itself_and_a_star_takes_every_operation() {
        let mut faults = Faults::default();
        let fault = spec(r#"{"on":"ec2:*","kind":"stale","ms":3000,"for_ms":1000}"#);
        faults.add(&[fault], at(0)).expect("fits");
        assert_eq!(faults.take("ec2:DescribeTags", at(999)).stale, SignedDuration::from_secs(3));
        assert_eq!(faults.take("ec2:DescribeTags", at(1000)), Hit::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_nothing_added() {
        let good = spec(r#"{"on":"ec2:*","kind":"lost-reply"}"#);
        for (text, wanted) in [
            (r#"{"on":"ec2:*","kind":"eror"}"#, "is not one of"),
            (r#"{"on":"ec2:*","kind":"error"}"#, "needs `code`"),
            (r#"{"on":"ec2:*","kind":"delay"}"#, "needs `ms`"),
            (r#"{"on":"ec2:*","kind":"drop"}"#, "cannot be on `ec2:*`"),
            (r#"{"on":"events:deliver","kind":"lost-reply"}"#, "cannot be on"),
            (r#"{"on":"cloudwatch:DescribeAlarms","kind":"stale","ms":1}"#, "cannot be on"),
        ] {
            let mut faults = Faults::default();
            let error = faults.add(&[good.clone(), spec(text)], at(0)).expect_err(text);
            assert!(error.to_string().contains(wanted), "{text}: {error}");
            assert_eq!(faults.take("ec2:DescribeTags", at(0)), Hit::default());
        }
    }

    #[test]
    fn faults_on_one_operation_add_up() {
        let mut faults = Faults::default();
        let specs = [
            spec(r#"{"on":"events:deliver","kind":"delay","ms":50}"#),
            spec(r#"{"on":"events:deliver","kind":"duplicate","times":1}"#),
        ];
        faults.add(&specs, at(0)).expect("fits");
        let hit = faults.take(DELIVERY, at(0));
        assert!(hit.duplicate && hit.delay == SignedDuration::from_millis(50));
        assert!(!faults.take(DELIVERY, at(0)).duplicate);
        faults.clear();
        assert_eq!(faults.take(DELIVERY, at(0)), Hit::default());
    }
}

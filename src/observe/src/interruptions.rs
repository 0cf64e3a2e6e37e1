//! What AWS announces of this instance, by its metadata: that its end is near.
//!
//! Sans-I/O. An answer that there is nothing ends what was announced; what cannot be read changes
//! nothing, and is told once.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::ports::MetadataError;

/// From one look to the next; AWS itself recommends it for spot instances.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long before scheduled maintenance a node leaves: AWS may begin a little early, and a VIP is
/// not to be kept away for hours.
const AHEAD: Duration = Duration::from_mins(5);

/// Something that AWS announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The spot instance is interrupted in two minutes.
    Spot,
    /// The spot instance is at elevated risk of that.
    Rebalance,
    /// The host is rebooted, stopped or retired at some time.
    Maintenance,
    /// The Auto Scaling group takes the instance out.
    AutoScaling,
}

impl Notice {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::Spot, Self::Rebalance, Self::Maintenance, Self::AutoScaling];

    /// Where it is announced, below `meta-data/`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Spot => "spot/instance-action",
            Self::Rebalance => "events/recommendations/rebalance",
            Self::Maintenance => "events/maintenance/scheduled",
            Self::AutoScaling => "autoscaling/target-lifecycle-state",
        }
    }

    /// What the text at its path announces.
    fn read(self, text: &str) -> Result<Vec<Warning>, serde_json::Error> {
        let at_once = |reason: String| vec![Warning { from: Timestamp::MIN, until: None, reason }];
        Ok(match self {
            Self::Spot => {
                let Spot { action, time } = serde_json::from_str(text)?;
                at_once(format!("spot interruption: {action} at {time}"))
            }
            Self::Rebalance => {
                let Rebalance { notice_time } = serde_json::from_str(text)?;
                at_once(format!("rebalance recommendation of {notice_time}"))
            }
            Self::Maintenance => {
                let events: Vec<Maintenance> = serde_json::from_str(text)?;
                events.iter().filter_map(Maintenance::warning).collect()
            }
            Self::AutoScaling => {
                let state = text.trim();
                let ends =
                    ["Terminated", "Stopped", "Hibernated"].iter().any(|s| state.ends_with(s));
                if ends { at_once(format!("Auto Scaling: {state}")) } else { Vec::new() }
            }
        })
    }
}

#[derive(Deserialize)]
struct Spot {
    action: String,
    time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rebalance {
    notice_time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Maintenance {
    code: String,
    not_before: String,
    not_after: Option<String>,
    state: Option<String>,
}

impl Maintenance {
    fn warning(&self) -> Option<Warning> {
        if self.state.as_ref().is_some_and(|state| state != "active") {
            return None;
        }
        let from = moment(&self.not_before)?.checked_sub(AHEAD).ok()?;
        let until = self.not_after.as_deref().and_then(moment);
        let reason = format!("scheduled maintenance: {} from {}", self.code, self.not_before);
        Some(Warning { from, until, reason })
    }
}

/// A time such as `21 Jan 2019 09:00:43 GMT`.
fn moment(text: &str) -> Option<Timestamp> {
    let local = DateTime::strptime("%d %b %Y %H:%M:%S GMT", text).ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Warning {
    from: Timestamp,
    until: Option<Timestamp>,
    reason: String,
}

/// What is announced, and when to look again.
#[derive(Debug, Clone)]
pub struct Notices {
    next: Timestamp,
    warnings: BTreeMap<Notice, Vec<Warning>>,
    /// What could not be read or understood when last looked at.
    unread: BTreeMap<Notice, String>,
}

impl Notices {
    /// Nothing is known, and the first look is due now.
    pub fn new(now: Timestamp) -> Self {
        Self { next: now, warnings: BTreeMap::new(), unread: BTreeMap::new() }
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(self.next)
    }

    /// The notices to look at now. The caller then calls [`Self::done`] for each that was looked
    /// at.
    pub fn poll(&mut self, now: Timestamp) -> Option<[Notice; 4]> {
        (self.next <= now).then(|| {
            self.next = now + INTERVAL;
            Notice::ALL
        })
    }

    /// What was found at a notice's path; the fault to log, the first time that it is met.
    pub fn done(
        &mut self,
        notice: Notice,
        answer: &Result<Option<String>, MetadataError>,
    ) -> Option<String> {
        let understood = match answer {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(text)) => notice.read(text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match understood {
            Ok(warnings) => {
                self.unread.remove(&notice);
                self.warnings.insert(notice, warnings);
                None
            }
            Err(fault) => {
                let known = self.unread.insert(notice, fault.clone());
                known.is_none().then_some(fault)
            }
        }
    }

    /// Why this instance should be left by now, if it should.
    pub fn reason(&self, now: Timestamp) -> Option<&str> {
        let holds = |warning: &&Warning| {
            warning.from <= now && warning.until.is_none_or(|until| now < until)
        };
        self.warnings.values().flatten().find(holds).map(|warning| warning.reason.as_str())
    }
}

#[cfg(test)]
mod tests;

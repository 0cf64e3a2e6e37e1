//! Rules: which events or which times go to which targets.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde_json::Value;

use super::pattern::{Pattern, PatternError};
use crate::cloudwatch::{Properties, PropertyError};

/// A rule as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpec {
    /// Its name, unique on the bus.
    pub name: String,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// The events it takes, if it takes events.
    pub pattern: Option<Pattern>,
    /// The times at which it makes an event of its own, if it does.
    pub schedule: Option<Rate>,
    /// Whether it does anything at all.
    pub enabled: bool,
    /// Where it sends them.
    pub targets: Vec<Target>,
}

/// Where a rule sends its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name within the rule.
    pub id: String,
    /// What it is.
    pub arn: String,
}

/// Why a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A property is missing or wrong.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// The pattern is unsound.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The schedule cannot be read.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// It would never do anything.
    #[error("a rule needs an event pattern or a schedule")]
    Empty,
}

impl RuleSpec {
    /// A rule from the properties of an `AWS::Events::Rule`, whose intrinsic functions are
    /// resolved; `Name`, where there is one, wins over `name`.
    pub fn from_cfn(name: &str, properties: &Value) -> Result<Self, RuleError> {
        let root = Properties::root(properties);
        let pattern = root.value("EventPattern").map(Pattern::parse).transpose()?;
        let name = root.text("Name")?.unwrap_or_else(|| name.to_owned());
        Self::from_properties(name, pattern, &root)
    }

    /// A rule from properties that `CloudFormation` and `PutRule` share; only `PutRule` has its
    /// pattern in a text.
    pub fn from_properties(
        name: String,
        pattern: Option<Pattern>,
        properties: &Properties<'_>,
    ) -> Result<Self, RuleError> {
        let schedule =
            properties.text("ScheduleExpression")?.map(|text| text.parse()).transpose()?;
        if pattern.is_none() && schedule.is_none() {
            return Err(RuleError::Empty);
        }
        let enabled = match properties.text("State")?.as_deref() {
            None | Some("ENABLED") => true,
            Some("DISABLED") => false,
            Some(_) => return Err(properties.invalid("State", "ENABLED or DISABLED").into()),
        };
        Ok(Self {
            name,
            description: properties.text("Description")?,
            pattern,
            schedule,
            enabled,
            targets: targets(properties)?,
        })
    }
}

/// The targets in a list of them; none when there is no list.
pub fn targets(properties: &Properties<'_>) -> Result<Vec<Target>, PropertyError> {
    properties
        .structures("Targets")?
        .iter()
        .map(|target| Ok(Target { id: target.needed_text("Id")?, arn: target.needed_text("Arn")? }))
        .collect()
}

/// A schedule `rate(value unit)`: an event every so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub SignedDuration);

/// A schedule that this region cannot keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schedule `{0}` is not `rate(value unit)` with minutes, hours or days")]
pub struct ScheduleError(pub String);

impl FromStr for Rate {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_rate(text).ok_or_else(|| ScheduleError(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_mins();
        let (value, unit) = match minutes {
            _ if minutes % (24 * 60) == 0 => (minutes / (24 * 60), "day"),
            _ if minutes % 60 == 0 => (minutes / 60, "hour"),
            _ => (minutes, "minute"),
        };
        let plural = if value == 1 { "" } else { "s" };
        write!(f, "rate({value} {unit}{plural})")
    }
}

fn read_rate(text: &str) -> Option<Rate> {
    let inner = text.strip_prefix("rate(")?.strip_suffix(')')?;
    let (value, unit) = inner.split_once(' ')?;
    let value: i64 = value.parse::<u32>().ok()?.into();
    let minutes = match (value, unit) {
        (1, "minute") | (2.., "minutes") => value,
        (1, "hour") | (2.., "hours") => value * 60,
        (1, "day") | (2.., "days") => value * 24 * 60,
        _ => return None,
    };
    Some(Rate(SignedDuration::from_mins(minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rates_read_as_aws_writes_them() {
        for (text, minutes) in [
            ("rate(1 minute)", Some(1)),
            ("rate(5 minutes)", Some(5)),
            ("rate(2 hours)", Some(120)),
            ("rate(1 day)", Some(1440)),
            ("rate(1 minutes)", None),
            ("rate(0 minutes)", None),
            ("rate(5 minute)", None),
            ("rate(5 seconds)", None),
            ("cron(0 12 * * ? *)", None),
        ] {
            let expected = minutes.map(|minutes| Rate(SignedDuration::from_mins(minutes)));
            assert_eq!(text.parse().ok(), expected, "{text}");
            assert_eq!(expected.map(|rate| rate.to_string()).as_deref(), minutes.map(|_| text));
        }
    }

    #[test]
    fn the_rule_of_a_template_is_read() {
        let spec = RuleSpec::from_cfn(
            "Alarms",
            &json!({
                "EventPattern": {"source": ["aws.cloudwatch"]}, "State": "ENABLED",
                "Targets": [{"Id": "F", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"}],
            }),
        )
        .expect("well formed");
        assert_eq!((spec.name.as_str(), spec.enabled, spec.targets.len()), ("Alarms", true, 1));
        assert!(spec.pattern.is_some() && spec.schedule.is_none());
    }

    #[test]
    fn a_wrong_rule_says_why() {
        for (properties, wanted) in [
            (json!({}), "needs an event pattern"),
            (json!({"ScheduleExpression": "cron(x)"}), "cron(x)"),
            (json!({"EventPattern": {"source": "x"}}), "`source`"),
            (json!({"ScheduleExpression": "rate(1 day)", "State": "OFF"}), "State"),
            (
                json!({"ScheduleExpression": "rate(1 day)", "Targets": [{"Id": "x"}]}),
                "Targets.member.1.Arn",
            ),
        ] {
            let error = RuleSpec::from_cfn("r", &properties).expect_err(wanted).to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}

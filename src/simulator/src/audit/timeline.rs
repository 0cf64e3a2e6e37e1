//! What happened, line by line, for people.

use std::fmt;
use std::time::Duration;

use vipward_core::NodeName;

/// Whom a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'w> {
    /// A fault begins.
    Fault,
    /// A fault is over.
    Over,
    Ec2,
    Alarm,
    Agent(&'w str),
    /// The alias unit of that node.
    Unit(&'w NodeName),
    Function,
    /// Whoever listens to the function's events.
    People,
    Auditor,
}

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::Fault => "fault",
            Self::Over => "over",
            Self::Ec2 => "EC2",
            Self::Alarm => "alarm",
            Self::Agent(name) => return write!(f, "agent {name}"),
            Self::Unit(name) => return write!(f, "alias {name}"),
            Self::Function => "function",
            Self::People => "people",
            Self::Auditor => "AUDITOR",
        };
        f.write_str(plain)
    }
}

/// The lines, if somebody wants them.
#[derive(Debug, Default)]
pub struct Timeline {
    lines: Option<Vec<String>>,
}

impl Timeline {
    /// One that is kept, or one that is not.
    pub fn new(kept: bool) -> Self {
        Self { lines: kept.then(Vec::new) }
    }

    /// Tells what happened then: minutes, seconds, whose affair, what.
    pub fn tell(&mut self, at: Duration, who: Who<'_>, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let (minutes, seconds) = (at.as_secs() / 60, at.as_secs() % 60);
            let (millis, who) = (at.subsec_millis(), who.to_string());
            lines.push(format!("{minutes:4}:{seconds:02}.{millis:03}  {who:<10}  {}", what()));
        }
    }

    /// All lines so far.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}

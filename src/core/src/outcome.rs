//! What a probe of a service came to.

use std::time::Duration;

/// Longest cause, in characters: it travels in events and log lines.
const LONGEST_CAUSE: usize = 200;

/// What a probe came to.
pub type Outcome = Result<Pass, ProbeFailure>;

/// The service answered as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Its place in replication, where the protocol knows it.
    pub role: Option<Replication>,
    /// How it follows its primary, where it follows one and the protocol knows it.
    pub lag: Option<Lag>,
}

impl Pass {
    /// Of a service without replication, or whose protocol does not know of it.
    pub const PLAIN: Self = Self { role: None, lag: None };
}

/// A service's place in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Takes writes.
    Primary,
    /// Follows a primary, or is read-only.
    Replica,
}

/// How a service follows its primary; the greater, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lag {
    /// It has what its primary had that long ago.
    Behind(Duration),
    /// It would follow, but has no link to its primary. So does every replica of a primary that
    /// died: what it was behind before is what counts, not this.
    Severed,
    /// It does not follow: replication is stopped, broken, or was never set up.
    NotReplicating,
}

/// Why a probe did not pass, with a cause for people: one line of at most 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFailure {
    /// The service answered wrongly, refused or hung up: it is not well.
    #[error("{0}")]
    Failed(String),
    /// It did not answer in time: as bad as a failure.
    #[error("{0}")]
    TimedOut(String),
    /// The probe itself cannot judge (wrong password, unreadable file, no free descriptor): says
    /// nothing about the service.
    #[error("{0}")]
    Inconclusive(String),
}

impl ProbeFailure {
    /// The service is not well, for that cause.
    pub fn failed(cause: impl AsRef<str>) -> Self {
        Self::Failed(one_line(cause.as_ref()))
    }

    /// It did not answer in time.
    pub fn timed_out(cause: impl AsRef<str>) -> Self {
        Self::TimedOut(one_line(cause.as_ref()))
    }

    /// The probe cannot judge.
    pub fn inconclusive(cause: impl AsRef<str>) -> Self {
        Self::Inconclusive(one_line(cause.as_ref()))
    }

    /// Whether it leaves the service's health open.
    pub fn is_inconclusive(&self) -> bool {
        matches!(self, Self::Inconclusive(_))
    }
}

/// A peer writes part of the text, so it may neither break lines nor fill the log.
fn one_line(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = clean.take(LONGEST_CAUSE + 1).collect();
    if line.chars().count() > LONGEST_CAUSE {
        line = line.chars().take(LONGEST_CAUSE - 1).collect();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_one_bounded_line_whatever_the_peer_wrote() {
        assert_eq!(ProbeFailure::failed("a\r\nb\u{1b}[31m").to_string(), "a  b [31m");
        let long = ProbeFailure::failed("é".repeat(5000)).to_string();
        assert_eq!(long.chars().count(), LONGEST_CAUSE);
        assert!(long.ends_with('…'));
        assert_eq!(
            ProbeFailure::failed("é".repeat(LONGEST_CAUSE)).to_string(),
            "é".repeat(LONGEST_CAUSE)
        );
    }
}

//! Nodes that operators have taken out of candidacy: one tag on the node's ENI, for a limited time,
//! with who did it and why.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use crate::name::ClusterName;

/// Longest owner and longest reason, in characters: with the time they fit a tag's value (256).
const LONGEST_OWNER: usize = 64;
const LONGEST_REASON: usize = 128;

/// A node holds no VIP until then, if another can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drain {
    /// Until when, to the second.
    pub until: Timestamp,
    /// Who drained it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

impl Drain {
    /// A drain by `owner` for `reason`; what of the words EC2 takes in no tag, or would not fit, is
    /// left out.
    pub fn new(until: Timestamp, owner: &str, reason: &str) -> Self {
        let owner = tag_words(owner, LONGEST_OWNER);
        Self { until, owner, reason: tag_words(reason, LONGEST_REASON) }
    }

    /// The key of the tag. No service can have a name that makes its ledger's key the same.
    pub fn tag_key(cluster: &ClusterName) -> String {
        format!("vipward:{cluster}:node:drain")
    }

    /// Whether it still holds.
    pub fn lasts(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Letters, digits, spaces and what else every tag may have.
fn tag_words(text: &str, longest: usize) -> String {
    let fits = |c: &char| c.is_alphanumeric() || " _.:/=+-@".contains(*c);
    text.chars().filter(fits).take(longest).collect()
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { until, owner, reason } = self;
        // The owner's own spaces would end it.
        let owner = owner.replace(' ', "_");
        write!(f, "until={} by={owner} why={reason}", until.as_second())
    }
}

/// The tag's text is not a drain's: somebody else wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a drain")]
pub struct NotADrain(String);

impl FromStr for Drain {
    type Err = NotADrain;

    fn from_str(text: &str) -> Result<Self, NotADrain> {
        let read = || {
            let (until, rest) = text.strip_prefix("until=")?.split_once(" by=")?;
            let (owner, reason) = rest.split_once(" why=")?;
            let until = Timestamp::from_second(until.parse().ok()?).ok()?;
            Some(Self { until, owner: owner.to_owned(), reason: reason.to_owned() })
        };
        read().ok_or_else(|| NotADrain(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("within range")
    }

    #[test]
    fn a_drain_survives_its_tag_and_fits_it() {
        for (owner, reason) in
            [("anna", "kernel update"), ("a b", "x why=y"), ("", ""), ("é\n", &"long ".repeat(99))]
        {
            let drain = Drain::new(at(60), owner, reason);
            let text = drain.to_string();
            assert!(text.chars().count() <= 256, "{text}");
            let read: Drain = text.parse().expect("it is one");
            assert_eq!((read.until, read.reason), (drain.until, drain.reason), "{text}");
        }
    }

    #[test]
    fn what_a_tag_cannot_hold_is_left_out_of_the_words_and_the_rest_kept() {
        let drain = Drain::new(at(60), "anna@ops\n", "kernel: 6.1 (sécurité)!");
        assert_eq!(
            (drain.owner.as_str(), drain.reason.as_str()),
            ("anna@ops", "kernel: 6.1 sécurité")
        );
        let long = Drain::new(at(60), &"o".repeat(65), &"r".repeat(129));
        assert_eq!((long.owner.len(), long.reason.len()), (64, 128));
    }

    #[test]
    fn it_lasts_until_its_time() {
        let drain = Drain::new(at(60), "anna", "");
        assert!(drain.lasts(at(59)) && !drain.lasts(at(60)));
    }

    #[test]
    fn text_of_others_is_not_a_drain() {
        for text in ["", "until=1", "until=x by=a why=b", "by=a why=b", "until=1 by=a"] {
            assert!(text.parse::<Drain>().is_err(), "{text}");
        }
    }
}

//! Whether this host's clock agrees with AWS's, by the `Date` of its answers. Verdicts don't depend
//! on it, but AWS refuses requests signed minutes off, so people should hear of it before that.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_cloudwatch::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_cloudwatch::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatch::error::BoxError;
use jiff::{SignedDuration, Timestamp};

use crate::clock::wall;

/// Far more than an answer takes, far less than what signatures bear (five minutes).
const TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// Reads the date of each answer.
#[derive(Debug, Default)]
pub(super) struct DateCheck {
    /// Said once, and again only after the clocks agreed in between.
    said: AtomicBool,
}

impl DateCheck {
    /// By how much the host's clock is ahead, when that is news.
    fn news(&self, theirs: &str, ours: Timestamp) -> Option<SignedDuration> {
        let theirs = jiff::fmt::rfc2822::parse(theirs).ok()?.timestamp();
        let ahead = ours.duration_since(theirs);
        let off = ahead.abs() > TOLERANCE;
        let said = self.said.swap(off, Ordering::Relaxed);
        (off && !said).then_some(ahead)
    }
}

impl Intercept for DateCheck {
    fn name(&self) -> &'static str {
        "DateCheck"
    }

    fn read_before_deserialization(
        &self,
        answer: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = answer.response().headers().get("date");
        if let Some(ahead) = date.and_then(|date| self.news(date, wall())) {
            tracing::warn!(ahead_s = ahead.as_secs(), "host clock differs from AWS's");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_once_until_it_is_right_again() {
        let check = DateCheck::default();
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let theirs: Timestamp = "1994-11-06T08:49:37Z".parse().expect("a time");
        for (ahead, told) in [
            (0, false),
            (30, false),
            (31, true),
            (60, false),
            (-5, false),
            (-31, true),
            (-400, false),
        ] {
            let ahead = SignedDuration::from_secs(ahead);
            assert_eq!(check.news(date, theirs + ahead), told.then_some(ahead), "{ahead}");
        }
        assert_eq!(check.news("yesterday", theirs), None, "a date that is none says nothing");
    }
}

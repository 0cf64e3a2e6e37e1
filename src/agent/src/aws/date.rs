//! The `Date` of AWS's answers: what the time is there, and whether this host's clock agrees. AWS
//! refuses requests signed minutes off, so people should hear of it before that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudwatch::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_cloudwatch::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatch::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use jiff::{SignedDuration, Timestamp};
use vipward_observe::aws_time::AwsTime;

use crate::host::clock::{Clock, wall};

/// Far more than an answer takes, far less than what signatures bear (five minutes).
const TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// Reads the date of each answer. Clones share what they read.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    clock: Clock,
    time: Arc<Mutex<AwsTime>>,
    /// Said once, and again only after the clocks agreed in between.
    said: Arc<AtomicBool>,
}

/// When an attempt was sent.
#[derive(Debug)]
struct Sent(Timestamp);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Dates {
    pub(super) fn new() -> Self {
        Self { clock: Clock::start(), time: Arc::default(), said: Arc::default() }
    }

    /// The present moment by the clock that [`Self::time`] goes by.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is known of AWS's clock so far.
    pub(super) fn time(&self) -> AwsTime {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how much the host's clock is ahead, when that is news.
    fn news(&self, theirs: Timestamp, ours: Timestamp) -> Option<SignedDuration> {
        let ahead = ours.duration_since(theirs);
        let off = ahead.abs() > TOLERANCE;
        let said = self.said.swap(off, Ordering::Relaxed);
        (off && !said).then_some(ahead)
    }
}

/// What a header says; one that is no date says nothing.
fn moment(date: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
}

impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "Dates"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Sent(self.now()));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        answer: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(date) = answer.response().headers().get("date").and_then(moment) else {
            return Ok(());
        };
        if let Some(Sent(sent)) = bag.load::<Sent>() {
            let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
            time.on_answer(date, *sent, self.now());
        }
        if let Some(ahead) = self.news(date, wall()) {
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
        let dates = Dates::new();
        let theirs = moment("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
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
            assert_eq!(dates.news(theirs, theirs + ahead), told.then_some(ahead), "{ahead}");
        }
        assert_eq!(moment("yesterday"), None);
    }
}

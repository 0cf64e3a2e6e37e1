//! EC2's request limits: a bucket of tokens for each class of calls, refilled every moment.
//!
//! The figures are those of EC2's documentation, per account and region.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ApiError;

/// Calls that share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Assign and unassign of IPv4 addresses, one bucket each.
    Assign,
    /// See [`Class::Assign`].
    Unassign,
    /// Other changes.
    Mutating,
    /// Describe calls with a filter, an id or a page size.
    Describe,
    /// Describe calls for everything at once.
    DescribeAll,
}

impl Class {
    /// How many calls may come at once, and how many more each second.
    fn limits(self) -> (f64, f64) {
        match self {
            Self::Assign | Self::Unassign => (100.0, 5.0),
            Self::Mutating => (50.0, 5.0),
            Self::Describe => (100.0, 20.0),
            Self::DescribeAll => (50.0, 10.0),
        }
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// The buckets of one account in one region.
#[derive(Debug, Default)]
pub struct Throttle(BTreeMap<Class, Bucket>);

impl Throttle {
    /// Takes a token for one call, or refuses it.
    pub fn admit(&mut self, class: Class, now: Timestamp) -> Result<(), ApiError> {
        let (burst, refill) = class.limits();
        let bucket = self.0.entry(class).or_insert(Bucket { tokens: burst, at: now });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * refill).min(burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return Err(ApiError::new("RequestLimitExceeded", 503, "Request limit exceeded."));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(throttle: &mut Throttle, class: Class, at: i64) -> usize {
        let now = Timestamp::from_second(at).expect("in range");
        (0..1000).filter(|_| throttle.admit(class, now).is_ok()).count()
    }

    #[test]
    fn each_class_has_its_burst_and_its_refill() {
        let mut throttle = Throttle::default();
        for (class, burst, refill) in [
            (Class::Assign, 100, 5),
            (Class::Unassign, 100, 5),
            (Class::Mutating, 50, 5),
            (Class::Describe, 100, 20),
            (Class::DescribeAll, 50, 10),
        ] {
            assert_eq!(admitted(&mut throttle, class, 0), burst, "{class:?}");
            assert_eq!(admitted(&mut throttle, class, 1), refill, "{class:?}");
            assert_eq!(admitted(&mut throttle, class, 1000), burst, "{class:?}");
        }
    }

    #[test]
    fn a_refusal_is_awss() {
        let mut throttle = Throttle::default();
        admitted(&mut throttle, Class::Assign, 0);
        let error = throttle.admit(Class::Assign, Timestamp::UNIX_EPOCH).expect_err("empty");
        assert_eq!((error.code.as_ref(), error.status), ("RequestLimitExceeded", 503));
    }
}

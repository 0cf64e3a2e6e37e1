//! What the last probes of a target saw besides whether it is well: how long one took, why it did
//! not pass, and the service's place in replication.

use std::time::Duration;

use vipward_core::hint::NOT_REPLICATING;
use vipward_core::outcome::{Lag, Outcome, Pass, Replication};

/// What the last probes of one target saw; at first nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastSeen {
    took: Option<Duration>,
    cause: Option<String>,
    primary: Option<bool>,
    lag: Option<Duration>,
}

impl LastSeen {
    /// A probe has ended, after that long.
    pub fn on_probe(&mut self, outcome: &Outcome, took: Duration) {
        self.took = Some(took);
        self.cause = outcome.as_ref().err().map(ToString::to_string);
        if let Ok(pass) = outcome {
            self.primary = pass.role.map(|role| role == Replication::Primary);
            self.lag = self.lag_after(pass);
        }
    }

    fn lag_after(&self, pass: &Pass) -> Option<Duration> {
        match (pass.role, pass.lag) {
            (Some(Replication::Primary), _) => Some(Duration::ZERO),
            (_, Some(Lag::Behind(lag))) => Some(lag),
            // Every replica of a primary that died has lost it: what it was behind before counts.
            (_, Some(Lag::Severed)) => self.lag.or(Some(NOT_REPLICATING)),
            (_, Some(Lag::NotReplicating)) => Some(NOT_REPLICATING),
            (_, None) => self.lag,
        }
    }

    /// In microseconds, how long the last probe took; `None` before the first has ended.
    pub fn micros(&self) -> Option<u64> {
        self.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
    }

    /// Why the last probe did not pass.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Whether the target is a primary, as the last passing probe saw it.
    pub fn primary(&self) -> Option<bool> {
        self.primary
    }

    /// How far the target is behind its primary, as far as passing probes have seen.
    pub fn lag(&self) -> Option<Duration> {
        self.lag
    }
}

#[cfg(test)]
mod tests {
    use vipward_core::outcome::ProbeFailure;

    use super::*;

    const TOOK: Duration = Duration::from_micros(1_500);

    fn after(passes: &[(Option<Replication>, Option<Lag>)]) -> LastSeen {
        let mut seen = LastSeen::default();
        for (role, lag) in passes {
            seen.on_probe(&Ok(Pass { role: *role, lag: *lag }), TOOK);
        }
        seen
    }

    #[test]
    fn the_lag_is_what_probes_saw_and_outlives_the_primary() {
        let behind =
            |seconds| (Some(Replication::Replica), Some(Lag::Behind(Duration::from_secs(seconds))));
        let severed = (Some(Replication::Replica), Some(Lag::Severed));
        let stopped = (Some(Replication::Replica), Some(Lag::NotReplicating));
        let primary = (Some(Replication::Primary), None);
        assert_eq!(after(&[]).lag(), None);
        assert_eq!(after(&[(None, None)]).lag(), None);
        assert_eq!(after(&[primary]).lag(), Some(Duration::ZERO));
        assert_eq!(after(&[behind(3), behind(5)]).lag(), Some(Duration::from_secs(5)));
        assert_eq!(after(&[behind(3), severed]).lag(), Some(Duration::from_secs(3)));
        assert_eq!(after(&[severed]).lag(), Some(NOT_REPLICATING));
        assert_eq!(after(&[behind(3), stopped]).lag(), Some(NOT_REPLICATING));
    }

    #[test]
    fn the_role_is_what_the_last_passing_probe_saw() {
        let (primary, replica) = (Some(Replication::Primary), Some(Replication::Replica));
        assert_eq!(after(&[]).primary(), None);
        assert_eq!(after(&[(primary, None)]).primary(), Some(true));
        assert_eq!(after(&[(primary, None), (replica, None)]).primary(), Some(false));
        let router = after(&[(primary, None), (None, None)]);
        assert_eq!(router.primary(), None, "it is a router now");
    }

    #[test]
    fn a_probe_that_does_not_pass_says_why_and_nothing_of_replication() {
        let mut seen = after(&[(Some(Replication::Primary), None)]);
        assert_eq!((seen.micros(), seen.cause()), (Some(1_500), None));
        seen.on_probe(&Err(ProbeFailure::failed("refused")), TOOK * 2);
        assert_eq!((seen.micros(), seen.cause()), (Some(3_000), Some("refused")));
        assert_eq!((seen.primary(), seen.lag()), (Some(true), Some(Duration::ZERO)));
    }
}

//! What agents could say of what they saw, and when it was known.

use std::time::Duration;

use vipward_core::Config;
use vipward_core::config::Check;

use crate::history::fault::What;
use crate::history::truth::Truth;

/// A verdict is sent within a second of the last report, is there after a trip, and is to be read
/// half a second later.
const TOLD: Duration = Duration::from_secs(2);
/// An agent that begins anew, or whose reports were lost, has said all by then: a host boots in
/// 20 s, and each publish interval brings everything.
const FINDS_ITS_VOICE: Duration = Duration::from_secs(30);
/// Events that are late lie in a queue, too.
const QUEUED: Duration = Duration::from_mins(1);

/// So long after a change agents have noticed it: as many probes as a verdict takes, the last of which
/// may run into its time-out.
fn noticed(check: &Check) -> Duration {
    check.interval * check.rise.max(check.fall) + check.timeout
}

/// So long after a change everybody can know of it whom agents can tell.
pub fn known(config: &Config, service: &str) -> Duration {
    let check = config.services.iter().find(|of| of.name.as_str() == service).map(|of| &of.check);
    check.map(noticed).unwrap_or_default() + TOLD
}

impl Truth {
    /// Whether the host's agent could say in that time how its service was.
    pub fn could_speak(&self, host: &str, service: &str, (from, to): (Duration, Duration)) -> bool {
        !self.all().any(|fault| {
            silenced(&fault.what, host, service)
                .is_some_and(|after| fault.meets(from.saturating_sub(after), to))
        })
    }
}

/// Whether it keeps the agent from speaking of the service, or others from hearing it; and for how
/// long when it is over.
fn silenced(what: &What, on: &str, of: &str) -> Option<Duration> {
    let late = |ms: u64| Duration::from_millis(ms);
    match what {
        What::HostCrash { host }
        | What::HostStall { host }
        | What::AgentCrash { host }
        | What::OtherFile { host }
        | What::NoAws { host }
        | What::InstanceStopped { node: host } => (host == on).then_some(FINDS_ITS_VOICE),
        What::ProbeError { host, service } => {
            (host == on && service == of).then_some(FINDS_ITS_VOICE)
        }
        What::MetricsLost => Some(FINDS_ITS_VOICE),
        What::MetricsLate { ms } => Some(late(*ms) + FINDS_ITS_VOICE),
        What::Aws { fault } if fault.on.starts_with("cloudwatch:") => {
            Some(late(fault.ms.unwrap_or(0).into()) + FINDS_ITS_VOICE)
        }
        What::Aws { fault } if fault.on.starts_with("events:") => {
            Some(late(fault.ms.unwrap_or(0).into()) + QUEUED)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fault::Fault;

    #[test]
    fn who_was_silenced_finds_its_voice_again() {
        let second = Duration::from_secs(1);
        let what = What::AgentCrash { host: "a".to_owned() };
        let truth = Truth::of(&[Fault { at_ms: 100_000, for_ms: 10_000, what }]);
        let could =
            |host: &str, from, to| truth.could_speak(host, "svc", (second * from, second * to));
        assert!(could("a", 90, 99) && !could("a", 90, 100) && !could("a", 139, 150));
        assert!(could("a", 140, 150) && could("b", 90, 110));
    }
}

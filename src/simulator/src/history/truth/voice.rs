//! What agents could say of what they saw, and when it was known.

use std::time::Duration;

use vipward_core::config::Check;
use vipward_core::{Config, NodeName, ServiceName};

use crate::history::fault::FaultKind;
use crate::history::truth::Truth;

/// A verdict is sent within a second of the last report, is there after a trip, and is to be read
/// half a second later.
const TOLD: Duration = Duration::from_secs(2);
/// An agent that begins anew, or whose reports were lost, has said all by then: a host boots in
/// 20 s, and each publish interval brings everything.
const FINDS_ITS_VOICE: Duration = Duration::from_secs(30);
/// Events that are late lie in a queue, too.
const QUEUED: Duration = Duration::from_mins(1);

/// So long after a change agents have noticed it: as many probes as a verdict takes, the last of
/// which may run into its time-out.
fn noticed(check: &Check) -> Duration {
    check.interval * check.rise.max(check.fall) + check.timeout
}

/// So long after a change everybody can know of it whom agents can tell.
pub fn known(config: &Config, service: &ServiceName) -> Duration {
    let check = config.service(service).map(|service| &service.check);
    check.map(noticed).unwrap_or_default() + TOLD
}

impl Truth {
    /// Whether the host's agent speaks of the service then, whoever hears it.
    pub fn speaks(&self, host: &NodeName, service: &ServiceName, at: Duration) -> bool {
        !self.lasting(at).any(|fault| mutes(&fault.what, host, service))
    }

    /// Whether the host's agent could say in that time how its service was.
    pub fn could_speak(
        &self,
        host: &NodeName,
        service: &ServiceName,
        (from, to): (Duration, Duration),
    ) -> bool {
        !self.all().any(|fault| {
            silenced(&fault.what, host, service)
                .is_some_and(|after| fault.meets(from.saturating_sub(after), to))
        })
    }
}

/// Whether it keeps the agent from speaking of the service.
fn mutes(what: &FaultKind, on: &NodeName, of: &ServiceName) -> bool {
    match what {
        FaultKind::HostCrash { host }
        | FaultKind::HostStall { host }
        | FaultKind::AgentCrash { host }
        | FaultKind::OtherFile { host }
        | FaultKind::NoAws { host }
        | FaultKind::InstanceStopped { node: host } => host == on,
        FaultKind::ProbeError { host, service } => host == on && service == of,
        _ => false,
    }
}

/// Whether it keeps the agent from speaking of the service, or others from hearing it; and for how
/// long when it is over.
fn silenced(what: &FaultKind, on: &NodeName, of: &ServiceName) -> Option<Duration> {
    let late = |ms: u64| Duration::from_millis(ms);
    match what {
        _ if mutes(what, on, of) => Some(FINDS_ITS_VOICE),
        FaultKind::MetricsLost => Some(FINDS_ITS_VOICE),
        FaultKind::MetricsLate { ms } => Some(late(*ms) + FINDS_ITS_VOICE),
        FaultKind::Aws { fault } => {
            let until = match fault.on().service() {
                "cloudwatch" => FINDS_ITS_VOICE,
                "events" => QUEUED,
                _ => return None,
            };
            Some(fault.kind().delay().unsigned_abs() + until)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::cluster::named;
    use crate::history::fault::Fault;

    #[test]
    fn who_was_silenced_finds_its_voice_again() {
        let second = Duration::from_secs(1);
        let what = FaultKind::AgentCrash { host: named("a") };
        let truth = Truth::of(&[Fault { at_ms: 100_000, for_ms: 10_000, what }]);
        let could = |host: &str, from, to| {
            truth.could_speak(&named(host), &named("svc"), (second * from, second * to))
        };
        assert!(could("a", 90, 99) && !could("a", 90, 100) && !could("a", 139, 150));
        assert!(could("a", 140, 150) && could("b", 90, 110));
    }
}

//! The agent's view of the cluster: its verdict on each target, since when, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::observed::age;
use vipward_core::{HintEntry, NodeName, ServiceName, Verdict};

use vipward_core::telemetry::{HOOK_FAILING, SelfHealth};

use crate::datum::Datum;
use crate::status::TargetStatus;
use crate::target::TargetKey;
use crate::troubles::with_host;
use crate::verdict::VerdictChange;

/// A change of the verdict on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetChange {
    /// The node it is about.
    pub subject: NodeName,
    /// The service it is about.
    pub service: ServiceName,
    /// What changed.
    pub change: VerdictChange,
}

/// The services of a dead host are found unhealthy one after the other within that time.
const TOGETHER: Duration = Duration::from_secs(1);

/// For so long after a VIP came metrics say so: whoever looks for it soon finds it, and it costs as
/// good as nothing.
const RECENT: Duration = Duration::from_secs(30);

/// The whole view of one agent.
#[derive(Debug, Clone)]
pub struct View {
    me: NodeName,
    states: BTreeMap<TargetKey, TargetState>,
    /// How far this node's own services are behind, where it matters and is known.
    lags: BTreeMap<ServiceName, Duration>,
    /// Whether they are primaries, likewise.
    primaries: BTreeMap<ServiceName, bool>,
    /// This node's own services that leave.
    leaving: BTreeSet<ServiceName>,
    /// Those that could not be served at their VIPs.
    unready: BTreeMap<ServiceName, Unready>,
    /// Whether the last run of a hook failed, where there are hooks.
    hooks_failing: BTreeMap<ServiceName, bool>,
    arrivals: BTreeMap<ServiceName, Arrival>,
}

/// Whether a VIP is here, by the instance metadata.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    /// As last known.
    is_here: bool,
    is_known: bool,
    /// When it was seen to come.
    came: Option<Timestamp>,
    is_recent: bool,
}

/// That an own service could not be served at its VIP.
#[derive(Debug, Clone, Copy)]
struct Unready {
    since: Timestamp,
    /// Until when it may be becoming ready.
    until: Timestamp,
    /// That time was over when it was last told.
    is_lasting: bool,
}

#[derive(Debug, Clone)]
struct TargetState {
    verdict: Verdict,
    since: Timestamp,
    cause: Option<String>,
}

impl TargetState {
    fn unknown(since: Timestamp) -> Self {
        Self { verdict: Verdict::Unknown, since, cause: None }
    }
}

impl View {
    /// The view of `me` before the first verdict on any of the targets.
    pub fn new(me: NodeName, targets: impl IntoIterator<Item = TargetKey>, now: Timestamp) -> Self {
        let unknown = |target| (target, TargetState::unknown(now));
        Self {
            me,
            states: targets.into_iter().map(unknown).collect(),
            lags: BTreeMap::new(),
            primaries: BTreeMap::new(),
            leaving: BTreeSet::new(),
            unready: BTreeMap::new(),
            hooks_failing: BTreeMap::new(),
            arrivals: BTreeMap::new(),
        }
    }

    /// Forgets every verdict, as at the start.
    pub fn forget(&mut self, now: Timestamp) {
        self.states.values_mut().for_each(|state| *state = TargetState::unknown(now));
    }

    /// From now on it is about these targets; what is known is kept of those in `kept` only.
    pub fn retarget(
        &mut self,
        targets: impl IntoIterator<Item = TargetKey>,
        kept: &BTreeSet<TargetKey>,
        now: Timestamp,
    ) {
        let mut old = std::mem::take(&mut self.states);
        let state = |target: TargetKey| {
            let known = old.remove(&target).filter(|_| kept.contains(&target));
            (target, known.unwrap_or_else(|| TargetState::unknown(now)))
        };
        self.states = targets.into_iter().map(state).collect();
    }

    /// A verdict has changed.
    pub fn apply(&mut self, now: Timestamp, change: &TargetChange) {
        let VerdictChange { to, cause, .. } = &change.change;
        let state = TargetState { verdict: *to, since: now, cause: cause.clone() };
        self.states.insert((change.subject.clone(), change.service.clone()), state);
    }

    /// How far the own services are behind their primaries.
    pub fn set_lags(&mut self, lags: BTreeMap<ServiceName, Duration>) {
        self.lags = lags;
    }

    /// Which of the own services are primaries; whether one has become or ceased to be it.
    pub fn set_primaries(&mut self, primaries: BTreeMap<ServiceName, bool>) -> bool {
        let news = primaries.iter().any(|(service, is)| {
            let before = self.primaries.get(service).copied();
            before != Some(*is) && (*is || before.is_some())
        });
        self.primaries = primaries;
        news
    }

    /// Which of the own services leave; whether that has changed.
    pub fn set_leaving(&mut self, leaving: BTreeSet<ServiceName>) -> bool {
        std::mem::replace(&mut self.leaving, leaving) != self.leaving
    }

    /// Whether the last hooks failed, where there are hooks; whether that has changed.
    pub fn set_hooks_failing(&mut self, failing: BTreeMap<ServiceName, bool>) -> bool {
        std::mem::replace(&mut self.hooks_failing, failing) != self.hooks_failing
    }

    /// Which of the own services could not be served at their VIPs, and how long each may take to
    /// become ready. Whether that has changed, or one has lasted for so long.
    pub fn set_unready(
        &mut self,
        now: Timestamp,
        unready: &BTreeMap<ServiceName, Duration>,
    ) -> bool {
        let known = self.unready.len();
        self.unready.retain(|service, _| unready.contains_key(service));
        let mut news = known != self.unready.len();
        for (service, within) in unready {
            let begun = || Unready { since: now, until: now + *within, is_lasting: false };
            news |= !self.unready.contains_key(service);
            let state = self.unready.entry(service.clone()).or_insert_with(begun);
            news |=
                !std::mem::replace(&mut state.is_lasting, state.until <= now) && state.is_lasting;
        }
        news
    }

    /// Since when that own service could not be.
    pub fn unready_since(&self, service: &ServiceName) -> Option<Timestamp> {
        self.unready.get(service).map(|it| it.since)
    }

    /// Which VIPs are here, where that is known; whether one has come. What is here when it is
    /// first asked for may have come long ago.
    pub fn set_arrivals(
        &mut self,
        now: Timestamp,
        here: impl IntoIterator<Item = (ServiceName, Option<bool>)>,
    ) -> bool {
        let mut news = false;
        for (service, here) in here {
            let known = self.arrivals.get(&service).copied();
            let has_come = here == Some(true) && known.is_some_and(|known| !known.is_here);
            let Some(is_here) = here.or(known.map(|known| known.is_here)) else { continue };
            let before = known.and_then(|known| known.came).filter(|_| is_here);
            let came = if has_come { Some(now) } else { before };
            let is_recent = came.is_some_and(|came| age(came, now) < RECENT);
            let arrival = Arrival { is_here, is_known: here.is_some(), came, is_recent };
            self.arrivals.insert(service, arrival);
            news |= has_come;
        }
        news
    }

    /// When the next of them has lasted for so long.
    pub fn unready_deadline(&self) -> Option<Timestamp> {
        self.unready.values().filter(|it| !it.is_lasting).map(|it| it.until).min()
    }

    /// Whether any service, of this node or another, is unhealthy, or an own one leaves.
    pub fn trouble(&self) -> bool {
        !self.leaving.is_empty()
            || self.states.values().any(|state| state.verdict == Verdict::Unhealthy)
    }

    /// When, after `now`, the next of other nodes' services will have been unhealthy for one of
    /// these times: all that do so within [`TOGETHER`], so that one hint says it of a whole host.
    pub fn next_threshold(&self, now: Timestamp, held: &[Duration]) -> Option<Timestamp> {
        let unhealthy = self.states.iter().filter(|((subject, _), state)| {
            *subject != self.me && state.verdict == Verdict::Unhealthy
        });
        let moments = unhealthy.flat_map(|(_, state)| held.iter().map(|held| state.since + *held));
        let ahead: Vec<_> = moments.filter(|moment| *moment > now).collect();
        let first = *ahead.iter().min()?;
        ahead.into_iter().filter(|moment| *moment <= first + TOGETHER).max()
    }

    /// This node's own services; none on a witness.
    pub fn own_services(&self) -> impl Iterator<Item = &ServiceName> {
        self.states.keys().filter(|(subject, _)| *subject == self.me).map(|(_, service)| service)
    }

    /// Whether an own service is a primary: an unhealthy one is none, whatever it was.
    fn primary(&self, service: &ServiceName, verdict: Verdict) -> Option<bool> {
        let is = self.primaries.get(service).copied();
        is.filter(|_| verdict == Verdict::Healthy)
    }

    /// Whether the change is about this node's own service.
    pub fn is_own(&self, change: &TargetChange) -> bool {
        change.subject == self.me
    }

    /// The view as a hint carries it.
    pub fn observations(&self, now: Timestamp) -> Vec<HintEntry> {
        let passed =
            |since: Timestamp| u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0);
        let observation = |((subject, service), state): (&TargetKey, &TargetState)| {
            let own = *subject == self.me;
            let lag = self.lags.get(service).filter(|_| own);
            let arrival = self.arrivals.get(service).filter(|arrival| own && arrival.is_known);
            HintEntry {
                lag_ms: lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
                primary: self.primary(service, state.verdict).filter(|_| own),
                leaving: own && self.leaving.contains(service),
                arrived: arrival.map(|arrival| arrival.is_here),
                arrived_ms: arrival.and_then(|arrival| arrival.came).map(passed),
                unready_ms: self.unready.get(service).filter(|_| own).map(|it| passed(it.since)),
                subject: subject.clone(),
                service: service.clone(),
                verdict: state.verdict,
                held_ms: passed(state.since),
                cause: state.cause.clone(),
            }
        };
        self.states.iter().map(observation).collect()
    }

    /// The view as metrics carry it: nothing on what is unknown.
    pub fn data(&self) -> Vec<Datum> {
        let datum = |((subject, service), state): (&TargetKey, &TargetState)| {
            let verdict = Some(state.verdict).filter(|verdict| *verdict != Verdict::Unknown)?;
            if *subject != self.me {
                let healthy = verdict == Verdict::Healthy;
                return Some(Datum::peer_health(service.clone(), subject.clone(), healthy));
            }
            let (leaving, unready) =
                (self.leaving.contains(service), self.unready.contains_key(service));
            Some(Datum::self_health(service.clone(), SelfHealth { verdict, leaving, unready }))
        };
        self.states.iter().filter_map(datum).chain(self.own_data()).collect()
    }

    /// The other metrics of the own services, each where it matters and is known.
    fn own_data(&self) -> impl Iterator<Item = Datum> {
        let lag = |(service, lag): (&ServiceName, &Duration)| Datum::lag(service.clone(), *lag);
        let primary = |((subject, service), state): (&TargetKey, &TargetState)| {
            let is = self.primary(service, state.verdict).filter(|_| *subject == self.me)?;
            Some(Datum::primary(service.clone(), is))
        };
        let primaries = self.states.iter().filter_map(primary);
        let recent = self.arrivals.iter().filter(|(_, arrival)| arrival.is_recent);
        let arrived = recent.map(|(service, _)| Datum::arrived(service.clone()));
        self.lags.iter().map(lag).chain(primaries).chain(arrived)
    }

    /// Of each service that has hooks, and of the host, whether the last run of one failed.
    pub fn hooks(&self) -> Vec<Datum> {
        let failing = self.hooks_failing.iter().map(|(service, is)| (service.clone(), *is));
        with_host(HOOK_FAILING, failing.collect())
    }

    /// The view as the status shows it, without the duration of probes.
    pub fn statuses(&self) -> Vec<TargetStatus> {
        let status = |((subject, service), state): (&TargetKey, &TargetState)| TargetStatus {
            subject: subject.clone(),
            service: service.clone(),
            own: *subject == self.me,
            verdict: state.verdict,
            since: state.since,
            cause: state.cause.clone(),
            probe_us: None,
        };
        self.states.iter().map(status).collect()
    }

    /// One line for systemd: how many targets have which verdict.
    pub fn summary(&self) -> String {
        let count = |verdict| self.states.values().filter(|state| state.verdict == verdict).count();
        format!(
            "{} healthy, {} unhealthy, {} unknown",
            count(Verdict::Healthy),
            count(Verdict::Unhealthy),
            count(Verdict::Unknown)
        )
    }
}

#[cfg(test)]
mod tests;

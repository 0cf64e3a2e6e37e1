//! The agent's mind in one sans-I/O piece: verdict changes go in, what to send comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;
use vipward_core::hint::HINT_VERSION;
use vipward_core::observed::age;
use vipward_core::telemetry::HINTS_FAILING;
use vipward_core::timing::{CLOCK_LEEWAY, INGESTION_DELAY, UNREACHABLE_FOR};
use vipward_core::{Config, Hint, NodeName, ServiceName, Verdict};

use crate::datum::Datum;
use crate::hinting::{Hinting, News};
use crate::last_seen::LastSeen;
use crate::leaving::Leaving;
use crate::ports::SendError;
use crate::publishing::{Publishing, Reason};
use crate::send_stats::Tally;
use crate::status::Status;
use crate::target::{Target, TargetKey, targets};
use crate::troubles::Troubles;
use crate::view::{TargetChange, View};

/// Something to send. Publications and hints do not wait for each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// All metrics, in one request.
    Metrics(Reason, Vec<Datum>),
    /// The whole view, as an event.
    Hint(Hint),
}

/// The two ways of a report to AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// To CloudWatch.
    Metrics,
    /// To EventBridge.
    Hints,
}

impl Report {
    /// Which way it goes.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Metrics(..) => Channel::Metrics,
            Self::Hint(_) => Channel::Hints,
        }
    }
}

/// What one agent has to say, and when.
#[derive(Debug, Clone)]
pub struct Reporter {
    me: NodeName,
    started: Timestamp,
    view: View,
    publishing: Publishing,
    /// After that long an observation of a silent node decides alone.
    stale_after: Duration,
    ready_within: BTreeMap<ServiceName, Duration>,
    /// `None` where the policy turns hints off.
    hinting: Option<Hinting>,
    /// The next hint but for its observations.
    blank: Hint,
    metrics: Tally,
    hints: Tally,
    /// Which of the two ways is known to fail, and so told by the other.
    metrics_fail: bool,
    hints_fail: bool,
    troubles: Troubles,
    /// Those that are on their way.
    telling: Vec<Datum>,
}

impl Reporter {
    /// A reporter for `me` that knows nothing yet. `start_id` is random for each start.
    pub fn new(config: &Config, me: &NodeName, start_id: String, now: Timestamp) -> Self {
        let watched = targets(config, me).iter().map(Target::key).collect::<Vec<_>>();
        Self {
            me: me.clone(),
            started: now,
            view: View::new(me.clone(), watched, now),
            publishing: Publishing::new(config.policy.publish_interval, now),
            stale_after: config.policy.stale_after,
            ready_within: ready_within(config),
            hinting: config.policy.hints.then(Hinting::default),
            blank: Hint {
                version: HINT_VERSION,
                cluster: config.cluster.clone(),
                start_id,
                sequence: 0,
                config_digest: config.digest(),
                metrics_failing_ms: None,
                observations: Vec::new(),
            },
            metrics: Tally::default(),
            hints: Tally::default(),
            metrics_fail: false,
            hints_fail: false,
            troubles: Troubles::default(),
            telling: Vec::new(),
        }
    }

    /// The agent did not run for a while: what it knew is no longer known, and what was on its way
    /// is not to be sent. Only the counts go on.
    pub fn on_stall(&mut self, now: Timestamp) {
        self.view.forget(now);
        self.publishing.on_stall(now);
        if let Some(hinting) = &mut self.hinting {
            hinting.on_stall(now);
        }
    }

    /// The file has changed; `kept` are the targets that are watched as before.
    pub fn on_config(&mut self, now: Timestamp, config: &Config, kept: &BTreeSet<TargetKey>) {
        self.view.retarget(targets(config, &self.me).iter().map(Target::key), kept, now);
        self.publishing.set_interval(config.policy.publish_interval, now);
        self.blank.config_digest = config.digest();
        self.stale_after = config.policy.stale_after;
        self.ready_within = ready_within(config);
        let hinting = self.hinting.take().unwrap_or_default();
        self.hinting = config.policy.hints.then_some(hinting);
        // Trouble may have gone with its target.
        self.hint_of(now, News::Own);
        if self.hinting.is_none() {
            self.hints.failing_since = None;
            self.hints_fail = false;
        }
    }

    /// What a person may want to know. The watches add how long probes took, the lifecycle what
    /// leaves and what hooks did.
    pub fn status(&self, now: Timestamp) -> Status {
        Status {
            node: self.me.clone(),
            cluster: self.blank.cluster.clone(),
            config_digest: self.blank.config_digest.clone(),
            started: self.started,
            now,
            targets: self.view.statuses(),
            metrics: self.metrics.clone(),
            hints: self.hints.clone(),
            leaving: Vec::new(),
            unready: Vec::new(),
            vips: Vec::new(),
            hooks: Vec::new(),
        }
    }

    /// The node or witness that reports.
    pub fn me(&self) -> &NodeName {
        &self.me
    }

    /// All that is known at present.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// A verdict has changed.
    pub fn on_change(&mut self, now: Timestamp, change: &TargetChange) {
        self.view.apply(now, change);
        let news = match (self.view.is_own(change), change.change.from) {
            (true, Verdict::Unhealthy) => News::OwnAllClear,
            (true, _) => News::Own,
            (false, _) => News::Others,
        };
        self.changed(now, news);
    }

    fn changed(&mut self, now: Timestamp, news: News) {
        self.publishing.on_change(now);
        self.hint_of(now, news);
    }

    /// Hints are repeated while metrics fail, too: nothing else says what this agent sees.
    fn hint_of(&mut self, now: Timestamp, news: News) {
        let trouble = self.view.trouble() || self.metrics_fail;
        if let Some(hinting) = &mut self.hinting {
            hinting.on_change(now, trouble, news);
        }
    }

    /// What probes last saw. How far the own services are behind their primaries is told with
    /// whatever is told next, and which of them are primaries at once when that changes; each where
    /// it matters.
    pub fn on_last_seen<'t, S: Deref<Target = LastSeen>>(
        &mut self,
        now: Timestamp,
        seen: impl IntoIterator<Item = (&'t Target, S)>,
    ) {
        let (mut lags, mut primaries) = (BTreeMap::new(), BTreeMap::new());
        for (target, seen) in seen.into_iter().filter(|(target, _)| target.subject == self.me) {
            let service = || target.service.clone();
            let lag = seen.lag().filter(|_| target.check.kind.max_lag().is_some());
            let primary = seen.primary().filter(|_| target.follows_primary);
            lags.extend(lag.map(|lag| (service(), lag)));
            primaries.extend(primary.map(|primary| (service(), primary)));
        }
        self.view.set_lags(lags);
        if self.view.set_primaries(primaries) {
            self.changed(now, News::OwnAllClear);
        }
    }

    /// Which own services leave this node: told at once when that changes, and again while it
    /// lasts.
    pub fn on_leaving(&mut self, now: Timestamp, leaving: &Leaving) {
        let services = leaving.among(self.view.own_services());
        let news = if services.is_empty() { News::OwnAllClear } else { News::Own };
        if self.view.set_leaving(services) {
            self.changed(now, news);
        }
    }

    /// Which own services could not be served at their VIPs: told at once when that changes, and
    /// when a holder would be left for it.
    pub fn on_unready(&mut self, now: Timestamp, unready: &BTreeSet<ServiceName>) {
        let within = |name: &ServiceName| {
            let within = self.ready_within.get(name).copied();
            (name.clone(), within.unwrap_or_default() + CLOCK_LEEWAY)
        };
        if self.view.set_unready(now, &unready.iter().map(within).collect()) {
            self.changed(now, News::OwnAllClear);
        }
    }

    /// Which VIPs are here, where that is known: told at once when one has come.
    pub fn on_arrivals(
        &mut self,
        now: Timestamp,
        here: impl IntoIterator<Item = (ServiceName, Option<bool>)>,
    ) {
        if self.view.set_arrivals(now, here) {
            self.changed(now, News::OwnAllClear);
        }
    }

    /// Whether the last hooks failed, where there are hooks: published at once when that changes.
    pub fn on_hooks(&mut self, now: Timestamp, failing: BTreeMap<ServiceName, bool>) {
        if self.view.set_hooks_failing(failing) {
            self.publishing.on_change(now);
        }
    }

    /// When [`Self::poll`] or [`Self::on_unready`] next has something; `None` while all that could
    /// be sent is on its way.
    pub fn deadline(&self) -> Option<Timestamp> {
        let hints = self.hinting.as_ref().and_then(Hinting::deadline);
        let deadlines = [self.publishing.deadline(), hints, self.view.unready_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// The next thing to send now, hints first. The caller then calls [`Self::done`], well sent or
    /// not.
    pub fn poll(&mut self, now: Timestamp) -> Option<Report> {
        let with_others = UNREACHABLE_FOR + CLOCK_LEEWAY;
        let alone = self.stale_after + CLOCK_LEEWAY;
        let threshold = self.view.next_threshold(now, &[with_others, alone]);
        if self.hinting.as_mut().is_some_and(|hinting| hinting.poll(now, threshold)) {
            return Some(Report::Hint(self.hint(now)));
        }
        let shortly_before = self.stale_after.saturating_sub(INGESTION_DELAY);
        let threshold = self.view.next_threshold(now, &[with_others, shortly_before]);
        while let Some(reason) = self.publishing.poll(now, threshold) {
            let data = self.data();
            if !data.is_empty() {
                return Some(Report::Metrics(reason, data));
            }
            self.publishing.done();
        }
        None
    }

    /// What was to be sent that way has been, or could not be.
    pub fn done(&mut self, now: Timestamp, channel: Channel, outcome: &Result<(), SendError>) {
        match channel {
            Channel::Metrics => {
                self.metrics.count(now, outcome);
                self.publishing.done();
                let telling = std::mem::take(&mut self.telling);
                if outcome.is_ok() {
                    self.troubles.told(&telling);
                }
                let fails = self.metrics.is_failing(now);
                if std::mem::replace(&mut self.metrics_fail, fails) != fails {
                    self.hint_of(now, News::OwnAllClear);
                }
            }
            Channel::Hints => {
                self.hints.count(now, outcome);
                if let Some(hinting) = &mut self.hinting {
                    hinting.done(now, outcome.is_ok());
                }
                let fails = self.hinting.is_some() && self.hints.is_failing(now);
                if std::mem::replace(&mut self.hints_fail, fails) != fails {
                    self.publishing.on_change(now);
                }
            }
        }
    }

    fn hint(&mut self, now: Timestamp) -> Hint {
        self.blank.sequence += 1;
        let since = self.metrics.failing_since.filter(|_| self.metrics_fail);
        let metrics_failing_ms =
            since.map(|since| u64::try_from(age(since, now).as_millis()).unwrap_or(u64::MAX));
        let observations = self.view.observations(now);
        Hint { metrics_failing_ms, observations, ..self.blank.clone() }
    }

    fn data(&mut self) -> Vec<Datum> {
        let mut troubles = self.view.hooks();
        troubles.push(Datum::trouble(HINTS_FAILING, None, self.hints_fail));
        self.telling = self.troubles.to_tell(troubles);
        [self.view.data(), self.telling.clone()].concat()
    }
}

fn ready_within(config: &Config) -> BTreeMap<ServiceName, Duration> {
    let services = config.services.iter();
    services.map(|service| (service.name.clone(), service.ready_within())).collect()
}

#[cfg(test)]
mod tests;

//! The reads of one pass, all at the same time, and what has come of them so far.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::future::{FusedFuture, select};
use jiff::Timestamp;
use vipward_core::config::Node;
use vipward_core::decide::{Choice, Decision, decide};
use vipward_core::evidence::{Evidence, Inventory, Observation, ObservationKey, Snapshot};
use vipward_core::judge::{Judgement, UpBasis};
use vipward_core::observed::{Observed, age};
use vipward_core::telemetry::AlarmName;
use vipward_core::timing::INGESTION_DELAY;
use vipward_core::triage::needs_metrics;
use vipward_core::{Config, NodeName, ServiceName};

use crate::backoff::bounded;
use crate::invocation::{EVIDENCE_AGE, Hints, Invocation};
use crate::ports::{PortError, Ports, Published};

/// How many times `stale_after` the metrics are read back: enough to see how long something has
/// been said, and when a silent node last spoke.
const LOOK_BACK: u32 = 4;
/// How long a pass takes at most for what it needs beside the interfaces.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// How long it waits for the states of alarms and instances: they may call for metrics, or decide.
pub const STATES: Duration = Duration::from_secs(2);

pub type Read<'r> = Pin<Box<dyn FusedFuture<Output = ()> + Send + 'r>>;

/// Reads that are under way at the same time.
pub struct Reads<'r>(pub Vec<Read<'r>>);

impl Reads<'_> {
    /// Lets them go on until they are over, or that is so.
    pub async fn until(&mut self, is_enough: impl Fn() -> bool) {
        poll_fn(|context| {
            for read in self.0.iter_mut().filter(|read| !read.is_terminated()) {
                let _ = read.as_mut().poll(context);
            }
            let are_over = self.0.iter().all(FusedFuture::is_terminated);
            if are_over || is_enough() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The same, for so long at most.
    pub async fn until_within(
        &mut self,
        ports: &impl Ports,
        long: Duration,
        is_enough: impl Fn() -> bool,
    ) {
        select(pin!(self.until(is_enough)), pin!(ports.pause(long))).await;
    }
}

/// The reads of one pass, and what has come of them so far.
pub struct Reading<'g, P> {
    invocation: &'g Invocation<'g, P>,
    hints: Hints,
    /// Whether hints may decide before the metrics came.
    in_haste: bool,
    began: Timestamp,
    partial: Mutex<Partial>,
}

#[derive(Default)]
struct Partial {
    inventory: Option<Result<Answer, PortError>>,
    stopped: BTreeSet<String>,
    /// When the states of instances last came.
    states_came: Option<Timestamp>,
    alarms: Option<BTreeSet<AlarmName>>,
    published: Published,
    /// By service: when its metrics last came.
    metrics_came: BTreeMap<ServiceName, Timestamp>,
    /// The services whose metrics were asked for.
    asked: BTreeSet<ServiceName>,
    /// Those for which an answer came, if only an error.
    answered: BTreeSet<ServiceName>,
    /// Whether an answer about the states came, and about the alarms, if only an error.
    is_told_of_states: bool,
    is_told_of_alarms: bool,
}

/// What inventory and hints that are news decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHints {
    /// No move: it takes the metrics to tell.
    Nothing,
    /// A move to the best node that hints know of: it is not up by its own observation, or leaves.
    SecondBest,
    /// A move to a node that is up by its own observation, and stays.
    Good,
}

/// EC2's answer about the interfaces.
#[derive(Clone)]
struct Answer {
    inventory: Inventory,
    asked: Timestamp,
    arrived: Timestamp,
}

impl<'g, P: Ports> Reading<'g, P> {
    /// Nothing was read yet.
    pub fn new(invocation: &'g Invocation<'g, P>, hints: Hints, in_haste: bool) -> Self {
        let began = invocation.ports.now();
        Self { invocation, hints, in_haste, began, partial: Mutex::default() }
    }

    /// Of these services those whose metrics were not asked for yet.
    pub fn not_asked(&self, wanted: &BTreeSet<ServiceName>) -> BTreeSet<ServiceName> {
        wanted.difference(&self.partial().asked).cloned().collect()
    }

    /// Of these services those about whose metrics no answer came.
    pub fn unanswered(&self, wanted: &BTreeSet<ServiceName>) -> BTreeSet<ServiceName> {
        wanted.difference(&self.partial().answered).cloned().collect()
    }

    /// Whether all came that was asked: states, alarms, and the metrics of all these services.
    pub fn has_read(&self, wanted: &BTreeSet<ServiceName>) -> bool {
        let partial = self.partial();
        let (states, alarms) = (partial.states_came.is_some(), partial.alarms.is_some());
        states && alarms && wanted.iter().all(|of| partial.metrics_came.contains_key(of))
    }

    fn partial(&self) -> MutexGuard<'_, Partial> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> &Config {
        self.invocation.config
    }

    pub fn services(&self, is_one: impl Fn(&ServiceName) -> bool) -> BTreeSet<ServiceName> {
        let names = self.config().services.iter().map(|service| &service.name);
        names.filter(|name| is_one(name)).cloned().collect()
    }

    pub async fn inventory(&self) {
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let asked = ports.now();
        let answer = bounded(ports, deadline, ports.inventory(config)).await;
        let arrived = ports.now();
        let answer = answer.map(|inventory| Answer { inventory, asked, arrived });
        self.partial().inventory = Some(answer);
    }

    pub async fn stopped(&self, patience: Duration) {
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let until = deadline.min(ports.now() + patience);
        let answer = bounded(ports, until, ports.stopped_instances(config)).await;
        let mut partial = self.partial();
        partial.is_told_of_states = true;
        partial.states_came = answer.is_ok().then(|| ports.now());
        // What was read before is not so any more.
        partial.stopped = answer
            .inspect_err(|error| tracing::warn!(%error, "instance states not read"))
            .unwrap_or_default();
    }

    pub async fn alarms(&self) {
        let Invocation { config, ports, .. } = *self.invocation;
        let answer = bounded(ports, self.until(STATES), ports.quiet_alarms(config)).await;
        let mut partial = self.partial();
        partial.is_told_of_alarms = true;
        partial.alarms = answer.inspect_err(|error| tracing::warn!(%error, "alarms not read")).ok();
    }

    pub async fn metrics(&self, services: BTreeSet<ServiceName>) {
        if services.is_empty() {
            return;
        }
        self.partial().asked.extend(services.clone());
        let Invocation { config, ports, .. } = *self.invocation;
        let since = ports.now() - config.policy.stale_after * LOOK_BACK;
        let answer =
            bounded(ports, self.until(PATIENCE), ports.metrics(config, &services, since)).await;
        let came = ports.now();
        let mut partial = self.partial();
        partial.answered.extend(services.clone());
        match answer {
            Ok(published) => {
                let told = services.into_iter().filter(|of| !published.incomplete.contains(of));
                partial.metrics_came.extend(told.map(|service| (service, came)));
                partial.published.extend(published);
            }
            Err(error) => tracing::warn!(%error, "metrics not read"),
        }
    }

    /// When the time for a read is up, of all reads of the pass together.
    fn until(&self, patience: Duration) -> Timestamp {
        self.invocation.deadline.min(self.began + patience)
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.partial().inventory, Some(Err(_)))
    }

    /// Whether enough has come for a decision: it does not wait for the rest.
    pub fn suffices(&self) -> bool {
        let is_read = matches!(self.partial().inventory, Some(Ok(_)));
        is_read && (self.has_come() || self.by_hints() != ByHints::Nothing)
    }

    /// Whether the metrics have come that were asked for, and what tells whether others are needed.
    pub fn has_come(&self) -> bool {
        let partial = self.partial();
        let are_all = partial.asked.len() == self.config().services.len();
        let is_told = partial.is_told_of_states && (partial.is_told_of_alarms || are_all);
        is_told && partial.asked == partial.answered
    }

    /// What has grown old is read once more: first what agents say and which instances are stopped,
    /// then EC2's interfaces.
    pub async fn refresh(&self, wanted: &BTreeSet<ServiceName>) {
        let now = self.invocation.ports.now();
        let is_old = |came: Timestamp| age(came, now) > EVIDENCE_AGE;
        let (arrived, metrics, states) = {
            let partial = self.partial();
            let Some(Ok(Answer { inventory, arrived, .. })) = &partial.inventory else { return };
            let are_stopped = !nodes_on(self.config(), inventory, &partial.stopped).is_empty();
            let metrics =
                is_old(*arrived) && partial.metrics_came.values().any(|came| is_old(*came));
            (*arrived, metrics, are_stopped && partial.states_came.is_some_and(is_old))
        };
        let metrics = async {
            if metrics {
                self.metrics(wanted.clone()).await;
            }
        };
        let states = async {
            if states {
                self.stopped(EVIDENCE_AGE).await;
            }
        };
        futures::join!(metrics, states);
        if age(arrived, self.invocation.ports.now()) > EVIDENCE_AGE {
            self.inventory().await;
        }
    }

    /// The services about which agents were heard soon enough before EC2 was asked: by the metrics,
    /// or by the hint that woke the function.
    fn live(&self) -> BTreeSet<ServiceName> {
        let asked = match &self.partial().inventory {
            Some(Ok(answer)) => answer.asked,
            Some(Err(_)) | None => return BTreeSet::new(),
        };
        let is_recent = |heard: Timestamp| age(heard, asked) <= EVIDENCE_AGE;
        if self.hints.are_news && is_recent(self.invocation.woken) {
            return self.services(|_| true);
        }
        let came = self.partial().metrics_came.clone();
        came.into_iter().filter(|(_, came)| is_recent(*came)).map(|(service, _)| service).collect()
    }

    /// All that is known by now.
    pub fn evidence(&self) -> Result<Evidence, PortError> {
        let (config, now) = (self.config(), self.invocation.ports.now());
        let live = self.live();
        let partial = self.partial();
        let mut inventory = match &partial.inventory {
            Some(answer) => answer.clone()?.inventory,
            None => Inventory::default(),
        };
        inventory.stopped = nodes_on(config, &inventory, &partial.stopped);
        let mut observations = self.hints.said.clone();
        let Published { observations: read, contested, lags, primaries, .. } = &partial.published;
        observations.read = flowing(config, &partial.published, now);
        for (node, service, said) in contested {
            // What the node has hinted, too, is not contested; added first, it is not taken back.
            match self.hints.said.newest(node, node, service) {
                Some(hinted) if agree(&hinted.value, &said.value) => {
                    let (observer, subject, service) =
                        (node.clone(), node.clone(), service.clone());
                    let value = hinted.value;
                    let at = said.at.max(hinted.at);
                    let key = ObservationKey { observer, subject, service };
                    observations.add(key, Observed { value, at });
                }
                _ => observations.add_contested(node.clone(), service.clone(), *said),
            }
        }
        for (key, newest) in read {
            observations.add(key.clone(), *newest);
        }
        for (node, service, lag) in lags {
            observations.add_lag(node.clone(), service.clone(), *lag);
        }
        for (node, service, is) in primaries {
            observations.add_primary(node.clone(), service.clone(), *is);
        }
        // Of one second the later read counts: it may have become worse.
        observations.merge(&self.hints.read_before);
        let quiet_alarms = partial.alarms.clone();
        let unheard = self.services(|service| !live.contains(service));
        Ok(Evidence { inventory, quiet_alarms, observations, unheard, ..Evidence::default() })
    }

    /// The services about which a move may be on the table.
    pub fn wanted(&self) -> Result<BTreeSet<ServiceName>, PortError> {
        let (evidence, config, now) =
            (&self.evidence()?, self.config(), self.invocation.ports.now());
        let snapshot = Snapshot { config, evidence, now };
        let wanted = config.services.iter().filter(|service| needs_metrics(snapshot, service));
        Ok(wanted.map(|service| service.name.clone()).collect())
    }

    /// What is decided by now, if the hints are news: a good move does not wait for the metrics.
    pub fn by_hints(&self) -> ByHints {
        let (config, now) = (self.config(), self.invocation.ports.now());
        let may_decide = self.hints.are_news && self.in_haste;
        let Some(evidence) = self.evidence().ok().filter(|_| may_decide) else {
            return ByHints::Nothing;
        };
        let good = Some(&Judgement::Up(UpBasis::OwnObservation));
        let mut by_hints = ByHints::Nothing;
        let snapshot = Snapshot { config, evidence: &evidence, now };
        for Decision { service, judgements, choice, .. } in decide(snapshot) {
            let Choice::Move { to, .. } = choice else { continue };
            let service = config.service(&service);
            let is_poor = |of| snapshot.is_leaving(of, &to) || snapshot.is_unready(of, &to);
            if judgements.get(&to) != good || service.is_some_and(is_poor) {
                return ByHints::SecondBest;
            }
            by_hints = ByHints::Good;
        }
        by_hints
    }
}

/// Whether a node's hint says what its metrics say against it.
fn agree(hinted: &Observation, said: &Observation) -> bool {
    hinted.verdict == said.verdict
        && hinted.leaving == said.leaving
        && hinted.unready.is_some() == said.unready.is_some()
}

/// The services whose metrics show who is silent. Something in them is fresh, and each observer
/// whose newest metric is stale has been quiet for nearly `stale_after` when measured by the newest
/// metrics of others. The clock is no measure: while CloudWatch is late with everybody, the newest
/// metrics of two healthy nodes lie up to a publish interval apart, and the older goes stale before
/// the newer.
///
/// Metrics later than [`INGESTION_DELAY`] thus delay the judgement of a node that is silent indeed,
/// at most until the next hint or alarm. Without this rule they were taken for a healthy node's
/// silence.
fn flowing(config: &Config, published: &Published, now: Timestamp) -> BTreeSet<ServiceName> {
    let said =
        published.observations.iter().map(|(key, newest)| (&key.service, &key.observer, newest.at));
    let against = published.contested.iter().map(|(node, service, said)| (service, node, said.at));
    let mut last: BTreeMap<&ServiceName, BTreeMap<&NodeName, Timestamp>> = BTreeMap::new();
    for (service, observer, at) in said.chain(against) {
        let by_observer = last.entry(service).or_default();
        let spoke = by_observer.entry(observer).or_insert(at);
        *spoke = at.max(*spoke);
    }
    let stale_after = config.policy.stale_after;
    let silence = stale_after.saturating_sub(INGESTION_DELAY);
    let flows = |spoke: &BTreeMap<&NodeName, Timestamp>| {
        let is_fresh = |at: Timestamp| age(at, now) < stale_after;
        let newest = spoke.values().copied().max().filter(|at| is_fresh(*at));
        newest.is_some_and(|newest| {
            spoke.values().all(|at| is_fresh(*at) || age(*at, newest) >= silence)
        })
    };
    last.into_iter().filter(|(_, spoke)| flows(spoke)).map(|(service, _)| service.clone()).collect()
}

fn nodes_on(
    config: &Config,
    inventory: &Inventory,
    instances: &BTreeSet<String>,
) -> BTreeSet<NodeName> {
    let is_on_one = |node: &&Node| {
        let instance = inventory.enis.get(&node.eni).and_then(|eni| eni.instance.as_ref());
        instance.is_some_and(|instance| instances.contains(instance))
    };
    config.nodes.iter().filter(is_on_one).map(|node| node.name.clone()).collect()
}

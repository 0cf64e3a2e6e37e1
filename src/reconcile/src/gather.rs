//! Gathering the evidence of one pass: little while all is quiet, everything where a move is on the
//! table, and all of it at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::future::{FusedFuture, FutureExt as _, select};
use jiff::Timestamp;
use vipward_core::config::Node;
use vipward_core::decide::{Choice, Decision, decide};
use vipward_core::evidence::{Evidence, Inventory, Observed, Statement, Testimony, Topic, age};
use vipward_core::glance::calls_for_closer_look;
use vipward_core::signals::{AlarmName, INGESTION};
use vipward_core::{Config, NodeName, ServiceName};

use crate::backoff::bounded;
use crate::invocation::Invocation;
use crate::ports::{PortError, Ports, Published};

/// How old, counted from its arrival, EC2's answer may be when a call that rests on it is sent; and
/// how old the newest words may be when EC2 is asked. So a slow answer is used once, at once.
pub const EVIDENCE_AGE: Duration = Duration::from_secs(1);

/// How many times `stale_after` the metrics are read back: enough to see how long something has
/// been said, and when a silent node last spoke.
const LOOK_BACK: u32 = 4;
/// How long a pass that has what it needs waits for the other reads: as a rule they come at the same
/// time, and may know better.
const GRACE: Duration = Duration::from_millis(100);
/// How long it waits for what it needs beside the interfaces.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// What agents said by hints, as the environment remembers it.
#[derive(Debug, Default)]
pub struct Hints {
    /// What they said.
    pub said: Testimony,
    /// Whether the newest of them has only just been heard: then a move may rest on them alone.
    pub are_news: bool,
}

/// Which services' metrics are read at once; others follow where the answers call for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Those of these.
    At(BTreeSet<ServiceName>),
    /// Those of every service.
    Everywhere,
}

/// The evidence of one pass.
#[derive(Debug)]
pub struct Gathered {
    /// What was read and heard.
    pub evidence: Evidence,
    /// Whether a move may rest on it: what agents said was heard or read just now.
    pub is_live: bool,
    /// The services that call for a closer look.
    pub wanted: BTreeSet<ServiceName>,
    /// Those of them whose metrics were not waited for, since hints decided about another.
    pub unread: BTreeSet<ServiceName>,
}

/// Reads the world, with what hints have said already.
///
/// # Errors
/// Only when EC2 cannot be read: without the holders there is nothing to decide. What CloudWatch
/// cannot answer is missing from the evidence, which never reads as silence.
pub async fn gather<P: Ports>(
    invocation: &Invocation<'_, P>,
    hints: Hints,
    look: &Look,
) -> Result<Gathered, PortError> {
    let reading = &Reading { invocation, hints, partial: Mutex::default() };
    let everything = reading.services(|_| true);
    let at_once = match look {
        Look::At(services) => services,
        Look::Everywhere => &everything,
    };
    let mut reads = Reads(vec![
        Box::pin(reading.inventory().fuse()),
        Box::pin(reading.stopped().fuse()),
        Box::pin(reading.alarms().fuse()),
        Box::pin(reading.metrics(at_once.clone()).fuse()),
    ]);
    reads.until(|| reading.has_failed() || reading.suffices()).await;
    reads.at_most(invocation.ports, GRACE).await;
    let wanted = match look {
        Look::At(_) => reading.wanted()?,
        Look::Everywhere => everything,
    };
    if !reading.hints_decide() {
        let left: BTreeSet<_> = wanted.difference(&reading.partial().asked).cloned().collect();
        reading.metrics(left).await;
    }
    reading.refresh(&wanted).await;
    let unread = wanted.difference(&reading.partial().answered).cloned().collect();
    Ok(Gathered { evidence: reading.evidence()?, is_live: reading.is_live(), wanted, unread })
}

type Read<'r> = Pin<Box<dyn FusedFuture<Output = ()> + Send + 'r>>;

/// Reads that are under way at the same time.
struct Reads<'r>(Vec<Read<'r>>);

impl Reads<'_> {
    /// Lets them go on until they are over, or that is so.
    async fn until(&mut self, is_enough: impl Fn() -> bool) {
        poll_fn(|context| {
            for read in self.0.iter_mut().filter(|read| !read.is_terminated()) {
                let _ = read.as_mut().poll(context);
            }
            let are_over = self.0.iter().all(FusedFuture::is_terminated);
            if are_over || is_enough() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Lets them go on for so long at most.
    async fn at_most(&mut self, ports: &impl Ports, long: Duration) {
        select(pin!(self.until(|| false)), pin!(ports.pause(long))).await;
    }
}

/// The reads of one pass, and what has come of them so far.
struct Reading<'g, P> {
    invocation: &'g Invocation<'g, P>,
    hints: Hints,
    partial: Mutex<Partial>,
}

#[derive(Default)]
struct Partial {
    inventory: Option<Result<Answer, PortError>>,
    stopped: BTreeSet<String>,
    alarms: Option<BTreeSet<AlarmName>>,
    published: Published,
    /// When the metrics last came, and nothing was wrong with them.
    words_came: Option<Timestamp>,
    /// The services whose metrics were asked for.
    asked: BTreeSet<ServiceName>,
    /// Those for which an answer came, if only an error.
    answered: BTreeSet<ServiceName>,
    /// Whether an answer about the alarms came, if only an error.
    is_told_of_alarms: bool,
}

/// EC2's answer about the interfaces.
#[derive(Clone)]
struct Answer {
    inventory: Inventory,
    asked: Timestamp,
    arrived: Timestamp,
}

impl<P: Ports> Reading<'_, P> {
    fn partial(&self) -> MutexGuard<'_, Partial> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> &Config {
        self.invocation.config
    }

    fn services(&self, is_one: impl Fn(&ServiceName) -> bool) -> BTreeSet<ServiceName> {
        let names = self.config().services.iter().map(|service| &service.name);
        names.filter(|name| is_one(name)).cloned().collect()
    }

    async fn inventory(&self) {
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let asked = ports.now();
        let answer = bounded(ports, deadline, ports.inventory(config)).await;
        let arrived = ports.now();
        let answer = answer.map(|inventory| Answer { inventory, asked, arrived });
        self.partial().inventory = Some(answer);
    }

    async fn stopped(&self) {
        let Invocation { config, ports, .. } = *self.invocation;
        match bounded(ports, self.patience(), ports.stopped_instances(config)).await {
            Ok(stopped) => self.partial().stopped = stopped,
            Err(error) => tracing::warn!(%error, "instance states not read"),
        }
    }

    async fn alarms(&self) {
        let Invocation { config, ports, .. } = *self.invocation;
        let answer = bounded(ports, self.patience(), ports.quiet_alarms(config)).await;
        let mut partial = self.partial();
        partial.is_told_of_alarms = true;
        partial.alarms = answer.inspect_err(|error| tracing::warn!(%error, "alarms not read")).ok();
    }

    async fn metrics(&self, services: BTreeSet<ServiceName>) {
        if services.is_empty() {
            return;
        }
        self.partial().asked.extend(services.clone());
        let Invocation { config, ports, .. } = *self.invocation;
        let since = ports.now() - config.policy.stale_after * LOOK_BACK;
        let answer = bounded(ports, self.patience(), ports.words(config, &services, since)).await;
        let came = ports.now();
        let mut partial = self.partial();
        partial.answered.extend(services);
        partial.words_came = answer.is_ok().then_some(came);
        match answer {
            Ok(published) => partial.published.extend(published),
            Err(error) => tracing::warn!(%error, "metrics not read"),
        }
    }

    /// Until when a read that can be done without is waited for.
    fn patience(&self) -> Timestamp {
        self.invocation.deadline.min(self.invocation.ports.now() + PATIENCE)
    }

    fn has_failed(&self) -> bool {
        matches!(self.partial().inventory, Some(Err(_)))
    }

    /// Whether all has come that a decision needs: it does not wait for the rest.
    fn suffices(&self) -> bool {
        let has_come = {
            let partial = self.partial();
            let all_asked = partial.asked.len() == self.config().services.len();
            partial.asked == partial.answered && (partial.is_told_of_alarms || all_asked)
        };
        matches!(self.partial().inventory, Some(Ok(_))) && (has_come || self.hints_decide())
    }

    /// What has grown old is read once more: first what agents say, then EC2.
    async fn refresh(&self, wanted: &BTreeSet<ServiceName>) {
        let now = self.invocation.ports.now();
        let arrived = match &self.partial().inventory {
            Some(Ok(answer)) => answer.arrived,
            Some(Err(_)) | None => return,
        };
        if age(arrived, now) <= EVIDENCE_AGE {
            return;
        }
        let words_came = self.partial().words_came;
        if words_came.is_some_and(|came| age(came, now) > EVIDENCE_AGE) {
            self.metrics(wanted.clone()).await;
        }
        self.inventory().await;
    }

    /// When agents were last heard: by the metrics, or by the hint that woke the function.
    fn heard(&self) -> Option<Timestamp> {
        let hint = self.hints.are_news.then_some(self.invocation.woken);
        self.partial().words_came.max(hint)
    }

    /// Whether agents were heard soon enough before EC2 was asked.
    fn is_live(&self) -> bool {
        let asked = match &self.partial().inventory {
            Some(Ok(answer)) => answer.asked,
            Some(Err(_)) | None => return false,
        };
        self.heard().is_some_and(|heard| age(heard, asked) <= EVIDENCE_AGE)
    }

    /// All that is known by now.
    fn evidence(&self) -> Result<Evidence, PortError> {
        let (config, now) = (self.config(), self.invocation.ports.now());
        let partial = self.partial();
        let mut inventory = match &partial.inventory {
            Some(answer) => answer.clone()?.inventory,
            None => Inventory::default(),
        };
        inventory.stopped = nodes_on(config, &inventory, &partial.stopped);
        let mut testimony = self.hints.said.clone();
        let Published { words, lags, primaries } = &partial.published;
        testimony.read = flowing(config, words, now);
        for (topic, word) in words {
            testimony.hear(topic.clone(), *word);
        }
        for (node, service, lag) in lags {
            testimony.hear_lag(node.clone(), service.clone(), *lag);
        }
        for (node, service, is) in primaries {
            testimony.hear_primary(node.clone(), service.clone(), *is);
        }
        let quiet_alarms = partial.alarms.clone();
        Ok(Evidence { inventory, quiet_alarms, testimony, ..Evidence::default() })
    }

    /// The services about which a move may be on the table.
    fn wanted(&self) -> Result<BTreeSet<ServiceName>, PortError> {
        let (config, evidence) = (self.config(), self.evidence()?);
        let now = self.invocation.ports.now();
        let services = config.services.iter();
        let wanted =
            services.filter(|service| calls_for_closer_look(config, &evidence, service, now));
        Ok(wanted.map(|service| service.name.clone()).collect())
    }

    /// Whether inventory and hints that are news decide on a move: it does not wait for the metrics.
    fn hints_decide(&self) -> bool {
        let moves = |decision: &Decision| matches!(decision.choice, Choice::Move { .. });
        let decided = |evidence| decide(self.config(), &evidence, self.invocation.ports.now());
        self.hints.are_news
            && self.evidence().is_ok_and(|evidence| decided(evidence).iter().any(moves))
    }
}

/// The services by whose metrics a silence can be told. They hold something fresh from somebody; and
/// whoever's last word has gone stale has been quiet for nearly `stale_after` by the newest metrics of
/// others, not by the clock: while CloudWatch is late with everybody, the last words of two nodes that
/// are well lie up to a publish interval apart, and the older is stale before the newer.
///
/// Metrics that are later than [`INGESTION`] thus delay the verdict on a node that is silent indeed, at
/// most until the next hint or alarm; they were taken for the silence of a node that is well.
fn flowing(
    config: &Config,
    words: &[(Topic, Observed<Statement>)],
    now: Timestamp,
) -> BTreeSet<ServiceName> {
    let mut last: BTreeMap<&ServiceName, BTreeMap<&NodeName, Timestamp>> = BTreeMap::new();
    for (topic, word) in words {
        let by_observer = last.entry(&topic.service).or_default();
        let spoke = by_observer.entry(&topic.observer).or_insert(word.at);
        *spoke = word.at.max(*spoke);
    }
    let stale_after = config.policy.stale_after;
    let silence = stale_after.saturating_sub(INGESTION);
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

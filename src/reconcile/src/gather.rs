//! Gathering the evidence of one pass: little while all is quiet, everything where a move is on the
//! table, and all of it at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
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
/// How long a pass that inventory and hints decide waits for the other reads: as a rule they come with
/// EC2's answer, and may know better.
const GRACE: Duration = Duration::from_millis(100);
/// How long any other pass waits for them.
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
    let reading = Reading::new(invocation, hints);
    let at_once = reading.services(|service| match look {
        Look::At(services) => services.contains(service),
        Look::Everywhere => true,
    });
    let mut others = pin!(reading.others(at_once));
    let inventory = match select(pin!(reading.inventory()), others.as_mut()).await {
        Either::Left((inventory, _)) => {
            let inventory = inventory?;
            let patience = if reading.hints_decide(&inventory) { GRACE } else { PATIENCE };
            select(others, pin!(invocation.ports.pause(patience))).await;
            inventory
        }
        Either::Right(((), inventory)) => inventory.await?,
    };
    let arrived = inventory.at;
    let mut wanted = reading.wanted(&inventory);
    if look == &Look::Everywhere {
        wanted = reading.services(|_| true);
    }
    if !reading.hints_decide(&inventory) {
        let left = wanted.difference(&reading.partial().asked).cloned().collect();
        reading.metrics(left).await;
    }
    let is_old = age(arrived, invocation.ports.now()) > EVIDENCE_AGE;
    let inventory = if is_old { reading.inventory().await? } else { inventory };
    let unread = wanted.difference(&reading.partial().answered).cloned().collect();
    let evidence = reading.evidence(&inventory);
    Ok(Gathered { evidence, is_live: reading.is_live(), wanted, unread })
}

/// The reads of one pass, and what has come of them so far.
struct Reading<'g, P> {
    invocation: &'g Invocation<'g, P>,
    hints: Hints,
    partial: Mutex<Partial>,
}

#[derive(Default)]
struct Partial {
    stopped: BTreeSet<String>,
    alarms: Option<BTreeSet<AlarmName>>,
    published: Published,
    /// The services whose metrics were asked for.
    asked: BTreeSet<ServiceName>,
    /// Those for which an answer came, if only an error.
    answered: BTreeSet<ServiceName>,
    /// Those whose metrics were read.
    read: BTreeSet<ServiceName>,
}

impl<'g, P: Ports> Reading<'g, P> {
    fn new(invocation: &'g Invocation<'g, P>, hints: Hints) -> Self {
        Self { invocation, hints, partial: Mutex::default() }
    }

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

    /// The whole of EC2's answer, with the moment of its arrival.
    async fn inventory(&self) -> Result<Observed<Inventory>, PortError> {
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let value = bounded(ports, deadline, ports.inventory(config)).await?;
        Ok(Observed { value, at: ports.now() })
    }

    /// All that is read beside the inventory; whatever fails or takes too long is missing.
    async fn others(&self, services: BTreeSet<ServiceName>) {
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let until = deadline.min(ports.now() + PATIENCE);
        let stopped = async {
            match bounded(ports, until, ports.stopped_instances(config)).await {
                Ok(stopped) => self.partial().stopped = stopped,
                Err(error) => tracing::warn!(%error, "instance states not read"),
            }
        };
        let alarms = async {
            match bounded(ports, until, ports.quiet_alarms(config)).await {
                Ok(quiet) => self.partial().alarms = Some(quiet),
                Err(error) => tracing::warn!(%error, "alarms not read"),
            }
        };
        futures::join!(stopped, alarms, self.metrics(services));
    }

    async fn metrics(&self, services: BTreeSet<ServiceName>) {
        if services.is_empty() {
            return;
        }
        self.partial().asked.extend(services.clone());
        let Invocation { config, ports, deadline, .. } = *self.invocation;
        let since = ports.now() - config.policy.stale_after * LOOK_BACK;
        let until = deadline.min(ports.now() + PATIENCE);
        let answer = bounded(ports, until, ports.words(config, &services, since)).await;
        let mut partial = self.partial();
        partial.answered.extend(services.clone());
        match answer {
            Ok(published) => {
                partial.read.extend(services);
                partial.published.extend(published);
            }
            Err(error) => tracing::warn!(%error, "metrics not read"),
        }
    }

    /// All that is known by now.
    fn evidence(&self, inventory: &Observed<Inventory>) -> Evidence {
        let (config, now) = (self.config(), self.invocation.ports.now());
        let partial = self.partial();
        let mut inventory = inventory.value.clone();
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
        Evidence { inventory, quiet_alarms, testimony, ..Evidence::default() }
    }

    /// The services about which a move may be on the table.
    fn wanted(&self, inventory: &Observed<Inventory>) -> BTreeSet<ServiceName> {
        let (config, evidence) = (self.config(), self.evidence(inventory));
        let now = self.invocation.ports.now();
        let services = config.services.iter();
        let wanted =
            services.filter(|service| calls_for_closer_look(config, &evidence, service, now));
        wanted.map(|service| service.name.clone()).collect()
    }

    /// Whether inventory and hints that are news decide on a move: it does not wait for the metrics.
    fn hints_decide(&self, inventory: &Observed<Inventory>) -> bool {
        let moves = |decision: &Decision| matches!(decision.choice, Choice::Move { .. });
        let decided =
            || decide(self.config(), &self.evidence(inventory), self.invocation.ports.now());
        self.hints.are_news && decided().iter().any(moves)
    }

    fn is_live(&self) -> bool {
        let Partial { asked, read, .. } = &*self.partial();
        self.hints.are_news || !asked.is_empty() && asked == read
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

//! A world for tests: two nodes, tokio's paused time, and faults to order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use vipward_core::evidence::{Eni, Inventory, Observation, ObservationKey};
use vipward_core::hint::HINT_VERSION;
use vipward_core::name::ServiceName;
use vipward_core::observed::Observed;
use vipward_core::plan::Reassign;
use vipward_core::telemetry::AlarmName;
use vipward_core::{Config, EniId, Hint, HintEntry, NodeName, Verdict, VipAddr};

use crate::notice::Notice;
use crate::ports::{PortError, Ports, Published};
use crate::wake::HeardHint;

pub(crate) const CLUSTER: &str = include_str!("../fixtures/pair.toml");

pub(crate) fn config() -> Config {
    Config::parse("test", CLUSTER).expect("the cluster is right")
}

pub(crate) fn config_with_policy(policy: &str) -> Config {
    Config::parse("test", &format!("{CLUSTER}\n[policy]\n{policy}\n")).expect("it is right")
}

pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("within range")
}

/// What an ordered fault does to the next call of its kind.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The call fails and has no effect.
    Fails(PortError),
    /// The call has its effect and fails all the same.
    LosesReply,
    /// The call succeeds and has no effect at all.
    DoesNothing,
}

pub(crate) fn throttled(call: &'static str) -> PortError {
    PortError::Transient { call, cause: "RequestLimitExceeded".to_owned() }
}

pub(crate) fn unanswered(call: &'static str) -> PortError {
    PortError::Uncertain { call, cause: "no answer came in time".to_owned() }
}

pub(crate) fn denied(call: &'static str) -> PortError {
    PortError::Refused { call, cause: "UnauthorizedOperation".to_owned() }
}

/// Bytes of one event.
const LARGEST_EVENT: usize = 256 * 1_024;

/// What happens to the world.
pub(crate) type Change = fn(&mut State);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub now: Timestamp,
    pub inventory: Inventory,
    /// Alarms not in `OK`.
    pub alarms: BTreeSet<AlarmName>,
    pub stopped: BTreeSet<String>,
    /// The most addresses that an interface takes.
    pub room: Option<usize>,
    /// Each as of the start: agents go on saying the same until they say something else.
    pub observations: Vec<(ObservationKey, Observed<Observation>)>,
    pub contested: Vec<(NodeName, ServiceName, Observed<Observation>)>,
    pub primaries: Vec<(NodeName, ServiceName, Observed<bool>)>,
    /// The calls that fail for now, as AWS names them.
    pub failing: BTreeSet<&'static str>,
    pub assign_faults: VecDeque<Fault>,
    pub inventory_faults: VecDeque<PortError>,
    /// After so many answers EC2 can no longer be read; never when zero.
    pub inventory_answers: usize,
    /// The calls that never answer, and the detail types of notices that nobody takes.
    pub hanging: BTreeSet<&'static str>,
    /// What readers still see, and until when: EC2's Describe is eventually consistent.
    pub stale: Option<(Inventory, Timestamp)>,
    /// For so long after an assignment readers see the VIPs on the old interface, too.
    pub settling: Duration,
    /// The next re-read first moves that VIP there: somebody else acts.
    pub rival: Option<(VipAddr, EniId)>,
    /// Each answer of EC2 about the interfaces takes that long.
    pub slow: Duration,
    /// Each answer about the metrics takes that long.
    pub slow_metrics: Duration,
    /// Each call that changes something takes that long.
    pub slow_changes: Duration,
    /// Each answer about the instances takes that long.
    pub slow_instances: Duration,
    /// The series of these services are not complete for now.
    pub unreadable: BTreeSet<ServiceName>,
    /// The next re-read finds that interface detached from its instance.
    pub detached: Option<EniId>,
    /// What changes at that moment.
    pub later: Vec<(Duration, Change)>,
    pub assigns: Vec<(EniId, Vec<VipAddr>)>,
    /// What each of them was allowed.
    pub reassigns: Vec<Reassign>,
    pub notices: Vec<Notice>,
    pub reads: usize,
    pub metric_reads: Vec<BTreeSet<ServiceName>>,
}

pub(crate) struct World(Mutex<State>, Instant);

impl World {
    /// Both nodes are there; `a` holds both VIPs.
    pub fn new() -> Self {
        let eni = |address: &str, vips: &[&str]| Eni {
            subnet: "subnet-1".to_owned(),
            instance: Some(format!("i-{address}")),
            addresses: std::iter::once(&address)
                .chain(vips)
                .map(|text| text.parse().expect("an address"))
                .collect(),
            tags: BTreeMap::new(),
        };
        let enis = BTreeMap::from([
            (id("eni-0000000a"), eni("10.0.0.10", &["10.0.0.201", "10.0.0.202"])),
            (id("eni-0000000b"), eni("10.0.0.11", &[])),
        ]);
        let inventory = Inventory { enis, stopped: BTreeSet::new() };
        Self(Mutex::new(State { inventory, ..State::default() }), Instant::now())
    }

    pub fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state());
        self
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        let mut state = self.0.lock().expect("no test panics while it holds the state");
        state.now = start() + self.1.elapsed();
        while state.later.first().is_some_and(|(after, _)| *after <= self.1.elapsed()) {
            let (_, change) = state.later.remove(0);
            change(&mut state);
        }
        state
    }

    async fn hangs(&self, call: &'static str) {
        let hangs = self.state().hanging.contains(call);
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    pub fn deadline(&self) -> Timestamp {
        self.now() + SignedDuration::from_secs(28)
    }
}

pub(crate) fn id(text: &str) -> EniId {
    text.parse().expect("an id")
}

impl State {
    /// The metrics say that of `service` on `subject`, as of a second ago, and go on saying so.
    pub fn says(&mut self, observer: &str, subject: &str, service: &str, verdict: Verdict) {
        let node = |text: &str| text.parse::<NodeName>().expect("a name");
        let key = ObservationKey {
            observer: node(observer),
            subject: node(subject),
            service: service.parse().expect("a name"),
        };
        self.observations.retain(|(other, _)| *other != key);
        let at = start() - SignedDuration::from_secs(1);
        // What is well has long been so; what is ill only just fell ill.
        let held = if verdict == Verdict::Healthy { 60 } else { 1 };
        let since = self.now - SignedDuration::from_secs(held);
        let value = Observation { verdict, since, leaving: false, unready: None };
        self.observations.push((key, Observed { value, at }));
    }

    /// Only metrics say now that `service` is ill on that node.
    pub fn contests(&mut self, node: &str, service: &str) {
        self.says(node, node, service, Verdict::Unhealthy);
        let (key, said) = self.observations.pop().expect("it was just said");
        self.contested.push((key.subject, key.service, Observed { at: start(), ..said }));
    }

    /// `service` is ill on `a` and well on `b`, and the alarm of `a` has told.
    pub fn ill_on_a(&mut self, service: &str) {
        self.says("a", "a", service, Verdict::Unhealthy);
        self.says("b", "b", service, Verdict::Healthy);
        self.alarms.insert(format!("vipward/test/{service}/a/self").parse().expect("its name"));
    }

    pub fn holder(&self, vip: &str) -> Vec<&str> {
        let vip = vip.parse().expect("an address");
        let with_vip = self.inventory.enis.iter().filter(|(_, eni)| eni.addresses.contains(&vip));
        with_vip.map(|(id, _)| id.as_str()).collect()
    }

    fn lacks_room(&self, eni: &EniId, more: usize) -> bool {
        let held = self.inventory.enis[eni].addresses.len();
        self.room.is_some_and(|room| held + more > room)
    }

    fn is_taken(&self, vips: &[VipAddr]) -> bool {
        let mut held = self.inventory.enis.values().flat_map(|eni| &eni.addresses);
        held.any(|address| vips.iter().any(|vip| vip.0 == *address))
    }

    fn answer(&self, call: &'static str) -> Result<(), PortError> {
        if self.failing.contains(call) { Err(throttled(call)) } else { Ok(()) }
    }

    fn reassign(&mut self, eni: &EniId, vips: &[VipAddr]) {
        let mut both = self.inventory.clone();
        for other in self.inventory.enis.values_mut() {
            other.addresses.retain(|address| !vips.iter().any(|vip| vip.0 == *address));
        }
        let target = self.inventory.enis.get_mut(eni).expect("the interface is there");
        target.addresses.extend(vips.iter().map(|vip| vip.0));
        if self.settling > Duration::ZERO {
            both.enis.insert(eni.clone(), target.clone());
            self.stale = Some((both, self.now + std::mem::take(&mut self.settling)));
        }
    }
}

impl Ports for World {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn inventory(&self, _: &Config) -> Result<Inventory, PortError> {
        let slow = self.state().slow;
        tokio::time::sleep(slow).await;
        let now = self.now();
        let mut state = self.state();
        state.reads += 1;
        if let Some(error) = state.inventory_faults.pop_front() {
            return Err(error);
        }
        if state.inventory_answers > 0 && state.reads > state.inventory_answers {
            return Err(denied("DescribeNetworkInterfaces"));
        }
        if state.reads > 1
            && let Some((vip, eni)) = state.rival.take()
        {
            state.reassign(&eni, &[vip]);
        }
        if state.reads > 1
            && let Some(id) = state.detached.take()
        {
            state.inventory.enis.get_mut(&id).expect("the interface is there").instance = None;
        }
        match &state.stale {
            Some((seen, until)) if now < *until => Ok(seen.clone()),
            _ => Ok(state.inventory.clone()),
        }
    }

    async fn stopped_instances(&self, _: &Config) -> Result<BTreeSet<String>, PortError> {
        self.hangs("DescribeInstances").await;
        let slow = self.state().slow_instances;
        tokio::time::sleep(slow).await;
        let state = self.state();
        state.answer("DescribeInstances")?;
        Ok(state.stopped.clone())
    }

    async fn quiet_alarms(&self, config: &Config) -> Result<BTreeSet<AlarmName>, PortError> {
        self.hangs("DescribeAlarms").await;
        let state = self.state();
        state.answer("DescribeAlarms")?;
        Ok(AlarmName::all(config).filter(|alarm| !state.alarms.contains(alarm)).collect())
    }

    async fn metrics(
        &self,
        _: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> Result<Published, PortError> {
        self.hangs("GetMetricData").await;
        let slow = self.state().slow_metrics;
        tokio::time::sleep(slow).await;
        let mut state = self.state();
        state.metric_reads.push(services.clone());
        state.answer("GetMetricData")?;
        let passed = state.now.duration_since(start());
        let mut published = Published::default();
        for (key, Observed { value, at }) in &state.observations {
            let newest = Observed { value: *value, at: *at + passed };
            let is_asked = services.contains(&key.service) && newest.at >= since;
            published.observations.extend(is_asked.then(|| (key.clone(), newest)));
        }
        published.contested.clone_from(&state.contested);
        for (node, service, Observed { value, at }) in &state.primaries {
            let is = Observed { value: *value, at: *at + passed };
            published.primaries.push((node.clone(), service.clone(), is));
        }
        let incomplete = services.intersection(&state.unreadable);
        incomplete.for_each(|service| published.leave_out(service));
        Ok(published)
    }

    async fn assign(
        &self,
        eni: &EniId,
        vips: &[VipAddr],
        reassign: Reassign,
    ) -> Result<(), PortError> {
        self.hangs("AssignPrivateIpAddresses").await;
        let slow = self.state().slow_changes;
        tokio::time::sleep(slow).await;
        let mut state = self.state();
        state.assigns.push((eni.clone(), vips.to_vec()));
        state.reassigns.push(reassign);
        match state.assign_faults.pop_front() {
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::DoesNothing) => Ok(()),
            Some(Fault::LosesReply) => {
                state.reassign(eni, vips);
                Err(unanswered("AssignPrivateIpAddresses"))
            }
            None if reassign == Reassign::Forbidden && state.is_taken(vips) => {
                let cause = "[10.0.0.201] assigned, but move is not allowed.".to_owned();
                Err(PortError::Taken { call: "AssignPrivateIpAddresses", cause })
            }
            None if state.lacks_room(eni, vips.len()) => Err(PortError::Refused {
                call: "AssignPrivateIpAddresses",
                cause: "PrivateIpAddressLimitExceeded".to_owned(),
            }),
            None => {
                state.reassign(eni, vips);
                Ok(())
            }
        }
    }

    async fn tag(&self, eni: &EniId, tags: &BTreeMap<String, String>) -> Result<(), PortError> {
        let slow = self.state().slow_changes;
        tokio::time::sleep(slow).await;
        let mut state = self.state();
        state.answer("CreateTags")?;
        let eni = state.inventory.enis.get_mut(eni).expect("the interface is there");
        eni.tags.extend(tags.clone());
        Ok(())
    }

    async fn announce(&self, notice: &Notice) -> Result<(), PortError> {
        let hangs = self.state().hanging.contains(notice.detail_type);
        if hangs {
            std::future::pending::<()>().await;
        }
        let mut state = self.state();
        state.answer("PutEvents")?;
        if notice.detail.to_string().len() > LARGEST_EVENT {
            return Err(denied("PutEvents"));
        }
        state.notices.push(notice.clone());
        Ok(())
    }
}

/// A hint of `observer`, heard now: what it says of redis on which node, and for how many
/// milliseconds it has been saying so.
pub(crate) fn hint(world: &World, observer: &str, said: &[(&str, Verdict, u64)]) -> HeardHint {
    let observation = |(subject, verdict, held_ms): &(&str, Verdict, u64)| HintEntry {
        subject: subject.parse().expect("a name"),
        service: "redis".parse().expect("a name"),
        verdict: *verdict,
        held_ms: *held_ms,
        cause: None,
        lag_ms: None,
        primary: None,
        leaving: false,
        unready_ms: None,
        arrived: None,
        arrived_ms: None,
    };
    let sequence = u64::try_from(world.now().as_millisecond()).expect("it is after the epoch");
    let hint = Hint {
        version: HINT_VERSION,
        cluster: config().cluster,
        start_id: "s".to_owned(),
        sequence,
        config_digest: config().digest(),
        metrics_failing_ms: None,
        observations: said.iter().map(observation).collect(),
    };
    HeardHint { observer: observer.parse().expect("a name"), at: world.now(), hint }
}

//! A world for tests: two nodes, time that only passes in pauses, and faults to order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vipward_core::evidence::{Eni, Inventory, Observed, Statement, Topic};
use vipward_core::name::ServiceName;
use vipward_core::plan::Reassign;
use vipward_core::signals::AlarmName;
use vipward_core::{Config, EniId, NodeName, Verdict, VipAddr};

use crate::ports::{PortError, Ports, Published};
use crate::record::Notice;

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

pub(crate) fn denied(call: &'static str) -> PortError {
    PortError::Refused { call, cause: "UnauthorizedOperation".to_owned() }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub inventory: Inventory,
    /// Alarms not in `OK`.
    pub alarms: BTreeSet<AlarmName>,
    pub stopped: BTreeSet<String>,
    /// The most addresses that an interface takes.
    pub room: Option<usize>,
    pub words: Vec<(Topic, Observed<Statement>)>,
    pub primaries: Vec<(NodeName, ServiceName, Observed<bool>)>,
    /// The calls that fail for now, as AWS names them.
    pub failing: BTreeSet<&'static str>,
    pub assign_faults: VecDeque<Fault>,
    pub inventory_faults: VecDeque<PortError>,
    /// After so many answers EC2 can no longer be read; never when zero.
    pub inventory_answers: usize,
    /// The calls that never answer.
    pub hanging: BTreeSet<&'static str>,
    /// What readers still see, and until when: EC2's Describe is eventually consistent.
    pub stale: Option<(Inventory, Timestamp)>,
    /// For so long after an assignment readers see the VIPs on the old interface, too.
    pub settling: Duration,
    /// The next re-read first moves that VIP there: somebody else acts.
    pub rival: Option<(VipAddr, EniId)>,
    /// For so long the function stands still in the next re-read.
    pub stall: Duration,
    /// The next re-read finds that interface detached from its instance.
    pub detached: Option<EniId>,
    pub assigns: Vec<(EniId, Vec<VipAddr>)>,
    pub notices: Vec<Notice>,
    pub reads: usize,
    pub metric_reads: Vec<BTreeSet<ServiceName>>,
    pub elapsed: Duration,
}

pub(crate) struct World(pub Mutex<State>);

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
        Self(Mutex::new(State { inventory, ..State::default() }))
    }

    pub fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state());
        self
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the state")
    }

    pub fn deadline(&self) -> Timestamp {
        self.now() + SignedDuration::from_secs(28)
    }
}

pub(crate) fn id(text: &str) -> EniId {
    text.parse().expect("an id")
}

impl State {
    /// The metrics say that of `service` on `subject`, as of a second ago.
    pub fn says(&mut self, observer: &str, subject: &str, service: &str, verdict: Verdict) {
        let node = |text: &str| text.parse::<NodeName>().expect("a name");
        let topic = Topic {
            observer: node(observer),
            subject: node(subject),
            service: service.parse().expect("a name"),
        };
        self.words.retain(|(other, _)| *other != topic);
        let at = start() - SignedDuration::from_secs(1);
        let value = Statement { verdict, since: at, leaving: false };
        self.words.push((topic, Observed { value, at }));
    }

    /// `service` is ill on `a` and well on `b`, and the alarm of `a` has told.
    pub fn ill_on_a(&mut self, service: &str) {
        self.says("a", "a", service, Verdict::Unhealthy);
        self.says("b", "b", service, Verdict::Healthy);
        let alarm = format!("vipward/test/{service}/a/self");
        self.alarms.insert(alarm.parse().expect("an alarm's name"));
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
            self.stale = Some((both, start() + self.elapsed + std::mem::take(&mut self.settling)));
        }
    }
}

impl Ports for World {
    fn now(&self) -> Timestamp {
        start() + self.state().elapsed
    }

    async fn pause(&self, duration: Duration) {
        self.state().elapsed += duration;
    }

    async fn inventory(&self, _: &Config) -> Result<Inventory, PortError> {
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
        if state.reads > 1 {
            let stall = std::mem::take(&mut state.stall);
            state.elapsed += stall;
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
        let state = self.state();
        state.answer("DescribeInstances")?;
        Ok(state.stopped.clone())
    }

    async fn quiet_alarms(&self, config: &Config) -> Result<BTreeSet<AlarmName>, PortError> {
        let state = self.state();
        state.answer("DescribeAlarms")?;
        Ok(AlarmName::all(config).filter(|alarm| !state.alarms.contains(alarm)).collect())
    }

    async fn words(
        &self,
        _: &Config,
        services: &BTreeSet<ServiceName>,
        since: Timestamp,
    ) -> Result<Published, PortError> {
        if self.state().hanging.contains("GetMetricData") {
            return std::future::pending().await;
        }
        let mut state = self.state();
        state.metric_reads.push(services.clone());
        state.answer("GetMetricData")?;
        let asked = state
            .words
            .iter()
            .filter(|(topic, word)| services.contains(&topic.service) && word.at >= since);
        let (words, primaries) = (asked.cloned().collect(), state.primaries.clone());
        Ok(Published { words, primaries, ..Published::default() })
    }

    async fn assign(&self, eni: &EniId, vips: &[VipAddr], _: Reassign) -> Result<(), PortError> {
        let mut state = self.state();
        state.assigns.push((eni.clone(), vips.to_vec()));
        match state.assign_faults.pop_front() {
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::DoesNothing) => Ok(()),
            Some(Fault::LosesReply) => {
                state.reassign(eni, vips);
                Err(throttled("AssignPrivateIpAddresses"))
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
        let mut state = self.state();
        state.answer("CreateTags")?;
        let eni = state.inventory.enis.get_mut(eni).expect("the interface is there");
        eni.tags.extend(tags.clone());
        Ok(())
    }

    async fn announce(&self, notices: &[Notice]) -> Result<(), PortError> {
        let mut state = self.state();
        state.answer("PutEvents")?;
        state.notices.extend_from_slice(notices);
        Ok(())
    }
}

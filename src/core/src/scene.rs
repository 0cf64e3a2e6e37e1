//! Small clusters and what is said in them, for the tests of this crate.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::{CheckKind, Config, Role, Service};
use crate::evidence::{Eni, Evidence, Observation, ObservationKey, Snapshot};
use crate::hint::Verdict;
use crate::name::{NodeName, VipAddr};
use crate::observed::Observed;
use crate::telemetry::{AlarmKind, AlarmName, SelfHealth};

/// The VIP of a scene's first service.
pub(crate) const VIP: VipAddr = VipAddr(Ipv4Addr::new(10, 0, 0, 200));

/// An interface that the file of no scene names.
pub(crate) const FOREIGN: &str = "eni-ffffffff";

/// A cluster of one service `svc`, or of a group of them, with what is known of it at
/// [`Scene::now`].
pub(crate) struct Scene {
    pub config: Config,
    pub evidence: Evidence,
    pub now: Timestamp,
    /// Which service what is added is about.
    about: usize,
}

pub(crate) fn node(name: &str) -> NodeName {
    name.parse().expect("a name")
}

impl Scene {
    /// Nodes `a` (preferred), `b`, `c` … and witnesses `w0`, `w1` …; every ENI is there, nobody
    /// has the VIP, the alarms are quiet, the metrics were read, and nobody said a thing.
    pub fn new(nodes: usize, witnesses: usize, policy: &str) -> Self {
        Self::with_services(nodes, witnesses, policy, &[("svc", "")])
    }

    /// The same with a group of services `svc`, `svc-1`, `svc-2` …; what is added is about the
    /// first.
    pub fn group(services: usize, nodes: usize, policy: &str) -> Self {
        let group = "group = \"db\"";
        let members = [("svc", group), ("svc-1", group), ("svc-2", group)];
        Self::with_services(nodes, 1, policy, &members[..services])
    }

    /// What is added from here on is about the service of that index.
    pub fn about(self, index: usize) -> Self {
        Self { about: index, ..self }
    }

    fn service(&self) -> &Service {
        &self.config.services[self.about]
    }

    fn with_services(
        nodes: usize,
        witnesses: usize,
        policy: &str,
        services: &[(&str, &str)],
    ) -> Self {
        use std::fmt::Write as _;
        let mut text =
            format!("cluster = \"test\"\nsubnet = \"10.0.0.0/24\"\n[policy]\n{policy}\n");
        for (index, name) in ["a", "b", "c", "d"].iter().take(nodes).enumerate() {
            let _ = write!(
                text,
                "[[node]]\nname = \"{name}\"\naddress = \"10.0.0.{}\"\neni = \"eni-0000000{index}\"\npriority = {}\n",
                10 + index,
                100 - index * 10,
            );
        }
        for index in 0..witnesses {
            let _ = write!(
                text,
                "[[witness]]\nname = \"w{index}\"\naddress = \"10.0.0.{}\"\n",
                30 + index
            );
        }
        for (index, (name, more)) in services.iter().enumerate() {
            let _ = write!(
                text,
                "[[service]]\nname = \"{name}\"\nvip = \"10.0.0.{}\"\ncheck = {{ kind = \"tcp\", port = 80 }}\n{more}\n",
                200 + index
            );
        }
        let config = Config::parse("scene", &text).unwrap_or_else(|faults| panic!("{faults}"));
        let mut evidence = Evidence {
            quiet_alarms: Some(AlarmName::all(&config).collect()),
            ..Evidence::default()
        };
        evidence
            .observations
            .read
            .extend(config.services.iter().map(|service| service.name.clone()));
        for node in &config.nodes {
            evidence.inventory.enis.insert(
                node.eni.clone(),
                Eni {
                    subnet: "subnet-1".to_owned(),
                    instance: Some(format!("i-{}", node.name)),
                    addresses: vec![node.address],
                    tags: BTreeMap::new(),
                },
            );
        }
        let now = Timestamp::from_second(1_790_000_000).expect("within range");
        Self { config, evidence, now, about: 0 }
    }

    /// What is known now.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { config: &self.config, evidence: &self.evidence, now: self.now }
    }

    /// The VIP is on `holder`.
    pub fn held_by(mut self, holder: &str) -> Self {
        let vip = self.service().vip.0;
        let eni = &self.config.node(&node(holder)).expect("in the scene").eni;
        self.evidence.inventory.enis.get_mut(eni).expect("there").addresses.push(vip);
        self
    }

    /// The VIP is on an interface that the file does not name: [`FOREIGN`].
    pub fn held_by_a_foreign_interface(mut self) -> Self {
        let eni = Eni {
            subnet: "subnet-1".to_owned(),
            instance: None,
            addresses: vec![self.service().vip.0],
            tags: BTreeMap::new(),
        };
        self.evidence.inventory.enis.insert(FOREIGN.parse().expect("an id"), eni);
        self
    }

    /// `observer` said that of `subject`, `age` seconds ago, and had been saying it for `held`.
    pub fn says(
        self,
        observer: &str,
        subject: &str,
        verdict: Verdict,
        age: i64,
        held: i64,
    ) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let since = at - SignedDuration::from_secs(held);
        self.hears(
            observer,
            subject,
            Observation { verdict, since, leaving: false, unready: None },
            at,
        )
    }

    /// `name` said, `age` seconds ago, that it is well and had not been ready for `lasting`
    /// seconds.
    pub fn unready(self, name: &str, age: i64, lasting: i64) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let unready = Some(at - SignedDuration::from_secs(lasting));
        let (verdict, since) = (Verdict::Healthy, at);
        self.hears(name, name, Observation { verdict, since, leaving: false, unready }, at)
    }

    /// `name` said, `age` seconds ago, that it is well and that it leaves.
    pub fn leaves(self, name: &str, age: i64) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let statement =
            Observation { verdict: Verdict::Healthy, since: at, leaving: true, unready: None };
        self.hears(name, name, statement, at)
    }

    /// Only metrics in the name of `name` said, `age` seconds ago, that it is ill, leaves or is not
    /// ready.
    pub fn contested(mut self, name: &str, health: SelfHealth, age: i64) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let SelfHealth { verdict, leaving, unready } = health;
        let unready = unready.then_some(at);
        let value = Observation { verdict, since: at, leaving, unready };
        let service = self.service().name.clone();
        self.evidence.observations.add_contested(node(name), service, Observed { value, at });
        self
    }

    fn hears(mut self, observer: &str, subject: &str, value: Observation, at: Timestamp) -> Self {
        let key = ObservationKey {
            observer: node(observer),
            subject: node(subject),
            service: self.service().name.clone(),
        };
        self.evidence.observations.add(key, Observed { value, at });
        self
    }

    /// The VIP follows the primary; of the alarms on who it is, that of `quiet` alone is quiet.
    pub fn following(mut self, quiet: &str) -> Self {
        let service = &mut self.config.services[self.about];
        service.check.kind =
            CheckKind::Mongodb { max_lag: service.check.kind.max_lag(), tls: None };
        service.role = Role::Primary;
        let alarms = AlarmName::all(&self.config)
            .filter(|alarm| alarm.kind != AlarmKind::Primary || alarm.node == node(quiet));
        self.evidence.quiet_alarms = Some(alarms.collect());
        self
    }

    /// `name` said, `age` seconds ago, whether it is a primary.
    pub fn claims(mut self, name: &str, is: bool, age: i64) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let service = self.service().name.clone();
        self.evidence.observations.add_primary(node(name), service, Observed { value: is, at });
        self
    }

    /// The service is a replicated one, and candidates may lag that many seconds.
    pub fn with_max_lag(mut self, seconds: u64) -> Self {
        let max_lag = Some(Duration::from_secs(seconds));
        self.config.services[self.about].check.kind =
            CheckKind::Redis { user: None, password_file: None, max_lag, tls: None };
        self
    }

    /// `name` said, `age` seconds ago, that it is that many seconds behind.
    pub fn lags(mut self, name: &str, seconds: u64, age: i64) -> Self {
        let at = self.now - SignedDuration::from_secs(age);
        let lag = Observed { value: Duration::from_secs(seconds), at };
        let service = self.service().name.clone();
        self.evidence.observations.add_lag(node(name), service, lag);
        self
    }

    /// The own alarm of `name` is in trouble.
    pub fn alarm(mut self, name: &str) -> Self {
        let alarm: AlarmName =
            format!("vipward/test/{}/{name}/self", self.service().name).parse().expect("its name");
        self.evidence.quiet_alarms.get_or_insert_default().remove(&alarm);
        self
    }

    /// A tag on the ENI of `name` remembers unplanned moves, that many seconds ago.
    pub fn moved(mut self, name: &str, ages: &[i64]) -> Self {
        let per = self.config.policy.move_budget.per;
        let ledger = ages.iter().fold(crate::ledger::Ledger::default(), |ledger, age| {
            ledger.after_move(self.now - SignedDuration::from_secs(*age), true, per)
        });
        let key = crate::ledger::Ledger::tag_key(&self.config.cluster, &self.service().name);
        let eni = &self.config.node(&node(name)).expect("in the scene").eni;
        let eni = self.evidence.inventory.enis.get_mut(eni).expect("there");
        eni.tags.insert(key, ledger.to_string());
        self
    }

    /// An operator drains `name`, for that many seconds more.
    pub fn drained(mut self, name: &str, seconds: i64) -> Self {
        let until = self.now + SignedDuration::from_secs(seconds);
        let drain = crate::drain::Drain::new(until, "anna", "kernel update");
        let key = crate::drain::Drain::tag_key(&self.config.cluster);
        let eni = &self.config.node(&node(name)).expect("in the scene").eni;
        let eni = self.evidence.inventory.enis.get_mut(eni).expect("there");
        eni.tags.insert(key, drain.to_string());
        self
    }

    /// What is known is only remembered.
    pub fn unheard(mut self) -> Self {
        let service = self.service().name.clone();
        self.evidence.unheard.insert(service);
        self
    }

    /// A call of a moment ago may bring the VIP to `name`.
    pub fn in_flight(mut self, name: &str) -> Self {
        let service = self.service().name.clone();
        self.evidence.in_flight.entry(service).or_default().insert(node(name));
        self
    }

    /// EC2 says that the instance of `name` does not run.
    pub fn stopped(mut self, name: &str) -> Self {
        self.evidence.inventory.stopped.insert(node(name));
        self
    }

    /// The interface of `name` lies in another subnet than the VIPs.
    pub fn elsewhere(mut self, name: &str) -> Self {
        let eni = &self.config.node(&node(name)).expect("in the scene").eni;
        let eni = self.evidence.inventory.enis.get_mut(eni).expect("there");
        eni.addresses = vec![Ipv4Addr::new(10, 9, 0, 1)];
        self
    }

    /// EC2's answer leaves out the interface of `name`.
    pub fn absent(mut self, name: &str) -> Self {
        let eni = &self.config.node(&node(name)).expect("in the scene").eni;
        self.evidence.inventory.enis.remove(eni);
        self
    }

    /// The metrics could not be read.
    pub fn unread(mut self) -> Self {
        self.evidence.observations.read.clear();
        self
    }
}

//! What the agent does beside observing: it leaves when told to or when the instance ends, and runs
//! hooks as VIPs come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use vipward_core::{Config, NodeName, ServiceName, Verdict};
use vipward_observe::holdings::Holdings;
use vipward_observe::hooks::{Due, Hooks, Occasion};
use vipward_observe::leaving::Leaving;
use vipward_observe::ports::Metadata;
use vipward_observe::readiness::{HostLook, Lack, Readiness};
use vipward_observe::requests::{Refusal, Which};
use vipward_observe::status::{HookStatus, LeavingStatus, VipStatus};

use crate::hooks::command::{Ended, Setting, run};
use crate::hooks::memory::Memory;
use crate::host::alias_report::alias_unit;
use crate::host::clock::{Clock, wall};
use crate::host::own_vips;
use crate::instance::watch::{News, watch_metadata};

/// News of the instance that may wait for the driver.
const WAITING_NEWS: usize = 4;

/// Something that calls for the agent's attention.
#[derive(Debug)]
pub enum Call {
    /// The instance's metadata say something new.
    News(News),
    /// A hook has ended; an error when it could not even be run to its end.
    Hook(Result<(Due, Ended), JoinError>),
}

/// Where files are that the lifecycle shares.
#[derive(Debug)]
pub struct Files {
    /// What hooks did is remembered here; `None` remembers nothing.
    pub memory: Option<PathBuf>,
    /// The host's alias unit reports here.
    pub alias_report: PathBuf,
}

/// The lifecycle of one node. A witness has none.
pub struct Lifecycle {
    me: NodeName,
    is_node: bool,
    /// The addresses of the other nodes.
    peers: Vec<Ipv4Addr>,
    leaving: Leaving,
    holdings: Holdings,
    hooks: Hooks,
    readiness: Readiness,
    /// Where the host's alias unit reports.
    alias_report: PathBuf,
    memory: Memory,
    runs: JoinSet<(Due, Ended)>,
    news: mpsc::Receiver<News>,
    /// The watch of the metadata; it ends with the lifecycle.
    _watch: JoinSet<()>,
}

impl Lifecycle {
    /// Takes the lifecycle of `me` up. Without metadata (not an instance, or switched off) nothing
    /// is known of VIPs and of the instance's end.
    pub fn start(
        config: &Config,
        me: &NodeName,
        clock: Clock,
        metadata: Option<impl Metadata>,
        files: Files,
    ) -> Self {
        let memory = Memory::open(files.memory);
        let hooks = Hooks::new(config, memory.remembered());
        let (tell, news) = mpsc::channel(WAITING_NEWS);
        let mut watch = JoinSet::new();
        let node = config.node(me);
        if let (Some(metadata), Some(node)) = (metadata, node) {
            watch.spawn(watch_metadata(metadata, node.eni.clone(), clock, tell));
        }
        Self {
            me: me.clone(),
            is_node: node.is_some(),
            peers: peers(config, me),
            leaving: Leaving::default(),
            holdings: Holdings::of(config, me),
            hooks,
            readiness: Readiness::new(config, clock.now()),
            alias_report: files.alias_report,
            memory,
            runs: JoinSet::new(),
            news,
            _watch: watch,
        }
    }

    /// The file has changed.
    pub fn on_config(&mut self, config: &Config) {
        self.holdings.on_config(config);
        self.hooks.on_config(config);
        self.readiness.on_config(config);
        self.peers = peers(config, &self.me);
    }

    /// Which VIPs are here.
    pub fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    /// What leaves this node.
    pub fn leaving(&self) -> &Leaving {
        &self.leaving
    }

    /// Of each service that has hooks, whether the last run failed.
    pub fn hooks_failing(&self) -> BTreeMap<ServiceName, bool> {
        self.hooks.failing()
    }

    /// Looks at the host when it is time; which services could not be served at their VIPs.
    pub fn look_at_host(&mut self, now: Timestamp) -> BTreeSet<ServiceName> {
        if !self.is_node {
            return BTreeSet::new();
        }
        if self.readiness.poll(now) {
            let look = HostLook {
                present: own_vips::present(self.holdings.vips().map(|(_, vip)| vip)),
                alias_unit: alias_unit(&self.alias_report, &self.me, wall()),
            };
            self.readiness.done(&look, &self.holdings);
        }
        self.readiness.unready(&self.hooks)
    }

    /// What services lack that could not be served at their VIPs, by the last look.
    pub fn lacks(&self) -> Vec<(ServiceName, Lack)> {
        if self.is_node { self.readiness.lacks(&self.hooks) } else { Vec::new() }
    }

    /// Makes services leave, for a reason, or stay, without one.
    ///
    /// # Errors
    /// When there is nothing that could leave.
    pub fn depart(
        &mut self,
        config: &Config,
        which: &Which,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !self.is_node {
            let refused = format!("{} is a witness: it holds no VIP", self.me);
            return Err(Refusal { refused });
        }
        let services = which.of(config)?;
        for service in &services {
            tracing::info!(%service, reason, leaves = reason.is_some(), "told to leave or stay");
        }
        match reason {
            Some(reason) => self.leaving.on_request(now, &services, reason),
            None => self.leaving.on_cancel(&services),
        }
        Ok(())
    }

    /// The verdict on the own service has changed.
    pub fn on_verdict(&mut self, service: &ServiceName, verdict: Verdict) {
        self.hooks.on_verdict(service, verdict);
    }

    /// Starts the hooks that are due.
    pub fn run_what_is_due(&mut self, now: Timestamp) {
        if !self.is_node {
            return;
        }
        let due: Vec<_> = std::iter::from_fn(|| self.hooks.poll(now)).collect();
        self.memory.remember(&self.hooks.remembered());
        for due in due {
            let Some(vip) = self.holdings.vip(&due.service) else { continue };
            let setting = Setting { node: self.me.clone(), vip, peers: self.peers.clone() };
            tracing::info!(service = %due.service, occasion = due.occasion.word(), "hook started");
            self.runs.spawn(async move {
                let ended = run(&due, &setting).await;
                (due, ended)
            });
        }
    }

    /// When [`Self::run_what_is_due`] or [`Self::look_at_host`] may have something to do, whatever
    /// happens until then.
    pub fn deadline(&self) -> Option<Timestamp> {
        let deadlines = [self.hooks.deadline(), self.readiness.deadline()];
        deadlines.into_iter().flatten().min().filter(|_| self.is_node)
    }

    /// The next call. Cancel safe.
    pub async fn next(&mut self) -> Call {
        tokio::select! {
            Some(news) = self.news.recv() => Call::News(news),
            Some(ended) = self.runs.join_next() => Call::Hook(ended),
            else => std::future::pending().await,
        }
    }

    /// Takes a call in.
    pub fn on_call(&mut self, now: Timestamp, call: Call) {
        match call {
            Call::News(News::Addresses(at, found)) => {
                if let Some(error) = self.holdings.on_addresses(at, found) {
                    tracing::warn!(error, "addresses of the interface not known");
                }
                for (service, _) in self.holdings.vips() {
                    self.hooks.on_vip(service, self.holdings.here_now(service));
                }
            }
            Call::News(News::Leaving(reason)) => {
                tracing::warn!(reason, leaves = reason.is_some(), "end of the instance announced");
                self.leaving.on_announcement(now, reason.as_deref());
            }
            Call::Hook(Ok((due, ended))) => self.on_hook_ended(now, &due, ended),
            Call::Hook(Err(error)) => tracing::error!(%error, "hook not run"),
        }
    }

    fn on_hook_ended(&mut self, now: Timestamp, due: &Due, ended: Ended) {
        let (service, occasion) = (&due.service, due.occasion.word());
        let Ended { failure, output } = ended;
        match &failure {
            None => tracing::info!(%service, occasion, output, "hook done"),
            Some(failure) => tracing::error!(%service, occasion, failure, output, "hook failed"),
        }
        let failure = failure.map(|failure| match output.as_str() {
            "" => failure,
            said => format!("{failure}: {said}"),
        });
        self.hooks.done(now, service, failure);
    }

    /// What people may want to know: what leaves, where the VIPs are, what the hooks did.
    pub fn status(&self, config: &Config) -> (Vec<LeavingStatus>, Vec<VipStatus>, Vec<HookStatus>) {
        let services = || self.holdings.vips().filter(|_| self.is_node);
        let leaving = services().filter_map(|(service, _)| {
            let departure = self.leaving.of(service)?.clone();
            Some(LeavingStatus { service: service.clone(), departure })
        });
        let vips = services().map(|(service, vip)| VipStatus {
            service: service.clone(),
            unit: config.service(service).and_then(|service| service.unit.clone()),
            vip,
            here: self.holdings.here(service),
            looked: self.holdings.looked(),
        });
        let hooks = self.hooks.runs().map(|(service, running, last)| HookStatus {
            service: service.clone(),
            running: running.map(Occasion::word).map(str::to_owned),
            last: last.cloned(),
        });
        (leaving.collect(), vips.collect(), hooks.collect())
    }
}

fn peers(config: &Config, me: &NodeName) -> Vec<Ipv4Addr> {
    config.nodes.iter().filter(|node| node.name != *me).map(|node| node.address).collect()
}

//! A running cluster: region, fabric, hosts and the log of it all.

mod actions;
mod planned;
mod ready;
mod region;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;
use vipward_core::{Config, Faults, NodeName};

use crate::binaries::Binaries;
use crate::console::Console;
use crate::control::ControlError;
use crate::fabric::{Fabric, FabricError};
use crate::fabric_kind::FabricKind;
use crate::host::{Host, HostContext, Part};
use crate::layout::{ClusterSpec, HostKind, Layout, ServicePlan};
use crate::log::Log;
use crate::observed;
use crate::process::StartError;
use crate::record::REGION;
use crate::service;
pub use planned::Announcement;
use region::Region;

/// Until a cluster must be ready: the alarms alone take some 20 s to turn OK.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// Until a service that was started must answer.
const SERVICE_WITHIN: Duration = Duration::from_secs(20);

/// What the lab has on this machine.
#[derive(Debug, Clone)]
pub struct Environment {
    pub binaries: Binaries,
    pub fabric: FabricKind,
    pub path: OsString,
}

#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Config(#[from] Faults),
    #[error("cannot render the template: {0}")]
    Render(String),
    #[error("cannot write the region's world")]
    World(#[from] toml::ser::Error),
    #[error("the fabric failed")]
    Fabric(#[from] FabricError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It was not ready in time, or fell over on the way.
    #[error("the cluster did not become ready: {0}")]
    NotReady(String),
    /// What was asked for makes no sense as things are.
    #[error("{0}")]
    Impossible(String),
}

#[derive(Debug)]
pub struct Cluster {
    pub layout: Layout,
    pub log: Log,
    region: Region,
    fabric: Arc<Mutex<Fabric>>,
    hosts: BTreeMap<NodeName, Host>,
    context: HostContext,
    delivery: tokio::task::JoinHandle<()>,
    /// Where the log was when the cluster was ready.
    ready_at: usize,
}

impl Cluster {
    /// Starts everything and waits until it is ready: VIPs held, alarms OK, clients served.
    pub async fn start(
        environment: &Environment,
        spec: ClusterSpec,
        folder: &Path,
        console: &mut Console,
    ) -> Result<Self, ClusterError> {
        let layout = Layout::new(spec, environment.fabric);
        let write = |path: &Path, source| ClusterError::Write { path: path.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(|error| write(folder, error))?;
        let config = folder.join("vipward.toml");
        Config::parse("the lab's vipward.toml", &layout.vipward_toml())?;
        std::fs::write(&config, layout.vipward_toml()).map_err(|error| write(&config, error))?;
        let log_path = folder.join("log.jsonl");
        let log = Log::create(&log_path).map_err(|error| write(&log_path, error))?;

        console.waiting("for fabric and region");
        let mut fabric = Fabric::build(environment.fabric, &layout).await?;
        give_holders(&layout, &mut fabric, &log).await?;
        let region = Region::start(environment, &layout, folder, &log).await?;
        let fabric = Arc::new(Mutex::new(fabric));
        let context = HostContext {
            binaries: environment.binaries.clone(),
            config,
            folder: folder.to_owned(),
            path: environment.path.clone(),
            endpoint: region.endpoint.clone(),
            kind: layout.spec.kind,
            log: log.clone(),
        };
        let delivery = tokio::spawn(deliver(log.clone(), Arc::clone(&fabric), layout.clone()));
        let hosts = layout.hosts.iter().map(|plan| (plan.name.clone(), Host::new(plan.clone())));
        let hosts = hosts.collect();
        let mut cluster =
            Self { layout, log, region, fabric, hosts, context, delivery, ready_at: 0 };
        cluster.start_hosts().await?;
        cluster.become_ready(console).await?;
        Ok(cluster)
    }

    async fn start_hosts(&mut self) -> Result<(), ClusterError> {
        let members: Vec<NodeName> =
            self.layout.hosts.iter().map(|host| host.name.clone()).collect();
        for host in &members {
            self.start_missing(host).await?;
        }
        Ok(())
    }

    /// Starts what should run on a host and does not.
    async fn start_missing(&mut self, name: &NodeName) -> Result<(), ClusterError> {
        let Some(host) = self.hosts.get_mut(name) else {
            return Err(ClusterError::Impossible(format!("there is no host {name}")));
        };
        let fabric = self.fabric.lock().await;
        let kind = host.plan.kind;
        if kind == HostKind::Client && !host.runs(&Part::Client) {
            host.start_client(&self.layout.services, &fabric, &self.context)?;
        }
        if kind == HostKind::Node {
            for service in &self.layout.services {
                if !host.runs(&Part::Service(service.name.clone())) {
                    host.start_service(service, &fabric, &self.context)?;
                    make_known(host, service, &self.context).await?;
                    planned::begin_role(&self.layout, host, service).await?;
                }
            }
            if fabric.has_interfaces() && !host.runs(&Part::Alias) {
                host.start_alias(&fabric, &self.context)?;
            }
        }
        if kind != HostKind::Client && !host.runs(&Part::Agent) {
            host.start_agent(&fabric, &self.context)?;
        }
        Ok(())
    }

    async fn become_ready(&mut self, console: &mut Console) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_WITHIN;
        let layout = &self.layout;
        loop {
            let tick = deadline.min(Instant::now() + console.tick());
            let state = self.log.wait(tick, |records| match observed::crashed(records) {
                Some(crashed) => Some(Err(ClusterError::NotReady(crashed))),
                None => ready::missing(records, layout).is_empty().then_some(Ok(())),
            });
            if let Some(state) = state.await {
                self.ready_at = self.log.mark();
                console.waited();
                return state;
            }
            let missing = self.log.read(|records| ready::missing(records, layout)).join(", ");
            if Instant::now() >= deadline {
                return Err(ClusterError::NotReady(format!("still without {missing}")));
            }
            console.waiting(&format!("for {missing}"));
        }
    }

    /// Where the log was when the cluster was ready.
    pub fn ready_at(&self) -> usize {
        self.ready_at
    }

    /// Ends everything and leaves the machine as it was.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        self.delivery.abort();
        for host in self.hosts.values_mut() {
            host.kill_all().await;
        }
        self.region.stop().await;
        self.fabric.lock().await.tear_down().await?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.delivery.abort();
    }
}

/// The holders that the world begins with.
async fn give_holders(layout: &Layout, fabric: &mut Fabric, log: &Log) -> Result<(), FabricError> {
    let Some(first) = layout.first_holder() else {
        return Ok(());
    };
    for service in &layout.services {
        fabric.deliver(service.vip, Some(first.eni.as_str())).await?;
        log.note("holder given", json!({"addresses": [service.vip], "eni": first.eni}));
    }
    Ok(())
}

/// The data plane: follows the region's journal and delivers each VIP where EC2 says.
async fn deliver(log: Log, fabric: Arc<Mutex<Fabric>>, layout: Layout) {
    let mut mark = 0;
    loop {
        let news = log.after(mark).await;
        mark += news.len();
        for record in news.iter().filter(|record| record.by == REGION) {
            let eni = match record.what.as_str() {
                "assigned" => record.text("eni"),
                "unassigned" => None,
                _ => continue,
            };
            for service in &layout.services {
                if !observed::mentions(record, &service.vip.to_string()) {
                    continue;
                }
                let done = fabric.lock().await.deliver(service.vip, eni).await;
                let to = eni.and_then(|eni| layout.node_of(eni));
                match done {
                    Ok(()) => log.note("vip delivered", json!({"vip": service.vip, "to": to})),
                    Err(error) => log.note("delivery failed", json!({"error": error.to_string()})),
                }
            }
        }
    }
}

/// Tells a service which node it is on, where it does not know by itself.
async fn make_known(
    host: &Host,
    service: &ServicePlan,
    context: &HostContext,
) -> Result<(), ClusterError> {
    if context.kind == service::ServiceKind::Builtin {
        return Ok(());
    }
    let address = std::net::SocketAddrV4::new(host.plan.address, service.port);
    let name = host.plan.name.as_str();
    let deadline = Instant::now() + SERVICE_WITHIN;
    loop {
        let error = match service::name_redis(address, name, Duration::from_millis(500)).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if let Some(crashed) = context.log.read(observed::crashed) {
            return Err(ClusterError::NotReady(crashed));
        }
        if Instant::now() >= deadline {
            let told = format!("{} on {name} does not start: {error}", service.name);
            return Err(ClusterError::NotReady(told));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Planned changes: leaving and staying, agents that are stopped, other primaries, and what AWS
//! announces.

use std::net::SocketAddrV4;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::process::Command;
use vipward_core::config::Role;
use vipward_core::{NodeName, ServiceName};

use super::{Cluster, ClusterError};
use crate::clock;
use crate::host::{Host, Part};
use crate::layout::{HostKind, Layout, ServicePlan};
use crate::service;

/// Until a redis-server answers.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// A spot interruption in two minutes.
    SpotInterruption,
    Rebalance,
    /// Maintenance that begins in a minute.
    Maintenance,
    /// The Auto Scaling group takes the instance out.
    Termination,
}

impl Announcement {
    /// Each with its word.
    pub const ALL: [(&'static str, Self); 4] = [
        ("spot-interruption", Self::SpotInterruption),
        ("rebalance", Self::Rebalance),
        ("maintenance", Self::Maintenance),
        ("termination", Self::Termination),
    ];

    /// Where the metadata tell it, and how.
    fn told(self, now: Timestamp) -> (&'static str, String) {
        let ahead = |minutes| now + SignedDuration::from_mins(minutes);
        match self {
            Self::SpotInterruption => {
                let told = json!({ "action": "terminate", "time": ahead(2) });
                ("spot/instance-action", told.to_string())
            }
            Self::Rebalance => {
                let told = json!({ "noticeTime": now });
                ("events/recommendations/rebalance", told.to_string())
            }
            Self::Maintenance => {
                let moment = |minutes| ahead(minutes).strftime("%d %b %Y %H:%M:%S GMT").to_string();
                let told = json!([{
                    "Code": "system-reboot", "Description": "scheduled reboot", "State": "active",
                    "EventId": "instance-event-0d59937288b749b32",
                    "NotBefore": moment(1), "NotAfter": moment(20),
                }]);
                ("events/maintenance/scheduled", told.to_string())
            }
            Self::Termination => ("autoscaling/target-lifecycle-state", "Terminated".to_owned()),
        }
    }
}

impl Cluster {
    /// Has a node leave, waits for at most `patience`, and wants the VIPs gone then, or, `in_vain`,
    /// still there.
    pub async fn leave(
        &mut self,
        node: &NodeName,
        patience: Duration,
        in_vain: bool,
    ) -> Result<(), ClusterError> {
        self.log.note(super::actions::INJECTED, json!({ "text": format!("{node} leaves") }));
        let wait = format!("{}ms", patience.as_millis());
        let arguments = ["leave", "--reason", "the scenario says so", "--wait", &wait];
        let code = self.ask_agent(node, &arguments).await?;
        is_free(code, in_vain, &format!("`vipward-agent leave` on {node}"))
    }

    /// Has an operator drain a node, from the client's host; the rest as in [`Self::leave`].
    pub async fn drain(
        &mut self,
        node: &NodeName,
        patience: Duration,
        in_vain: bool,
    ) -> Result<(), ClusterError> {
        self.log.note(super::actions::INJECTED, json!({ "text": format!("{node} is drained") }));
        let wait = format!("{}s", patience.as_secs());
        let client = self.layout.of(HostKind::Client).next().and_then(|c| self.hosts.get(&c.name));
        let lacking = || ClusterError::Impossible("there is no client's host".to_owned());
        let command = {
            let fabric = self.fabric.lock().await;
            let why = "the scenario says so";
            let arguments = ["drain", node.as_str(), "--reason", why, "--wait", &wait];
            client.ok_or_else(lacking)?.operate(&arguments, &fabric, &self.context)
        };
        let code = self.outcome(node, command).await?;
        is_free(code, in_vain, &format!("`vipward drain {node}`"))
    }

    pub async fn stay(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.log.note(super::actions::REPAIRED, json!({ "text": format!("{node} stays") }));
        match self.ask_agent(node, &["stay"]).await? {
            0 => Ok(()),
            code => {
                let told = format!("`vipward-agent stay` on {node} ended with {code}");
                Err(ClusterError::Impossible(told))
            }
        }
    }

    async fn ask_agent(
        &mut self,
        node: &NodeName,
        arguments: &[&str],
    ) -> Result<i32, ClusterError> {
        let arguments: Vec<_> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let command = {
            let fabric = self.fabric.lock().await;
            let unknown = || ClusterError::Impossible(format!("there is no host {node}"));
            let host = self.hosts.get(node).ok_or_else(unknown)?;
            host.ask_agent(&arguments, &fabric, &self.context)
        };
        self.outcome(node, command).await
    }

    /// Runs a command that is about a node; its exit code.
    async fn outcome(&self, node: &NodeName, mut command: Command) -> Result<i32, ClusterError> {
        let not_run = |error: std::io::Error| ClusterError::Impossible(error.to_string());
        let output = command.output().await.map_err(not_run)?;
        let code = output.status.code().unwrap_or(-1);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        self.log.note("command run", json!({ "node": node, "code": code, "said": said }));
        Ok(code)
    }

    /// Stops the agent of a node, as for an upgrade.
    pub async fn stop_agent(&mut self, node: &NodeName) -> Result<(), ClusterError> {
        self.log
            .note(super::actions::INJECTED, json!({ "text": format!("agent on {node} stopped") }));
        let stopped = match self.hosts.get_mut(node) {
            Some(host) => host.stop(&Part::Agent).await,
            None => false,
        };
        let told = || ClusterError::Impossible(format!("no agent runs on {node}"));
        stopped.then_some(()).ok_or_else(told)
    }

    pub async fn promote(
        &mut self,
        service: &ServiceName,
        node: &NodeName,
    ) -> Result<(), ClusterError> {
        self.log.note(
            super::actions::INJECTED,
            json!({ "text": format!("{service} on {node} is elected") }),
        );
        let unknown = || ClusterError::Impossible(format!("there is no {service} on {node}"));
        let plan = self.layout.service(service).ok_or_else(unknown)?;
        let at = |address| SocketAddrV4::new(address, plan.port);
        let primary = at(self.layout.host(node).ok_or_else(unknown)?.address);
        let part = Part::Service(service.clone());
        let runs = |name| self.hosts.get(name).is_some_and(|host: &Host| host.runs(&part));
        let others = self.layout.of(HostKind::Node).filter(|host| host.name != *node);
        for other in others.filter(|host| runs(&host.name)) {
            replicate(at(other.address), Some(primary)).await?;
        }
        replicate(primary, None).await?;
        let named = service::name_redis(primary, node.as_str(), ANSWERS_WITHIN).await;
        named.map_err(|error| ClusterError::Impossible(error.to_string()))
    }

    /// Announces something to a node's instance; `None` takes all of it back.
    pub async fn announce(
        &mut self,
        node: &NodeName,
        what: Option<Announcement>,
    ) -> Result<(), ClusterError> {
        let unknown = || ClusterError::Impossible(format!("there is no host {node}"));
        let instance = self.layout.host(node).ok_or_else(unknown)?.instance.clone();
        self.log.note(
            super::actions::INJECTED,
            json!({ "text": format!("{node}: {what:?} announced") }),
        );
        let now = clock::now();
        for (_, one) in Announcement::ALL {
            let (path, text) = one.told(now);
            let text = (what == Some(one)).then_some(text);
            self.region.control.announce(&instance, path, text.as_deref()).await?;
        }
        Ok(())
    }
}

/// Whether a command that waits until a node holds no VIP ended as it was to.
fn is_free(code: i32, in_vain: bool, command: &str) -> Result<(), ClusterError> {
    match code {
        0 if !in_vain => Ok(()),
        4 if in_vain => Ok(()),
        code => Err(ClusterError::Impossible(format!("{command} ended with {code}"))),
    }
}

/// Where VIPs follow the primary, that of the first node is it and the others replicate it.
pub(super) async fn begin_role(
    layout: &Layout,
    host: &Host,
    service: &ServicePlan,
) -> Result<(), ClusterError> {
    let first = layout.of(HostKind::Node).next().filter(|_| layout.spec.follow == Role::Primary);
    let Some(first) = first.filter(|first| first.name != host.plan.name) else {
        return Ok(());
    };
    let at = |address| SocketAddrV4::new(address, service.port);
    replicate(at(host.plan.address), Some(at(first.address))).await
}

async fn replicate(
    address: SocketAddrV4,
    primary: Option<SocketAddrV4>,
) -> Result<(), ClusterError> {
    let told = service::replicate_redis(address, primary, ANSWERS_WITHIN).await;
    told.map_err(|error| ClusterError::Impossible(format!("redis on {address}: {error}")))
}

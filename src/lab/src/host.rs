//! The processes of one host: agent, alias unit, services, or the client.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::PathBuf;

use tokio::process::Command;
use vipward_core::ServiceName;

use crate::binaries::Binaries;
use crate::client::Target;
use crate::fabric::Fabric;
use crate::layout::{HostPlan, ServicePlan};
use crate::log::Log;
use crate::process::{Process, StartError};
use crate::service::ServiceKind;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The node agent. It comes first: where a whole node dies, nothing lives to report it.
    Agent,
    Alias,
    Client,
    Service(ServiceName),
}

/// What all hosts of a cluster share.
#[derive(Debug, Clone)]
pub struct HostContext {
    pub binaries: Binaries,
    pub config: PathBuf,
    /// A folder for what services write.
    pub folder: PathBuf,
    /// `PATH`: the one variable that children inherit.
    pub path: OsString,
    /// URL of the AWS APIs, for hosts.
    pub endpoint: String,
    pub kind: ServiceKind,
    pub log: Log,
}

#[derive(Debug)]
pub struct Host {
    pub plan: HostPlan,
    running: BTreeMap<Part, Process>,
}

impl Host {
    pub fn new(plan: HostPlan) -> Self {
        Self { plan, running: BTreeMap::new() }
    }

    /// Whether a part was started and not killed since.
    pub fn runs(&self, part: &Part) -> bool {
        self.running.contains_key(part)
    }

    /// Kills a part; whether there was one to kill.
    pub async fn kill(&mut self, part: &Part) -> bool {
        match self.running.remove(part) {
            Some(mut process) => {
                process.kill().await;
                true
            }
            None => false,
        }
    }

    /// Asks a part to end, as a service manager does, and waits until it has; whether there was
    /// one.
    pub async fn stop(&mut self, part: &Part) -> bool {
        match self.running.remove(part) {
            Some(mut process) => {
                process.terminate().await;
                true
            }
            None => false,
        }
    }

    pub async fn kill_all(&mut self) {
        for (_, mut process) in std::mem::take(&mut self.running) {
            process.kill().await;
        }
    }

    pub fn start_service(
        &mut self,
        service: &ServicePlan,
        fabric: &Fabric,
        context: &HostContext,
    ) -> Result<(), StartError> {
        let listen = SocketAddrV4::new(fabric.listen_address(&self.plan), service.port);
        let command = match context.kind {
            ServiceKind::Builtin => {
                let mut command = self.command(fabric, context, &context.binaries.lab);
                command.args(["serve", "--name", self.plan.name.as_str()]);
                command.args(["--listen", &listen.to_string()]);
                command
            }
            ServiceKind::Redis => {
                let mut command = self.command(fabric, context, "redis-server".as_ref());
                command.args(["--port", &service.port.to_string()]);
                command.args(["--bind", &listen.ip().to_string(), "--protected-mode", "no"]);
                command.args(["--save", "", "--appendonly", "no"]);
                command.arg("--dir").arg(&context.folder);
                command
            }
        };
        self.start(Part::Service(service.name.clone()), command, &context.log)
    }

    pub fn start_agent(
        &mut self,
        fabric: &Fabric,
        context: &HostContext,
    ) -> Result<(), StartError> {
        let mut command = self.command(fabric, context, &context.binaries.agent);
        command.arg("--config").arg(&context.config);
        command.args(["--node", self.plan.name.as_str(), "--log", "json"]);
        command.arg("--socket").arg(self.agents_file(context, "sock"));
        command.arg("--memory").arg(self.agents_file(context, "hooks"));
        command.arg("--alias-report").arg(self.alias_report(context));
        self.start(Part::Agent, command, &context.log)
    }

    fn agents_file(&self, context: &HostContext, ending: &str) -> PathBuf {
        context.folder.join(format!("{}.{ending}", self.plan.name))
    }

    /// `vipward-agent ARGUMENTS` on this host, about the agent that runs there.
    pub fn ask_agent(
        &self,
        arguments: &[String],
        fabric: &Fabric,
        context: &HostContext,
    ) -> Command {
        let mut command = self.command(fabric, context, &context.binaries.agent);
        command.args(arguments).arg("--socket").arg(self.agents_file(context, "sock"));
        command.kill_on_drop(true).process_group(0);
        command
    }

    /// `vipward ARGUMENTS` on this host, about the whole cluster.
    pub fn operate(&self, arguments: &[&str], fabric: &Fabric, context: &HostContext) -> Command {
        let mut command = self.command(fabric, context, &context.binaries.vipward);
        command.args(arguments).arg("--config").arg(&context.config);
        command.kill_on_drop(true).process_group(0);
        command
    }

    /// Starts the alias unit, which finds out by itself where it is.
    pub fn start_alias(
        &mut self,
        fabric: &Fabric,
        context: &HostContext,
    ) -> Result<(), StartError> {
        let mut command = self.command(fabric, context, &context.binaries.alias);
        command.arg("--config").arg(&context.config).args(["--log", "json"]);
        command.arg("--report").arg(self.alias_report(context));
        self.start(Part::Alias, command, &context.log)
    }

    /// By this the alias unit tells the agent. All hosts see the same files, so each has its own.
    fn alias_report(&self, context: &HostContext) -> PathBuf {
        context.folder.join(format!("alias-{}.json", self.plan.name))
    }

    pub fn start_client(
        &mut self,
        services: &[ServicePlan],
        fabric: &Fabric,
        context: &HostContext,
    ) -> Result<(), StartError> {
        let mut command = self.command(fabric, context, &context.binaries.lab);
        command.args(["client", "--service", context.kind.name()]);
        for service in services {
            let target = Target { service: service.name.to_string(), address: service.address() };
            command.args(["--target", &target.to_string()]);
        }
        self.start(Part::Client, command, &context.log)
    }

    fn command(
        &self,
        fabric: &Fabric,
        context: &HostContext,
        program: &std::path::Path,
    ) -> Command {
        let mut command = fabric.command(&self.plan, program);
        command.env_clear().env("PATH", &context.path).current_dir(&context.folder);
        command.env("AWS_ENDPOINT_URL", &context.endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", &self.plan.access_key);
        command.env("AWS_SECRET_ACCESS_KEY", "the-region-checks-no-signature");
        if !fabric.has_interfaces() {
            // There is no metadata service that could tell the hosts apart.
            command.env("AWS_EC2_METADATA_DISABLED", "true");
        }
        command
    }

    fn start(&mut self, part: Part, command: Command, log: &Log) -> Result<(), StartError> {
        let host = &self.plan.name;
        let name = match &part {
            Part::Service(service) => format!("service {service} {host}"),
            Part::Alias => format!("alias {host}"),
            Part::Agent => format!("agent {host}"),
            Part::Client => crate::record::CLIENT.to_owned(),
        };
        let process = Process::start(command, &name, log)?;
        self.running.insert(part, process);
        Ok(())
    }
}

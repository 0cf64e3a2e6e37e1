//! The region of a cluster: its template rendered, its world written, its process started.

use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use super::{ClusterError, Environment};
use crate::control::Control;
use crate::layout::Layout;
use crate::log::Log;
use crate::observed;
use crate::process::Process;
use crate::record::REGION;
use crate::world::{Files, world_toml};

/// Until the region must serve.
const SERVES_WITHIN: Duration = Duration::from_secs(30);
/// Until it must have ended when asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct Region {
    /// URL of the AWS APIs.
    pub endpoint: String,
    pub control: Control,
    process: Process,
}

impl Region {
    /// Starts the region of a cluster whose `vipward.toml` is in `folder`, and waits until it
    /// serves.
    pub async fn start(
        environment: &Environment,
        layout: &Layout,
        folder: &Path,
        log: &Log,
    ) -> Result<Self, ClusterError> {
        let write = |path: PathBuf, text: &str| match std::fs::write(&path, text) {
            Ok(()) => Ok(path),
            Err(source) => Err(ClusterError::Write { path, source }),
        };
        let template = render(environment, &folder.join("vipward.toml")).await?;
        let files = Files {
            template: write(folder.join("template.yaml"), &template)?,
            bootstrap: environment.binaries.bootstrap.clone(),
            layer: folder.to_owned(),
        };
        let world = world_toml(layout, environment.fabric, &files)?;
        let world = write(folder.join("world.toml"), &world)?;
        let mut command = Command::new(&environment.binaries.region);
        command.arg("--world").arg(world);
        command.env_clear().env("PATH", &environment.path).current_dir(folder);
        let process = Process::start(command, REGION, log)?;
        let endpoint = served(log).await?;
        let control = Control { address: address_of(&endpoint)? };
        Ok(Self { endpoint, control, process })
    }

    /// Asks it to end, so that it ends its functions too.
    pub async fn stop(&mut self) {
        let ended = tokio::time::timeout(ENDS_WITHIN, self.process.terminate()).await;
        if ended.is_err() {
            self.process.kill().await;
        }
    }
}

async fn render(environment: &Environment, config: &Path) -> Result<String, ClusterError> {
    let mut command = Command::new(&environment.binaries.vipward);
    command.arg("render").arg(config).env_clear().env("PATH", &environment.path);
    let output = command
        .kill_on_drop(true)
        .process_group(0)
        .output()
        .await
        .map_err(|error| ClusterError::Render(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(ClusterError::Render(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

async fn served(log: &Log) -> Result<String, ClusterError> {
    let ready = log.wait(Instant::now() + SERVES_WITHIN, |records| {
        let ready = records.iter().find(|record| record.is(REGION, "ready"));
        match ready.and_then(|record| record.text("endpoint")) {
            Some(endpoint) => Some(Ok(endpoint.to_owned())),
            None => observed::crashed(records).map(|crashed| Err(ClusterError::NotReady(crashed))),
        }
    });
    let late =
        || ClusterError::NotReady(format!("the region does not serve within {SERVES_WITHIN:?}"));
    ready.await.unwrap_or_else(|| Err(late()))
}

fn address_of(endpoint: &str) -> Result<SocketAddrV4, ClusterError> {
    let address = endpoint.strip_prefix("http://").and_then(|rest| rest.parse().ok());
    address.ok_or_else(|| ClusterError::NotReady(format!("the region serves at {endpoint:?}")))
}

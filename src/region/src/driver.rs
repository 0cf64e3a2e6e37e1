//! The region in real time: HTTP listeners, function processes and the clock around the model.

mod api;
mod clock;
mod control;
mod environment;
mod environment_handle;
mod http;
mod imds;
mod launch;
mod runtime_api;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vipward_region_model::journal::JournalEvent;

use crate::world::{Built, World, WorldError};
use launch::Launch;
use shared::Shared;

/// Where the journal goes, one JSON object a line.
pub type Sink = Box<dyn Write + Send>;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// A region that serves.
#[derive(Debug)]
pub struct Running {
    endpoint: String,
    shared_imds: Option<String>,
    imds: BTreeMap<String, String>,
    shared: Arc<Shared>,
    /// Listeners and the ticker; dropping them ends them.
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts to serve a world; the journal's first line says where.
    pub async fn start(world: &World, sink: Sink) -> Result<Self, StartError> {
        let Built { region, events } = world.build(clock::now())?;
        let (apis, address) = listen(world.listen).await?;
        let endpoint = format!("http://{address}");
        let launch =
            world.lambda.as_ref().map(|files| Launch::new(files, world.place(), endpoint.clone()));
        let shared = Arc::new(Shared::new(region, launch, environment::create, sink));

        let mut tasks = JoinSet::new();
        let mut shared_imds = None;
        if let Some(wanted) = world.imds {
            let (listener, address) = listen(wanted).await?;
            shared_imds = Some(format!("http://{address}"));
            tasks.spawn(http::serve(listener, imds::for_any(shared.clone())));
        }
        let mut imds = BTreeMap::new();
        for (instance, wanted) in world.imds_listeners() {
            let (listener, address) = listen(wanted).await?;
            tasks.spawn(http::serve(listener, imds::for_one(shared.clone(), instance.clone())));
            imds.insert(instance, format!("http://{address}"));
        }
        tasks.spawn(http::serve(apis, api::handler(shared.clone())));
        shared.journal(JournalEvent::Ready {
            endpoint: endpoint.clone(),
            shared_imds: shared_imds.clone(),
            imds: imds.clone(),
        });
        for event in events {
            shared.journal(event);
        }
        tasks.spawn(shared::tick(shared.clone()));
        Ok(Self { endpoint, shared_imds, imds, shared, tasks })
    }

    /// Base URL of all AWS APIs.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Base URL of the metadata listener for all instances, where the world has one.
    pub fn shared_imds(&self) -> Option<&str> {
        self.shared_imds.as_deref()
    }

    /// Base URL of an instance's own metadata listener.
    pub fn imds(&self, instance: &str) -> Option<&str> {
        self.imds.get(instance).map(String::as_str)
    }

    /// Stops serving, and ends calls that are under way and every function process.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.shared.end().await;
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

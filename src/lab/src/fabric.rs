//! The VPC's fabric: delivers an address to the interface that holds it, and to no other.

pub mod loopback;
pub mod namespaces;

use std::net::Ipv4Addr;
use std::path::Path;

use tokio::process::Command;
use vipward_core::NodeName;

use crate::fabric_kind::FabricKind;
use crate::layout::{HostPlan, Layout};
use loopback::Loopback;
use namespaces::Namespaces;

#[derive(Debug, thiserror::Error)]
pub enum FabricError {
    #[error("`{command}` failed: {told}")]
    Command { command: String, told: String },
    /// A setting of the kernel could not be written, or an address not be bound.
    #[error("cannot set up {what}")]
    SetUp { what: String, source: std::io::Error },
}

#[derive(Debug)]
pub enum Fabric {
    Namespaces(Namespaces),
    Loopback(Loopback),
}

impl Fabric {
    /// Builds the fabric of a cluster, with all its hosts connected.
    pub async fn build(kind: FabricKind, layout: &Layout) -> Result<Self, FabricError> {
        match kind {
            FabricKind::Namespaces => Namespaces::build(layout).await.map(Self::Namespaces),
            FabricKind::Loopback(_) => Loopback::build(layout).await.map(Self::Loopback),
        }
    }

    /// Whether hosts have interfaces of their own: then aliases matter, and a host can be cut off
    /// while it runs on.
    pub fn has_interfaces(&self) -> bool {
        matches!(self, Self::Namespaces(_))
    }

    pub fn command(&self, host: &HostPlan, program: &Path) -> Command {
        match self {
            Self::Namespaces(_) => namespaces::command(host, program),
            Self::Loopback(_) => loopback::command(program),
        }
    }

    pub fn listen_address(&self, host: &HostPlan) -> Ipv4Addr {
        match self {
            // Everything the host has, its aliases included.
            Self::Namespaces(_) => Ipv4Addr::UNSPECIFIED,
            Self::Loopback(_) => host.address,
        }
    }

    /// Delivers `address` to the interface `eni` from now on, or to nobody.
    pub async fn deliver(
        &mut self,
        address: Ipv4Addr,
        eni: Option<&str>,
    ) -> Result<(), FabricError> {
        match self {
            Self::Namespaces(fabric) => fabric.deliver(address, eni).await,
            Self::Loopback(fabric) => {
                fabric.deliver(address, eni);
                Ok(())
            }
        }
    }

    /// Cuts a host off, or joins it again.
    pub async fn set_connected(
        &mut self,
        host: &NodeName,
        connected: bool,
    ) -> Result<(), FabricError> {
        match self {
            Self::Namespaces(fabric) => fabric.set_connected(host, connected).await,
            Self::Loopback(fabric) => {
                fabric.set_connected(host, connected);
                Ok(())
            }
        }
    }

    pub async fn tear_down(&mut self) -> Result<(), FabricError> {
        match self {
            Self::Namespaces(fabric) => fabric.tear_down().await,
            Self::Loopback(fabric) => {
                fabric.tear_down().await;
                Ok(())
            }
        }
    }
}

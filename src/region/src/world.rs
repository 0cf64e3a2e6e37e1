//! The world file: what a region holds before anyone calls it.

mod build;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use jiff::SignedDuration;
use serde::Deserialize;
use vipward_region_model::Place;
use vipward_region_model::ec2::AssignedAgain;
use vipward_region_model::fault::FaultSpec;
use vipward_region_model::template::TemplateError;

use crate::wire::ApiError;

pub use build::Built;

/// A world file, as written. Paths are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    #[serde(default = "default_region")]
    pub region: String,
    #[serde(default = "default_account")]
    pub account: String,
    /// Where all AWS APIs are served; port 0 lets the system choose.
    pub listen: SocketAddr,
    pub template: Option<PathBuf>,
    /// Where the metadata service of all instances is served, told apart by source address.
    pub imds: Option<SocketAddr>,
    pub lambda: Option<LambdaFiles>,
    #[serde(default, rename = "subnet")]
    pub subnets: Vec<SubnetEntry>,
    #[serde(default, rename = "instance")]
    pub instances: Vec<InstanceEntry>,
    /// How long things take.
    #[serde(default)]
    pub delays: Delays,
    /// What AWS answers where its documentation leaves that open.
    #[serde(default)]
    pub answers: Answers,
    /// What goes wrong from the start.
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
}

/// The files that functions are run with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LambdaFiles {
    /// The binary that every function of the template runs.
    pub bootstrap: PathBuf,
    /// What stands for `/opt`.
    pub layer: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetEntry {
    /// `subnet-...`.
    pub id: String,
    pub cidr: Ipv4Net,
    #[serde(default = "default_vpc")]
    pub vpc: String,
    /// Availability zone; the region's first one when left out.
    pub zone: Option<String>,
}

/// An instance of the world, with its one interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceEntry {
    /// `i-...`.
    pub id: String,
    #[serde(rename = "type", default = "default_instance_type")]
    pub kind: String,
    /// `eni-...`.
    pub eni: String,
    pub mac: String,
    pub subnet: String,
    pub address: Ipv4Addr,
    #[serde(default)]
    pub secondaries: Vec<Ipv4Addr>,
    /// A metadata listener of its own.
    pub imds: Option<SocketAddr>,
    /// Its instance profile, by the description of the template's output that names it: logical
    /// ids are the renderer's own affair, and this is what a person who deploys goes by. Whoever
    /// calls with a key of no instance or function is the account's administrator.
    pub profile: Option<String>,
    /// An access key of the profile's role, beside the one that the metadata service gives out.
    pub access_key: Option<String>,
}

/// How long things take; each default is what AWS is known for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delays {
    /// Until a metric value is readable.
    pub metric_ingestion: SignedDuration,
    /// How far `DescribeAlarms` lags behind the alarms' own events.
    pub alarm_lag: SignedDuration,
    /// Buckets that an alarm looks back beyond its evaluation periods.
    pub alarm_evaluation_range_extra: u32,
    /// From the bus to a rule's target.
    pub event_delivery: SignedDuration,
    /// How far Describe calls lag behind changes.
    pub describe_lag: SignedDuration,
    /// How far the metadata service's address lists lag behind changes.
    pub imds_lag: SignedDuration,
    /// How long a function's process may take until it asks for work.
    pub lambda_init: SignedDuration,
    /// Wait before an asynchronous event's first retry after a function error.
    pub lambda_error_retry: SignedDuration,
    /// First wait of a throttled asynchronous event.
    pub lambda_throttle_first: SignedDuration,
    /// Longest wait of a throttled asynchronous event.
    pub lambda_throttle_most: SignedDuration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            metric_ingestion: SignedDuration::from_millis(500),
            alarm_lag: SignedDuration::ZERO,
            alarm_evaluation_range_extra: 2,
            event_delivery: SignedDuration::from_millis(80),
            describe_lag: SignedDuration::ZERO,
            imds_lag: SignedDuration::from_secs(1),
            lambda_init: SignedDuration::from_secs(10),
            lambda_error_retry: SignedDuration::from_mins(1),
            lambda_throttle_first: SignedDuration::from_secs(1),
            lambda_throttle_most: SignedDuration::from_mins(5),
        }
    }
}

/// What AWS answers where its documentation leaves that open.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// To an assignment, without `AllowReassignment`, of what the interface has already.
    pub assigned_again: AssignedAgain,
}

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("cannot read {path}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} is no world file")]
    Syntax { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{path} cannot be used")]
    Template { path: PathBuf, source: TemplateError },
    #[error("instance {id} does not fit")]
    Instance { id: String, source: ApiError },
    #[error("the template has no output described as {0:?} that names an instance profile")]
    NoProfile(String),
    /// The template has functions, but there is nothing to run for them.
    #[error("the template has functions, so the world needs [lambda] with a bootstrap")]
    NoBootstrap,
}

impl World {
    /// Reads a world file and makes the paths in it absolute.
    pub fn load(path: &Path) -> Result<Self, WorldError> {
        let text = read(path)?;
        let mut world: Self = toml::from_str(&text).map_err(|source| WorldError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let lambda =
            world.lambda.as_mut().map(|lambda| (&mut lambda.bootstrap, lambda.layer.as_mut()));
        let (bootstrap, layer) = lambda.unzip();
        for file in [world.template.as_mut(), bootstrap, layer.flatten()].into_iter().flatten() {
            let joined = folder.join(&*file);
            *file = std::path::absolute(&joined)
                .map_err(|source| WorldError::Unreadable { path: joined, source })?;
        }
        Ok(world)
    }

    pub fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }

    /// The instances' own metadata listeners, by instance id.
    pub fn imds_listeners(&self) -> BTreeMap<String, SocketAddr> {
        let listeners = self.instances.iter();
        listeners.filter_map(|entry| Some((entry.id.clone(), entry.imds?))).collect()
    }
}

fn read(path: &Path) -> Result<String, WorldError> {
    std::fs::read_to_string(path)
        .map_err(|source| WorldError::Unreadable { path: path.to_owned(), source })
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn default_account() -> String {
    "123456789012".to_owned()
}

fn default_vpc() -> String {
    "vpc-0a0000000000000001".to_owned()
}

fn default_instance_type() -> String {
    "m7g.medium".to_owned()
}

#[cfg(test)]
mod tests;

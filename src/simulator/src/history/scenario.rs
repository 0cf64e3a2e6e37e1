//! A history before it is played: the cluster, and what goes wrong. A text that people can read,
//! write and cut down.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vipward_core::{Config, Faults};

use crate::history::concurrency::Concurrency;
use crate::history::fault::Fault;

/// What is played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// From it follows all that is left to chance: latencies, and which packets are lost.
    pub seed: u64,
    /// Milliseconds after the last fault has ended, in which all must come to rest.
    pub calm_ms: u64,
    /// Whether the VIPs are nowhere at first.
    #[serde(default)]
    pub unplaced: bool,
    /// How many of the function may run at once.
    #[serde(default, alias = "racing")]
    pub concurrency: Concurrency,
    /// How far EC2's answers lag behind, in milliseconds.
    #[serde(default)]
    pub describe_lag_ms: u64,
    /// How often VIPs change hands, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<u64>,
    /// In how many milliseconds a VIP leaves a dead holder, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_within_ms: Option<u64>,
    /// The text of `vipward.toml`.
    pub cluster: String,
    /// What goes wrong.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
}

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum BadScenario {
    /// It is not as it has to be.
    #[error(transparent)]
    Syntax(Box<toml::de::Error>),
    /// The cluster in it is wrong.
    #[error("its cluster is wrong")]
    Cluster(#[from] Faults),
    /// A fault names what is not in the cluster.
    #[error("{0}")]
    Unknown(String),
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// When it is none, with the line; when a fault names a host or service that is not there.
    pub fn parse(text: &str) -> Result<Self, BadScenario> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| BadScenario::Syntax(Box::new(error)))?;
        let config = scenario.config()?;
        for (index, fault) in scenario.faults.iter().enumerate() {
            if let Some(name) = fault.what.unknown_name(&config) {
                let what = format!("fault {}: {name:?} is not in the cluster", index + 1);
                return Err(BadScenario::Unknown(what));
            }
        }
        Ok(scenario)
    }

    /// The scenario as a text that [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The cluster's configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn config(&self) -> Result<Config, Faults> {
        Config::parse("cluster", &self.cluster)
    }

    /// When the last fault has ended.
    pub fn troubled_until(&self) -> Duration {
        self.faults.iter().map(Fault::ends).max().unwrap_or_default()
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.troubled_until() + Duration::from_millis(self.calm_ms)
    }
}

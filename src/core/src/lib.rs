//! What vipward knows and decides.
//!
//! Everything here is pure: no clock, no I/O, no async, no SDK. Callers bring the time and the
//! evidence; the crate answers with judgements, decisions and plans that are plain data. The same
//! code therefore runs in the function, the agent, the operator's command and the simulator.

#![warn(missing_docs)]

pub mod alias_report;
pub mod audit;
pub mod config;
pub mod decide;
pub mod drain;
pub mod evidence;
pub mod exit;
pub mod hint;
pub mod judge;
pub mod knowledge;
pub mod ledger;
pub mod name;
pub mod observed;
pub mod outcome;
pub mod plan;
pub mod telemetry;
pub mod text;
pub mod timing;
pub mod triage;

#[cfg(test)]
mod scene;

pub use config::{Config, Faults};
pub use exit::Exit;
pub use hint::{Hint, HintEntry, Verdict};
pub use name::{ClusterName, EniId, GroupName, NodeName, ServiceName, VipAddr};

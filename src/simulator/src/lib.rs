//! The production code in virtual time.
//!
//! The function's handler, with its decisions and its execution, and the agents' machines run
//! against the region's model through histories that follow from a seed: hosts crash and stall,
//! networks part, AWS throttles, loses and delays. An auditor who knows the truth looks at every
//! effect. Hours pass in milliseconds, and a seed plays the same history every time.

mod audit;
pub mod failure;
mod history;
mod interface;
pub mod options;
mod report;
pub mod run;
mod shrink;
#[cfg(test)]
mod times;
#[cfg(test)]
mod ways;
mod world;

pub use audit::rule::Rule;

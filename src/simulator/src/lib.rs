//! The production code in virtual time.
//!
//! The function's handler, with its decisions and its execution, and the agents' machines run
//! against the region's model through histories that follow from a seed: hosts crash and stall,
//! networks part, AWS throttles, loses and delays. An auditor who knows the truth looks at every
//! effect. Hours pass in milliseconds, and a seed plays the same history every time.

mod accounts;
mod acts;
mod agent;
mod alias_rules;
mod audit;
mod begin;
mod clerk;
mod cloud;
mod concurrency;
mod departures;
mod environments;
mod errands;
mod fault;
mod figures;
mod generate;
mod group;
mod history;
mod host_fault;
mod interface;
mod keeper;
mod liveness;
mod moves;
mod names;
pub mod options;
mod papers;
mod random;
mod reign;
mod report;
pub mod run;
mod scenario;
mod sending;
mod sites;
mod tally;
mod timeline;
#[cfg(test)]
mod times;
mod truth;
mod voice;
mod wording;
mod world;

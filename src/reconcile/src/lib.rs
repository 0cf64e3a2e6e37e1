//! The mind of the function that alone may move a VIP.
//!
//! Whatever wakes it, it reads the world afresh, decides by `vipward-core`'s pure rules, carries
//! the plan out, and proves it. The world is behind [`ports::Ports`]: AWS in the function, a model
//! of it in virtual time in the simulator. No SDK is in this crate, nor a clock.

#![warn(missing_docs)]

pub mod agents;
pub mod alerted;
mod arrival;
mod attempts;
pub mod backoff;
pub mod basis;
mod because;
pub mod concern;
pub mod execute;
pub mod gather;
pub mod handler;
pub mod invocation;
pub mod memory;
pub mod notice;
pub mod notices;
pub mod orders;
mod own_tags;
pub mod ports;
pub mod query;
mod reading;
pub mod reconcile;
pub mod record;
mod reply;
pub mod role;
pub mod series;
mod turns;
pub mod wake;

#[cfg(test)]
mod fake;

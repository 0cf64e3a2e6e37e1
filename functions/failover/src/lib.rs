//! The function that alone may move a VIP.
//!
//! Whatever wakes it, it reads the world afresh, decides by `vipward-core`'s pure rules, carries
//! the plan out, and proves it. AWS is behind [`ports::Ports`]; only [`aws`] names its SDK.

pub mod aws;
pub mod backoff;
pub mod execute;
pub mod gather;
pub mod handler;
pub mod memory;
pub mod ports;
pub mod query;
pub mod reconcile;
pub mod record;
pub mod wake;

#[cfg(test)]
mod fake;

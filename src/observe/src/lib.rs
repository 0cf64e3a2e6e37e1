//! The agent's mind: from what probes came to, to what is published, hinted and run.
//!
//! Sans-I/O. Each machine is told what happened and when, says when it has to be looked at again, and hands
//! out what is to be done. The agent drives them on a host, the simulator in virtual time.

#![warn(missing_docs)]

pub mod aws_time;
pub mod datum;
pub mod hinting;
pub mod holdings;
pub mod hooks;
pub mod interruptions;
pub mod leaving;
pub mod ports;
pub mod prometheus;
pub mod publishing;
pub mod pulse;
pub mod reporter;
pub mod requests;
pub mod send_stats;
pub mod status;
pub mod target;
pub mod verdict;
pub mod view;

#[cfg(test)]
mod fixture;

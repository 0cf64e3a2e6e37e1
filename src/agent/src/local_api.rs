//! How the agent is asked on its own host.

pub mod metrics;
pub mod orders;
pub mod socket;

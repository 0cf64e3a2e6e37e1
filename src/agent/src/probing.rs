//! Probes, standing connections and knocks.

pub mod knocking;
pub mod standing;
pub mod watch;
pub mod watches;

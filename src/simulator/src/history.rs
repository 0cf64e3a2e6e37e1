//! A history before it is played: the cluster, what goes wrong, and how things then really are.

pub mod cluster;
pub mod concurrency;
pub mod fault;
pub mod fault_groups;
pub mod generate;
pub mod host_fault;
pub mod random;
pub mod scenario;
pub mod truth;
pub mod validate;

//! The mind of the unit that keeps the VIPs on a node's interface.
//!
//! It is fed dumps of the kernel's addresses ([`inventory`]) and answers of the instance metadata
//! ([`knowledge`]), and says what to add and what to remove ([`plan`]), whom to ask, and when to
//! look again ([`pace`]). The kernel is behind netlink in `vipward-alias`, a set of addresses in
//! the simulator. No I/O is in this crate, nor a clock. Machines have `vipward-observe`'s words:
//! `on_<event>`, `poll` for what is to be done, `done` for what became of it.

#![warn(missing_docs)]

pub mod inventory;
pub mod locate;
pub mod own_node;
pub mod pace;
pub mod plan;
pub mod subject;
pub mod upkeep;

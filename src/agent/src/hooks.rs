//! Hooks on the host: the process of one, what was carried out last, and whether they can run at
//! all.

pub mod command;
pub mod memory;
pub mod ready;

//! The host that the agent runs on: its clock, its log, its systemd, its name.

pub mod alias_report;
pub mod clock;
pub mod identity;
pub mod log;
pub mod membership;
pub mod own_vips;
pub mod systemd;

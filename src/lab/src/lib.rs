//! A whole cluster on one machine: region, hosts, clients, and a fabric that delivers a VIP only to
//! its holder.
//!
//! The parts are the unmodified binaries, run as child processes; the lab plays the machine room
//! around them.

pub mod binaries;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod console;
pub mod control;
pub mod demo;
pub mod fabric;
pub mod fabric_kind;
pub mod failure;
pub mod folder;
pub mod forge;
pub mod host;
pub mod interrupt;
pub mod isolation;
pub mod layout;
pub mod log;
pub mod observed;
pub mod options;
pub mod process;
pub mod record;
pub mod scenario;
pub mod serve;
pub mod service;
pub mod timeline;
pub mod world;

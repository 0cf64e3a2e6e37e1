//! The real program against the real kernel, each test in a network namespace of its own.

mod doctoring;
mod following;
mod keeping;
mod link_life;
mod managers;
mod metadata;
mod namespace;
mod neighbours;
mod networkd;
mod unit;

/// The node's own address.
const OWN: &str = "172.31.0.11/20";
/// The services' VIPs.
const VIPS: [&str; 2] = ["172.31.0.201", "172.31.0.202"];

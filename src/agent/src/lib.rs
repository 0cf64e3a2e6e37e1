//! The node agent: it probes its own services and those of every other node, and says what it
//! sees through CloudWatch and EventBridge. It decides nothing and may change nothing.
//!
//! Its mind is `vipward-observe`: machines that take `now` and say what is due and when. Here they
//! are waited for, fed and obeyed: [`driver`] is the loop, [`lifecycle`] what a node does for its
//! VIPs beside it.

pub mod aws;
pub mod commands;
pub mod driver;
pub mod failure;
pub mod hooks;
pub mod host;
pub mod instance;
pub mod lifecycle;
pub mod local_api;
pub mod options;
pub mod probing;

//! An embedded AWS region: EC2 addresses, CloudWatch alarms, EventBridge rules, Lambda and
//! `IMDSv2`, on their real wire protocols.
//!
//! The model is a crate of its own, data that takes `now`; [`wire`] speaks the protocols,
//! [`driver`] has the sockets, the processes and the clock; [`world`] says what there is at the
//! start.

pub mod driver;
pub mod wire;
pub mod world;

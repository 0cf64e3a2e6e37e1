//! An embedded AWS region: EC2 addresses, CloudWatch alarms, EventBridge rules, Lambda and `IMDSv2`,
//! on their real wire protocols.
//!
//! [`model`] is data that takes `now`, [`wire`] speaks the protocols, [`driver`] has the sockets,
//! the processes and the clock; [`world`] and [`template`] say what there is at the start.

pub mod driver;
pub mod model;
pub mod template;
pub mod wire;
pub mod world;

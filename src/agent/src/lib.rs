//! The node agent: it probes its own services and those of every other node, and says what it
//! sees through CloudWatch and EventBridge. It decides nothing and may change nothing.
//!
//! [`verdict`], [`view`], [`publishing`], [`hinting`] and [`reporter`] are sans-I/O: they take
//! `now` and say what is due and when. [`watch`] and [`run`] wait, feed and carry out.

pub mod args;
pub mod aws;
pub mod clock;
pub mod hinting;
pub mod identity;
pub mod log;
pub mod outlet;
pub mod publishing;
pub mod reporter;
pub mod run;
pub mod service_manager;
pub mod standing;
pub mod start;
pub mod target;
pub mod verdict;
pub mod view;
pub mod watch;

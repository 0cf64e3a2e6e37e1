//! The node agent: it probes its own services and those of every other node, and says what it
//! sees through CloudWatch and EventBridge. It decides nothing and may change nothing.
//!
//! [`verdict`], [`view`], [`publishing`], [`hinting`], [`reporter`], [`pulse`], [`leaving`], [`notices`] and
//! [`hooks`] are sans-I/O: they take `now` and say what is due and when. [`watch`], [`metadata_watch`],
//! [`duties`] and [`run`] wait, feed and carry out.

pub mod alias_report;
pub mod args;
pub mod ask;
pub mod aws;
pub mod check;
pub mod clock;
pub mod depart;
pub mod duties;
pub mod failure;
pub mod hooks;
pub mod identity;
pub mod knocking;
pub mod log;
pub mod membership;
pub mod metadata_watch;
pub mod metrics_listener;
pub mod orders;
pub mod own_interface;
pub mod run;
pub mod service_manager;
pub mod standing;
pub mod start;
pub mod status_socket;
pub mod watch;
pub mod watches;

//! The agent's mind: from what probes came to, to what is published, hinted and run.
//!
//! Sans-I/O: no machine here has a clock or a socket. The agent drives them on a host, the
//! simulator in virtual time. All speak one vocabulary:
//!
//! - `deadline() -> Option<Timestamp>`: when to look again, whatever happens until then; `None`
//!   while only an event can bring work.
//! - `poll(now) -> Option<Work>`: what is to be done now; a `bool` where there is one kind of work.
//! - `on_<event>(now, …)`: something happened.
//! - `done(now, outcome)`: what became of the work that `poll` handed out.
//!
//! Arguments that a machine has no use for are left out: `now` too.

#![warn(missing_docs)]

pub mod aws_time;
pub mod datum;
pub mod hinting;
pub mod holdings;
pub mod hooks;
pub mod interruptions;
pub mod last_seen;
pub mod leaving;
pub mod ports;
pub mod prometheus;
pub mod publishing;
pub mod pulse;
pub mod readiness;
pub mod reporter;
pub mod requests;
pub mod send_stats;
pub mod status;
pub mod target;
pub mod troubles;
pub mod verdict;
pub mod view;

#[cfg(test)]
mod fixture;

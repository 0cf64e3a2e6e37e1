//! The instance, by its metadata.

pub mod own_interface;
pub mod watch;

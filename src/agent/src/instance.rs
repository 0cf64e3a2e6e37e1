//! The instance, by its metadata.

pub mod metadata;
pub mod own_interface;
pub mod watch;

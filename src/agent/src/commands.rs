//! The commands, one file each.

pub mod check;
pub mod leave;
pub mod run;
pub mod status;

//! What only tests and `fuzz/` use: peers that play a script or make noise, and real servers.

pub mod fuzzing;

#[cfg(test)]
pub(crate) mod certificates;
#[cfg(test)]
pub(crate) mod daemon;
#[cfg(test)]
pub(crate) mod hook_scripts;
#[cfg(test)]
pub(crate) mod mongodb;
#[cfg(test)]
pub(crate) mod mysql;
#[cfg(test)]
pub(crate) mod postgres;
#[cfg(test)]
pub(crate) mod redis;
#[cfg(test)]
pub(crate) mod scratch;
#[cfg(test)]
pub(crate) mod scripted;

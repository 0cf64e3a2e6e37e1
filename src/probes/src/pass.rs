//! What a passing probe saw.

use std::time::Duration;

/// The service answered as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Its place in replication, where the protocol knows it.
    pub role: Option<Role>,
    /// How it follows its primary, where it follows one and the protocol knows it.
    pub lag: Option<Lag>,
}

#[cfg(any(feature = "exec", feature = "http", feature = "systemd", feature = "tcp", test))]
impl Pass {
    /// Of a service without replication, or whose protocol does not know of it.
    pub(crate) const PLAIN: Self = Self { role: None, lag: None };
}

/// A service's place in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes writes.
    Primary,
    /// Follows a primary, or is read-only.
    Replica,
}

/// How a service follows its primary; the greater, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lag {
    /// It has what its primary had that long ago.
    Behind(Duration),
    /// It would follow, but has no link to its primary. So does every replica of a primary that
    /// died: what it was behind before is what counts, not this.
    Severed,
    /// It does not follow: replication is stopped, broken, or was never set up.
    NotReplicating,
}

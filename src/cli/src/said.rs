//! What a command has to say once it is done.

/// Data for standard output, talk for standard error, and the exit code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What was asked for, with its line ends.
    pub data: String,
    /// What is worth knowing besides, with its line ends.
    pub talk: String,
    /// 0, [`Said::DEGRADED`] or [`Said::REFUSED`].
    pub exit_code: u8,
}

impl Said {
    /// The exit code of a cluster that a person should look at.
    pub const DEGRADED: u8 = 4;
    /// The exit code of an order that would not have been safe.
    pub const REFUSED: u8 = 5;

    /// Data alone.
    pub fn data(data: String) -> Self {
        Self { data, ..Self::default() }
    }
}

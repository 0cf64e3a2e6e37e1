//! What a command has to say once it is done.

use vipward_core::Exit;

/// Data for standard output, talk for standard error, and how the program ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What was asked for, with its line ends.
    pub data: String,
    /// What is worth knowing besides, with its line ends.
    pub talk: String,
    /// How the program ends.
    pub exit: Exit,
}

impl Said {
    /// Data alone.
    pub fn data(data: String) -> Self {
        Self { data, ..Self::default() }
    }

    /// An order that would not be safe, and why.
    pub fn refused(why: &str) -> Self {
        Self { talk: format!("refused: {why}\n"), exit: Exit::Refused, ..Self::default() }
    }
}

//! Why the program ends without having played what it was asked.

use std::io;
use std::path::PathBuf;

use vipward_core::Exit;

use crate::history::scenario::BadScenario;

/// Why the program ends without having played what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The scenario cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The scenario is wrong.
    #[error("{} is not a scenario", path.display())]
    BadScenario {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadScenario,
    },
    /// The picture cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// A cluster cannot be deployed to the simulated region.
    #[error(transparent)]
    Cluster(#[from] anyhow::Error),
}

impl Failure {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::BadScenario { .. } => Exit::BadConfiguration,
            _ => Exit::Failed,
        }
    }
}

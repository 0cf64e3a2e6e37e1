//! Why the lab ends without having shown what it was asked, with which exit code, and what may
//! help.

use std::io;

use vipward_core::Exit;

use crate::binaries::NotBuilt;
use crate::demo::DemoError;
use crate::folder::FolderError;
use crate::isolation::NoFabric;
use crate::scenario::PlayError;

/// Why the lab ends without having shown what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The operating system refused something.
    #[error("cannot {what}")]
    System {
        /// What was tried.
        what: String,
        /// Its answer.
        source: io::Error,
    },
    /// There is no folder to work in.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The machine allows no fabric.
    #[error(transparent)]
    Fabric(#[from] NoFabric),
    /// The programs are not there.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// The demo ended early.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A scenario ended early.
    #[error(transparent)]
    Play(#[from] PlayError),
}

impl Failure {
    /// A refusal of the operating system to do `what`.
    pub fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what: what.into(), source }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Play(error) if error.is_wrong_scenario() => Exit::BadConfiguration,
            _ => Exit::Failed,
        }
    }

    /// What may help.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotBuilt(_) => Some("build everything with `cargo build --workspace`"),
            Self::Fabric(NoFabric::NoNamespaces(_)) => {
                Some("use `--fabric loopback`, or run as root")
            }
            Self::Fabric(NoFabric::NoBlock) => Some("end other labs first"),
            _ => None,
        }
    }
}

//! Why a command ends without an answer, with which exit code, and what may help.

use std::io;
use std::path::PathBuf;

use vipward_core::{Config, Exit, Faults, NodeName, ServiceName};
use vipward_render::PlaceError;

use crate::invoke::InvokeFailure;

/// Why a command ends without an answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file is wrong, or cannot be deployed.
    #[error("the configuration is wrong")]
    Configuration(#[from] Faults),
    /// The file names no such service.
    #[error("the configuration has no service {service}")]
    NoSuchService {
        /// What was asked for.
        service: ServiceName,
        /// What there is.
        known: Vec<ServiceName>,
    },
    /// The file names no such node.
    #[error("the configuration has no node {node}")]
    NoSuchNode {
        /// What was asked for.
        node: NodeName,
        /// What there is.
        known: Vec<NodeName>,
    },
    /// It is a witness, and holds no VIPs.
    #[error("{witness} is a witness: it holds no VIP")]
    Witness {
        /// What was asked for.
        witness: NodeName,
        /// The nodes that there are.
        nodes: Vec<NodeName>,
    },
    /// The directory of the template does not exist.
    #[error("the directory {} does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// The template cannot name the configuration.
    #[error("the template cannot name the configuration")]
    Place(#[from] PlaceError),
    /// The template cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output or standard error is closed.
    #[error("cannot write the answer")]
    Output(#[source] io::Error),
    /// The query function gave no answer.
    #[error(transparent)]
    Invoke(#[from] InvokeFailure),
    /// The query function's answer is not understood.
    #[error("cannot read the answer of {function}")]
    Answer {
        /// The function.
        function: String,
        /// Where it stops being readable.
        source: serde_json::Error,
    },
}

impl Failure {
    /// The file names no such service.
    pub fn no_such_service(config: &Config, service: &ServiceName) -> Self {
        let known = config.services.iter().map(|known| known.name.clone()).collect();
        Self::NoSuchService { service: service.clone(), known }
    }

    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Configuration(_) => Exit::BadConfiguration,
            Self::NoSuchService { .. } | Self::NoSuchNode { .. } | Self::Witness { .. } => {
                Exit::Usage
            }
            _ => Exit::Failed,
        }
    }

    /// What may help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchService { known, .. } => {
                let known: Vec<&str> = known.iter().map(ServiceName::as_str).collect();
                Some(format!("its services are {}", known.join(", ")))
            }
            Self::NoSuchNode { known, .. } => {
                let known: Vec<&str> = known.iter().map(NodeName::as_str).collect();
                Some(format!("its nodes are {}", known.join(", ")))
            }
            Self::Witness { nodes, .. } => {
                let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
                Some(format!("name a node: {}", nodes.join(", ")))
            }
            Self::NoDirectory(_) => {
                Some("create it, or name another file with --output".to_owned())
            }
            Self::Place(_) => Some("name the directory with --config-dir".to_owned()),
            Self::Answer { .. } => Some(
                "the function may be another version than this command: deploy it again".to_owned(),
            ),
            Self::Invoke(failure) => Some(failure.hint()),
            Self::Configuration(_) | Self::Write { .. } | Self::Output(_) => None,
        }
    }
}

//! Why the program ends without having done what it was asked, with which exit code, and what may
//! help.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use vipward_core::{Exit, Faults};
use vipward_observe::requests::Refusal;

use crate::probing::watches::WatchEnded;

/// Why the program ends without having done what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file, or this host's place in it, is not right.
    #[error("the configuration is wrong")]
    Configuration(#[from] Faults),
    /// The operating system refused something.
    #[error("cannot {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// Nobody vouches for AWS on this host.
    #[error("no certificate authorities to verify AWS with: {0}")]
    NoAuthorities(String),
    /// The status socket that was asked for cannot be made.
    #[error("cannot listen on {}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The metrics cannot be served where they were asked for.
    #[error("cannot serve metrics on {address}")]
    Metrics {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// No agent answers `status`.
    #[error("no agent answers on {}", path.display())]
    NoAnswer {
        /// Where it was asked.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What answers `status` is not understood.
    #[error("cannot read the answer on {}", path.display())]
    Answer {
        /// Where it was asked.
        path: PathBuf,
        /// Where it stops being readable.
        source: serde_json::Error,
    },
    /// The agent does not do what it was asked.
    #[error("the agent refuses")]
    Refused(#[from] Refusal),
    /// See [`WatchEnded`].
    #[error(transparent)]
    WatchEnded(#[from] WatchEnded),
}

impl Failure {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Configuration(_) => Exit::BadConfiguration,
            _ => Exit::Failed,
        }
    }

    /// What may help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAuthorities(_) => {
                Some("install ca-certificates, or name a file of authorities in SSL_CERT_FILE")
            }
            Self::Socket { .. } => Some("name another path with --socket, or none"),
            Self::Metrics { .. } => Some("name another address with --metrics-listen"),
            Self::NoAnswer { source, .. } => Some(match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    "run this as root or as a member of the socket's group"
                }
                _ => "check that vipward-agent is running, or name its socket with --socket",
            }),
            Self::Answer { .. } => Some("the agent may be another version: restart it"),
            Self::Refused(_) => Some("name a service or a unit from vipward.toml"),
            Self::Configuration(_) | Self::System { .. } | Self::WatchEnded(_) => None,
        }
    }

    /// A refusal of the operating system to do `what`.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

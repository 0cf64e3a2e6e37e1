//! Why the unit ends, and with which exit code.

use std::io;
use std::path::PathBuf;

use vipward_core::{Exit, Faults};
use vipward_imds::NoEndpoint;

use crate::kernel::KernelError;

/// Why the unit ends other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file is wrong, or does not fit this host.
    #[error("the configuration is wrong")]
    Configuration(#[from] Faults),
    /// The kernel did not do as asked.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The socket for events closed.
    #[error("the netlink socket for events closed")]
    Deaf,
    /// No signal handlers.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// What was found cannot be said.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// The variable that points to the instance metadata is wrong.
    #[error(transparent)]
    Endpoint(#[from] NoEndpoint),
    /// The report for the agent cannot be written where it was asked for.
    #[error("cannot write {}", path.display())]
    Report {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A drop-in cannot be written.
    #[error("cannot write {}", path.display())]
    DropIn {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
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
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Kernel(KernelError::Denied(_)) => {
                Some("run the unit as root or with CAP_NET_ADMIN")
            }
            Self::Endpoint(_) => Some("write it like http://169.254.169.254"),
            Self::Report { .. } => Some("name another path with --report, or none"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_a_wrong_file_from_the_rest() {
        let faults = Faults::of_host("vipward.toml", "it is wrong", "put it right");
        assert_eq!(Failure::from(faults).exit(), Exit::BadConfiguration);
        assert_eq!(Failure::Deaf.exit(), Exit::Failed);
    }
}

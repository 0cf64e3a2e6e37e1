//! `tcp`: the port accepts a connection. Also the first step of the probes that speak on it.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::deadline::Deadline;
use crate::{Outcome, Pass, ProbeFailure};

// Numbers that `io::ErrorKind` has no name for; from Linux's errno.h.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = 105;

pub(crate) async fn probe(target: SocketAddr, deadline: &Deadline) -> Outcome {
    connect(target, deadline).await.map(|_| Pass::PLAIN)
}

pub(crate) async fn connect(
    target: SocketAddr,
    deadline: &Deadline,
) -> Result<TcpStream, ProbeFailure> {
    let connecting = TcpStream::connect(target);
    let connected = deadline.bound_connecting(connecting, || "no connection".to_owned()).await?;
    connected.map_err(|error| failure("no connection", &error))
}

/// Tells an error of the network or the peer from one of this host, which says nothing about the
/// peer: without the difference, a full descriptor table would look like every node dying.
pub(crate) fn failure(what: &str, error: &io::Error) -> ProbeFailure {
    let of_this_host = matches!(error.raw_os_error(), Some(ENFILE | EMFILE | ENOBUFS))
        || matches!(
            error.kind(),
            io::ErrorKind::OutOfMemory
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::PermissionDenied
        );
    if of_this_host {
        ProbeFailure::inconclusive(format!("{what}: this host: {error}"))
    } else {
        ProbeFailure::failed(format!("{what}: {error}"))
    }
}

#[cfg(test)]
mod tests;

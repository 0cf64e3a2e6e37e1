//! TLS over a connection, by `rustls`: the certificate is verified unless the check says not to.
//!
//! A handshake is never resumed: each probe sees the certificate that a new client would see.

mod trust;

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{CertificateError, Error};
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{ProbeFailure, tcp};

/// Connects, and shakes hands where the check asks for TLS from the first byte on.
pub(crate) async fn open(
    target: SocketAddr,
    tls: Option<&Tls>,
    deadline: &Deadline,
) -> Result<Wire, ProbeFailure> {
    let stream = Box::new(tcp::connect(target, deadline).await?);
    match tls {
        None => Ok(stream),
        Some(tls) => shake_hands(stream, target.ip(), tls, deadline).await,
    }
}

/// Turns the connection into an encrypted one.
pub(crate) async fn shake_hands(
    stream: Wire,
    address: IpAddr,
    tls: &Tls,
    deadline: &Deadline,
) -> Result<Wire, ProbeFailure> {
    let name = match &tls.name {
        None => ServerName::from(address),
        Some(name) => ServerName::try_from(name.clone())
            .map_err(|error| ProbeFailure::inconclusive(format!("the host {name:?}: {error}")))?,
    };
    let connector = TlsConnector::from(trust::configuration(tls, deadline).await?);
    let missing = || "no complete TLS handshake".to_owned();
    match deadline.bound(connector.connect(name, stream), missing).await? {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(failure(&error)),
    }
}

/// A certificate of an authority that we do not know, or of another name, may be as right as our
/// knowledge is wrong: that is for people to look at. All else turns clients away, too.
fn failure(error: &io::Error) -> ProbeFailure {
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match of_tls {
        Some(Error::InvalidCertificate(
            problem @ (CertificateError::UnknownIssuer
            // An authority of the same name with another key.
            | CertificateError::BadSignature
            | CertificateError::NotValidForName
            | CertificateError::NotValidForNameContext { .. }),
        )) => ProbeFailure::inconclusive(format!("does not trust the certificate: {problem}")),
        Some(Error::InvalidCertificate(problem)) => {
            ProbeFailure::failed(format!("shows a bad certificate: {problem}"))
        }
        Some(error) => ProbeFailure::failed(format!("no TLS: {error}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ProbeFailure::failed("hung up during the TLS handshake")
        }
        None => tcp::failure("no TLS", error),
    }
}

#[cfg(test)]
mod tests;

//! The connection that a protocol is spoken on: in the clear, or by TLS.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::{Shortfall, tcp, tls};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open connection, whatever carries it.
pub type Wire = Box<dyn Duplex>;

/// Connects, and shakes hands where the check asks for TLS from the first byte on.
pub(crate) async fn open(
    target: SocketAddr,
    tls: Option<&Tls>,
    deadline: &Deadline,
) -> Result<Wire, Shortfall> {
    let stream = Box::new(tcp::connect(target, deadline).await?);
    match tls {
        None => Ok(stream),
        Some(tls) => tls::shake_hands(stream, target.ip(), tls, deadline).await,
    }
}

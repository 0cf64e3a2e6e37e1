//! The connection that a protocol is spoken on: in the clear, or by TLS.

use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open connection, whatever carries it.
pub type Wire = Box<dyn Duplex>;

//! A connection that does not trust its peer: it ends before more is read, or room made for more,
//! than an answer to this probe can take.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::Wire;

/// Most bytes that a whole session may receive; a login and one row are under 2 KiB.
const MOST_BYTES: usize = 64 * 1024;

/// A stream whose messages are looked over as they come in.
pub(super) struct Guarded {
    stream: Wire,
    watch: Watch,
}

/// Follows the boundaries of messages: a kind of one byte, a length of four that counts itself, and
/// the rest. The client makes room for the whole length as soon as it is announced.
#[derive(Default)]
struct Watch {
    received: usize,
    head: Vec<u8>,
    body_left: usize,
}

impl Watch {
    fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.received += bytes.len();
        if self.received > MOST_BYTES {
            return Err(refusal(format!("it sent more than {MOST_BYTES} bytes")));
        }
        while let [byte, rest @ ..] = bytes {
            if self.body_left > 0 {
                let skipped = self.body_left.min(bytes.len());
                self.body_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(*byte);
            bytes = rest;
            if let [_, a, b, c, d] = self.head[..] {
                self.body_left = body_length([a, b, c, d])?;
                self.head.clear();
            }
        }
        Ok(())
    }
}

fn body_length(length: [u8; 4]) -> io::Result<usize> {
    usize::try_from(u32::from_be_bytes(length))
        .ok()
        .and_then(|length| length.checked_sub(4))
        .filter(|length| *length <= MOST_BYTES)
        .ok_or_else(|| refusal("it is not a PostgreSQL server".to_owned()))
}

fn refusal(cause: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

impl Guarded {
    pub fn new(stream: Wire) -> Self {
        Self { stream, watch: Watch::default() }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        Poll::Ready(self.watch.take(&buffer.filled()[before..]))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the bytes are let through, in pieces of any size alike.
    fn passes(bytes: &[u8]) -> bool {
        let whole = Watch::default().take(bytes).is_ok();
        for size in [1, 2, 3, 7] {
            let mut watch = Watch::default();
            let pieces = bytes.chunks(size).all(|piece| watch.take(piece).is_ok());
            assert_eq!(pieces, whole, "pieces of {size}");
        }
        whole
    }

    #[test]
    fn messages_pass_until_one_announces_too_much() {
        let row = b"D\0\0\0\x08abcd";
        assert!(passes(b""));
        assert!(passes(&row.repeat(100)));
        assert!(passes(&row.repeat(100)[..77]));
        assert!(!passes(b"D\0\0\0\x03"), "a length counts itself");
        assert!(!passes(&[row.as_slice(), b"D\x7f\xff\xff\xff"].concat()));
        assert!(!passes(b"HTTP/1.1 400 Bad Request\r\n"));
        assert!(!passes(&row.repeat(MOST_BYTES / row.len() + 1)));
    }
}

//! Whole conversations with a peer that says these bytes and then hangs up, for `fuzz/`. The first
//! byte says in how small pieces they come.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Builder;
use vipward_core::config::{Check, CheckKind};

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Outcome, ProbeFailure, http, mongodb, mysql, postgres, redis, systemd};

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// MySQL or MariaDB, with a password to prove and a lag to tell.
pub fn mysql(bytes: &[u8]) {
    let account = mysql::Account { user: "u", password_file: None, tls: None, lag_matters: true };
    talk(bytes, true, async |wire, deadline| mysql::converse(wire, PEER, &account, deadline).await);
}

/// PostgreSQL.
pub fn postgres(bytes: &[u8]) {
    let mut config = tokio_postgres::Config::new();
    config.user("u").password("p").ssl_mode(tokio_postgres::config::SslMode::Disable);
    talk(bytes, false, async |wire, deadline| postgres::converse(wire, &config, deadline).await);
}

/// MongoDB.
pub fn mongodb(bytes: &[u8]) {
    talk(bytes, false, async |wire, deadline| mongodb::ask(wire, true, deadline).await);
}

/// Redis.
pub fn redis(bytes: &[u8]) {
    talk(bytes, false, async |wire, deadline| redis::ask(wire, None, true, deadline).await);
}

/// An HTTP server whose body matters.
pub fn http(bytes: &[u8]) {
    let (path, body) = ("/", Some("a+b"));
    let request = http::Request { path, status: 200, body, host: None, tls: None };
    talk(bytes, false, async |wire, deadline| http::ask(wire, PEER, &request, deadline).await);
}

/// A D-Bus bus with systemd on it.
pub fn systemd(bytes: &[u8]) {
    talk(bytes, false, async |wire, deadline| {
        systemd::ask(wire, "a.service", deadline).await.map(|()| crate::Pass::PLAIN)
    });
}

/// Whatever comes of it has a cause that fits a line.
fn talk(bytes: &[u8], speaks_first: bool, probe: impl AsyncFnOnce(Wire, &Deadline) -> Outcome) {
    let Some((pieces, words)) = bytes.split_first() else { return };
    let pieces = usize::from(*pieces).max(1);
    let peer = Peer { words: words.to_vec(), said: 0, pieces, waiting: None, asked: speaks_first };
    let limit = Duration::from_secs(5);
    let check = Check {
        kind: CheckKind::Tcp,
        port: Some(1),
        interval: limit,
        confirm: limit,
        timeout: limit,
        connect_timeout: limit,
        rise: 1,
        fall: 1,
    };
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let outcome = runtime.block_on(async { probe(Box::new(peer), &Deadline::of(&check)).await });
    if let Err(failure) = outcome {
        assert!(!matches!(failure, ProbeFailure::TimedOut(_)), "the peer hung up: {failure}");
        let cause = failure.to_string();
        assert!(cause.chars().count() <= 200 && !cause.contains('\n'), "{cause}");
    }
}

struct Peer {
    words: Vec<u8>,
    said: usize,
    pieces: usize,
    /// Whether it may speak; most wait until they are asked.
    asked: bool,
    waiting: Option<Waker>,
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.asked {
            self.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = self.pieces.min(buffer.remaining()).min(self.words.len() - self.said);
        buffer.put_slice(&self.words[self.said..self.said + length]);
        self.said += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        /// A little of what the fuzz targets do at length; above all, they are not forgotten.
        #[test]
        fn noise_comes_to_a_cause(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for target in [
                super::http,
                super::mongodb,
                super::mysql,
                super::postgres,
                super::redis,
                super::systemd,
            ] {
                target(&bytes);
            }
        }
    }
}

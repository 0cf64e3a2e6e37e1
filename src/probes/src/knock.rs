//! Knocking at a host: whether anything answers at all, however its services are. Whoever refuses
//! is at home; only silence tells that nobody is.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vipward_core::config::{Check, CheckKind};

use crate::wire::Wire;
use crate::{ProbeFailure, stand};

/// Knocks that are left out after a login that failed: its cause is the probe's to tell.
const REST: u32 = 30;
/// A whole packet: the command `COM_PING`.
const MYSQL_PING: [u8; 5] = [1, 0, 0, 0, 0x0e];

/// Knocks at one port of a host.
///
/// As a rule by connecting and going again. MySQL takes that for an attack: there a connection that
/// is logged in is pinged.
pub struct Knock {
    address: SocketAddr,
    check: Check,
    standing: Option<Wire>,
    rest: u32,
}

impl Knock {
    /// At the port of that check.
    pub fn at(address: SocketAddr, check: &Check) -> Self {
        Self { address, check: check.clone(), standing: None, rest: 0 }
    }

    /// Where it knocks.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether servers of that kind bear being connected to and left.
    pub fn is_light(kind: &CheckKind) -> bool {
        !matches!(kind, CheckKind::Mysql { .. })
    }

    /// Whether anybody answers within the check's time to connect. Where that cannot be told,
    /// somebody does.
    pub async fn answers(&mut self) -> bool {
        let within = self.check.connect_timeout;
        if Self::is_light(&self.check.kind) {
            return connects(self.address, within).await;
        }
        match self.standing.take() {
            Some(wire) => self.ping(wire, within).await,
            None => self.log_in().await,
        }
    }

    async fn ping(&mut self, mut wire: Wire, within: Duration) -> bool {
        let mut reply = [0; 64];
        let talk = async {
            wire.write_all(&MYSQL_PING).await?;
            wire.read(&mut reply).await
        };
        match timeout(within, talk).await {
            Ok(Ok(read)) if read > 0 => self.standing = Some(wire),
            // The server hung up, which takes somebody at home.
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    async fn log_in(&mut self) -> bool {
        if self.rest > 0 {
            self.rest -= 1;
            return true;
        }
        match stand(self.address, &self.check).await {
            Ok(wire) => self.standing = Some(wire),
            Err(ProbeFailure::TimedOut(_)) => return false,
            Err(_) => self.rest = REST,
        }
        true
    }
}

async fn connects(address: SocketAddr, within: Duration) -> bool {
    match timeout(within, TcpStream::connect(address)).await {
        Ok(Err(error)) => !matches!(
            error.kind(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
        ),
        Ok(Ok(_)) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;

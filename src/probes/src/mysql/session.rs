//! Packets on one connection to a MySQL server.

use std::fmt;
use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Take};
use vipward_core::config::Tls;

use super::cursor::Cursor;
use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{ProbeFailure, tcp, tls};

/// Most bytes that a whole session may receive. A replica's status is some 10 KiB, and its sets of
/// transactions can take as much again several times.
const MOST_BYTES: u64 = 256 * 1024;

/// A connection that reads no more than [`MOST_BYTES`] and waits no longer than the deadline.
pub(super) struct Session<'d> {
    stream: Take<Wire>,
    deadline: &'d Deadline,
    /// The number of the next packet within one exchange.
    sequence: u8,
}

/// The server's error packet.
pub(super) struct Refusal {
    asked: &'static str,
    pub code: u16,
    message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {} with error {}: {}", self.asked, self.code, self.message)
    }
}

impl Refusal {
    /// Reads an error packet; `None` when the packet is something else.
    pub fn of(packet: &[u8], asked: &'static str) -> Option<Self> {
        let mut fields = Cursor(packet);
        if fields.byte()? != 0xff {
            return None;
        }
        let code = fields.u16()?;
        if fields.0.first() == Some(&b'#') {
            // The SQL state: coarser than the code.
            fields.take(6)?;
        }
        let message = String::from_utf8_lossy(fields.rest()).into_owned();
        Some(Self { asked, code, message })
    }
}

impl<'d> Session<'d> {
    pub fn new(stream: Wire, deadline: &'d Deadline) -> Self {
        Self { stream: stream.take(MOST_BYTES), deadline, sequence: 0 }
    }

    /// Begins a new exchange with a command.
    pub async fn command(&mut self, code: u8, text: &str) -> Result<(), ProbeFailure> {
        self.sequence = 0;
        let mut packet = vec![code];
        packet.extend_from_slice(text.as_bytes());
        self.send(&packet).await
    }

    pub async fn send(&mut self, packet: &[u8]) -> Result<(), ProbeFailure> {
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = vec![length[0], length[1], length[2], self.sequence];
        bytes.extend_from_slice(packet);
        self.sequence = self.sequence.wrapping_add(1);
        let sending = self.stream.get_mut().write_all(&bytes);
        let sent = self.deadline.bound(sending, || "nothing taken".to_owned()).await?;
        sent.map_err(|error| tcp::failure("cannot send", &error))
    }

    /// The next packet; `what` names it in messages.
    pub async fn receive(&mut self, what: &'static str) -> Result<Vec<u8>, ProbeFailure> {
        let Self { stream, deadline, sequence } = self;
        let read = deadline.bound(packet(stream), || format!("no complete {what}")).await?;
        match read {
            Ok((number, packet)) => {
                *sequence = number.wrapping_add(1);
                Ok(packet)
            }
            Err(_) if stream.limit() == 0 => Err(ProbeFailure::failed(format!(
                "sent {MOST_BYTES} bytes without a complete {what}"
            ))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(ProbeFailure::failed(format!("hung up without a complete {what}")))
            }
            Err(error) => Err(tcp::failure(&format!("no {what}"), &error)),
        }
    }

    /// Takes leave: the server would otherwise count an aborted client. All is known by now, so a
    /// failure changes nothing.
    pub async fn quit(mut self) {
        const QUIT: u8 = 1;
        let _taken = self.command(QUIT, "").await;
    }

    /// The same conversation, in TLS from here on.
    pub async fn encrypted(self, address: IpAddr, tls: &Tls) -> Result<Self, ProbeFailure> {
        let (left, wire) = (self.stream.limit(), self.stream.into_inner());
        let stream = tls::shake_hands(wire, address, tls, self.deadline).await?.take(left);
        Ok(Self { stream, ..self })
    }

    pub fn into_wire(self) -> Wire {
        self.stream.into_inner()
    }
}

/// One packet and its number. Its length is the peer's word: room is made for what comes, not for
/// what is announced.
async fn packet(stream: &mut Take<Wire>) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let [a, b, c, number] = header;
    let length = u64::from(u32::from_le_bytes([a, b, c, 0]));
    let mut packet = Vec::new();
    let read = (&mut *stream).take(length).read_to_end(&mut packet).await?;
    if u64::try_from(read).unwrap_or(u64::MAX) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((number, packet))
}

/// What a packet that makes no sense comes to.
pub(super) fn nonsense(what: &str) -> ProbeFailure {
    ProbeFailure::failed(format!("no MySQL {what}: it makes no sense"))
}

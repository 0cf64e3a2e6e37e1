//! Calls and replies on one connection to a D-Bus bus.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Take};

use super::message::{self, Call, Reply};
use crate::wire::Wire;

/// Most bytes that a whole session may receive; what is asked for takes less than one KiB.
const MOST_BYTES: u64 = 64 * 1024;
/// No line of the handshake is longer.
const LONGEST_LINE: usize = 512;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the bus refused: {0}")]
    Refused(String),
    #[error("{name}: {text}")]
    Error { name: String, text: String },
    #[error("the bus sent what makes no sense")]
    Nonsense,
    #[error("the bus hung up")]
    HungUp,
    #[error("the bus sent {MOST_BYTES} bytes without an answer")]
    Endless,
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset => Self::HungUp,
            _ => Self::Io(error),
        }
    }
}

/// A connection on which we are known by a name.
pub(super) struct Bus {
    stream: Take<Wire>,
    serial: u32,
}

impl Bus {
    /// Logs in as the user that we are, as the kernel tells the bus, and says hello.
    pub async fn greet(wire: Wire) -> Result<Self, NoAnswer> {
        let mut bus = Self { stream: wire.take(MOST_BYTES), serial: 0 };
        bus.stream.get_mut().write_all(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n").await?;
        loop {
            let line = bus.line().await?;
            match line.split_once(' ').map_or(line.as_str(), |(word, _)| word) {
                "OK" => break,
                // It asks who we are, which was answered ahead.
                "DATA" => {}
                _ => return Err(NoAnswer::Refused(line)),
            }
        }
        bus.call(&Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            arguments: &[],
        })
        .await?;
        Ok(bus)
    }

    /// A property of a unit that is text.
    pub async fn property(&mut self, path: &str, name: &str) -> Result<String, NoAnswer> {
        let reply = self
            .call(&Call {
                destination: "org.freedesktop.systemd1",
                path,
                interface: "org.freedesktop.DBus.Properties",
                member: "Get",
                arguments: &["org.freedesktop.systemd1.Unit", name],
            })
            .await?;
        reply.variant_text().ok_or(NoAnswer::Nonsense)
    }

    async fn call(&mut self, call: &Call<'_>) -> Result<Reply, NoAnswer> {
        self.serial += 1;
        let bytes = call.encode(self.serial);
        self.stream.get_mut().write_all(&bytes).await?;
        loop {
            let reply = self.message().await?;
            if reply.answers != Some(self.serial) {
                // Such as the signal that we have our name.
                continue;
            }
            return match &reply.error {
                None => Ok(reply),
                Some(name) => Err(NoAnswer::Error {
                    name: name.clone(),
                    text: reply.text().unwrap_or_default(),
                }),
            };
        }
    }

    async fn message(&mut self) -> Result<Reply, NoAnswer> {
        let mut head = [0; message::HEAD];
        self.read(&mut head).await?;
        let rest = message::rest(&head).ok_or(NoAnswer::Nonsense)?;
        let mut bytes = head.to_vec();
        // Its length is the peer's word: room is made for what comes.
        let wanted = u64::from(rest);
        let read = (&mut self.stream).take(wanted).read_to_end(&mut bytes).await?;
        if u64::try_from(read).unwrap_or(u64::MAX) < wanted {
            return Err(self.ended());
        }
        Reply::decode(&bytes).ok_or(NoAnswer::Nonsense)
    }

    async fn line(&mut self) -> Result<String, NoAnswer> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if line.len() > LONGEST_LINE {
                return Err(NoAnswer::Nonsense);
            }
            let mut byte = [0];
            self.read(&mut byte).await?;
            line.extend(byte);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn read(&mut self, bytes: &mut [u8]) -> Result<(), NoAnswer> {
        match self.stream.read_exact(bytes).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended()),
            Err(error) => Err(error.into()),
        }
    }

    fn ended(&self) -> NoAnswer {
        if self.stream.limit() == 0 { NoAnswer::Endless } else { NoAnswer::HungUp }
    }
}

//! Commands and replies (`OP_MSG`) on one connection to a MongoDB server.

use std::io;

use bson::RawDocumentBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Take};

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{ProbeFailure, tcp};

/// Most bytes that a whole session may receive; the status of fifty members is some 60 KiB.
const MOST_BYTES: u64 = 256 * 1024;
const OP_MSG: u32 = 2013;
/// Length, request's number, number of the request that is answered, operation, flags, and the kind
/// of the first section.
const HEAD: usize = 21;

/// A connection that reads no more than [`MOST_BYTES`] and waits no longer than the deadline.
pub(super) struct Session<'d> {
    stream: Take<Wire>,
    deadline: &'d Deadline,
}

impl<'d> Session<'d> {
    pub fn new(stream: Wire, deadline: &'d Deadline) -> Self {
        Self { stream: stream.take(MOST_BYTES), deadline }
    }

    /// Sends a command and waits for the reply's document; `name` is for messages.
    pub async fn ask(
        &mut self,
        name: &str,
        command: &RawDocumentBuf,
    ) -> Result<Vec<u8>, ProbeFailure> {
        let Self { stream, deadline } = self;
        let incomplete = || format!("no complete reply to {name}");
        let request = message(command.as_bytes());
        let sent = deadline.bound(stream.get_mut().write_all(&request), incomplete).await?;
        sent.map_err(|error| tcp::failure(&format!("cannot send {name}"), &error))?;
        match deadline.bound(reply(stream), incomplete).await? {
            Ok(document) => Ok(document),
            Err(_) if stream.limit() == 0 => Err(ProbeFailure::failed(format!(
                "sent {MOST_BYTES} bytes without a complete reply to {name}"
            ))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(ProbeFailure::failed(format!("hung up without a complete reply to {name}")))
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(nonsense(name)),
            Err(error) => Err(tcp::failure(&format!("no reply to {name}"), &error)),
        }
    }
}

fn message(document: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEAD + document.len()).expect("our own commands are short");
    let head = [length, 1, 0, OP_MSG, 0].map(u32::to_le_bytes);
    [head.as_flattened(), &[0], document].concat()
}

/// The document of one reply. Its length is the peer's word: room is made for what comes, not for
/// what is announced.
async fn reply(stream: &mut Take<Wire>) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    let word = |at: usize| head[at..].first_chunk().copied().map_or(0, u32::from_le_bytes);
    let length = u64::from(word(0)).checked_sub(HEAD as u64);
    let (Some(length), OP_MSG, 0) = (length, word(12), head[HEAD - 1]) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut document = Vec::new();
    let read = (&mut *stream).take(length).read_to_end(&mut document).await?;
    if u64::try_from(read).unwrap_or(u64::MAX) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(document)
}

/// What a reply that makes no sense comes to.
pub(super) fn nonsense(asked: &str) -> ProbeFailure {
    ProbeFailure::failed(format!("no MongoDB reply to {asked}: it makes no sense"))
}

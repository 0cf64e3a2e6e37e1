//! Requests and replies on one connection to a Redis server, one at a time.

use std::fmt;

use redis::{Cmd, ErrorKind, RedisError, Value, parse_redis_value_async};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Take};

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{ProbeFailure, tcp};

/// Most bytes that a whole session may receive. `ROLE` of a primary lists its replicas at under
/// 100 bytes each.
const MOST_BYTES: u64 = 64 * 1024;

/// A connection that reads no more than [`MOST_BYTES`] and waits no longer than the deadline.
///
/// The `redis` crate encodes and parses; its own connections have no bound on what they buffer.
pub(super) struct Session<'d> {
    stream: Take<Wire>,
    deadline: &'d Deadline,
}

/// The server's error reply.
pub(super) struct Refusal {
    asked: &'static str,
    /// The reply's first word, such as `NOAUTH`.
    pub code: String,
    /// The rest of it.
    pub details: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {} with {} {}", self.asked, self.code, self.details)
    }
}

impl<'d> Session<'d> {
    pub fn new(stream: Wire, deadline: &'d Deadline) -> Self {
        Self { stream: stream.take(MOST_BYTES), deadline }
    }

    /// Sends the command and waits for its reply; `name` is for messages.
    pub async fn ask(
        &mut self,
        name: &'static str,
        command: &Cmd,
    ) -> Result<Result<Value, Refusal>, ProbeFailure> {
        let Self { stream, deadline } = self;
        let left_before = stream.limit();
        let incomplete = || format!("no complete reply to {name}");
        let request = command.get_packed_command();
        deadline
            .bound(stream.get_mut().write_all(&request), incomplete)
            .await?
            .map_err(|error| tcp::failure(&format!("cannot send {name}"), &error))?;
        #[expect(clippy::default_trait_access, reason = "its crate is not re-exported by redis")]
        let mut parser = Default::default();
        let reply =
            deadline.bound(parse_redis_value_async(&mut parser, stream), incomplete).await?;
        match reply {
            Ok(Value::ServerError(error)) => Ok(Err(Refusal {
                asked: name,
                code: error.code().to_owned(),
                details: error.details().unwrap_or_default().to_owned(),
            })),
            Ok(reply) => Ok(Ok(reply)),
            Err(error) => Err(self.no_reply(name, left_before, &error)),
        }
    }

    fn no_reply(&self, name: &str, left_before: u64, error: &RedisError) -> ProbeFailure {
        let received = left_before - self.stream.limit();
        if self.stream.limit() == 0 {
            ProbeFailure::failed(format!(
                "sent {MOST_BYTES} bytes without a complete reply to {name}"
            ))
        } else if error.kind() == ErrorKind::Parse {
            ProbeFailure::failed(format!("no Redis reply to {name}: {error}"))
        } else if error.is_connection_dropped() && received > 0 {
            ProbeFailure::failed(format!("hung up in the middle of its reply to {name}"))
        } else if error.is_connection_dropped() {
            ProbeFailure::failed(format!("hung up without a reply to {name}"))
        } else {
            ProbeFailure::failed(format!("no reply to {name}: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        /// A panic would end the agent: whatever a peer sends is a value or an error.
        #[test]
        fn no_bytes_make_the_parser_panic(
            bytes in prop::collection::vec(
                prop_oneof![prop::sample::select(b"+-:$*%|~_,#!=(>0123456789tf\r\n".to_vec()), any::<u8>()],
                0..200,
            ),
            lines in prop::collection::vec("[-+:$*%|~_,#!=(>]-?[0-9]{0,20}", 0..20),
        ) {
            for input in [bytes, lines.join("\r\n").into_bytes()] {
                // Either way is fine.
                let _parsed = redis::parse_redis_value(&input);
            }
        }
    }
}

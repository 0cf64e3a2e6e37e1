//! `mongodb`: `hello`, and of a secondary `replSetGetStatus`. For MongoDB 4.4.2 and later.
//!
//! Without a login: `hello` needs none, and a secondary says how far behind it is only where the
//! server asks for none. The `bson` crate encodes and parses; the driver would keep threads of
//! monitors and pools for what is two messages.

mod session;

use std::net::SocketAddr;
use std::time::Duration;

use bson::raw::{RawBsonRef, RawDocument};
use bson::rawdoc;
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, tls};
use session::{Session, nonsense};

const PRIMARY: i32 = 1;

pub(crate) async fn probe(
    target: SocketAddr,
    tls: Option<&Tls>,
    lag_matters: bool,
    deadline: &Deadline,
) -> Outcome {
    ask(tls::open(target, tls, deadline).await?, lag_matters, deadline).await
}

/// On an open connection.
pub(crate) async fn ask(wire: Wire, lag_matters: bool, deadline: &Deadline) -> Outcome {
    let mut session = Session::new(wire, deadline);
    let reply = session.ask("hello", &rawdoc! { "hello": 1, "$db": "admin" }).await?;
    let hello = document(&reply)?;
    if let Some(refusal) = Refusal::of(hello) {
        return Err(refusal.failure("hello"));
    }
    let says = |key| matches!(hello.get(key), Ok(Some(RawBsonRef::Boolean(true))));
    if says("isWritablePrimary") {
        let is_router = hello.get_str("msg").is_ok_and(|word| word == "isdbgrid");
        let role = if is_router { None } else { Some(Replication::Primary) };
        return Ok(Pass { role, lag: None });
    }
    if !says("secondary") {
        let what = if says("arbiterOnly") { ": it is an arbiter" } else { "" };
        return Err(ProbeFailure::failed(format!("is neither primary nor secondary{what}")));
    }
    let status = rawdoc! { "replSetGetStatus": 1, "$db": "admin" };
    let reply = session.ask("replSetGetStatus", &status).await?;
    let status = document(&reply)?;
    let lag = match Refusal::of(status) {
        None => Some(lag(status)?),
        Some(refusal) if lag_matters || !refusal.is_denial() => {
            return Err(refusal.failure("replSetGetStatus"));
        }
        Some(_) => None,
    };
    Ok(Pass { role: Some(Replication::Replica), lag })
}

/// By the last operation of the member itself and of the primary, as the member knows it.
fn lag(status: &RawDocument) -> Result<Lag, ProbeFailure> {
    let nonsense = || nonsense("replSetGetStatus");
    let (mut own, mut primary) = (None, None);
    for member in status.get_array("members").map_err(|_| nonsense())? {
        let Ok(RawBsonRef::Document(member)) = member else { return Err(nonsense()) };
        let last = || member.get_datetime("optimeDate").map_err(|_| nonsense());
        if member.get_bool("self").unwrap_or(false) {
            own = Some(last()?);
        } else if member.get_i32("state").is_ok_and(|state| state == PRIMARY) {
            primary = Some(last()?);
        }
    }
    let own = own.ok_or_else(nonsense)?.timestamp_millis();
    let Some(primary) = primary else { return Ok(Lag::Severed) };
    let behind = u64::try_from(primary.timestamp_millis().saturating_sub(own)).unwrap_or(0);
    Ok(Lag::Behind(Duration::from_millis(behind)))
}

fn document(reply: &[u8]) -> Result<&RawDocument, ProbeFailure> {
    RawDocument::from_bytes(reply).map_err(|_| nonsense("a command"))
}

/// The server's no.
struct Refusal<'r> {
    code: i32,
    message: &'r str,
}

impl<'r> Refusal<'r> {
    /// `None` when the reply is a yes.
    fn of(reply: &'r RawDocument) -> Option<Self> {
        let yes = match reply.get("ok") {
            Ok(Some(RawBsonRef::Double(ok))) => ok > 0.5,
            Ok(Some(RawBsonRef::Int32(ok))) => ok == 1,
            _ => false,
        };
        let code = reply.get_i32("code").unwrap_or(0);
        let message = reply.get_str("errmsg").unwrap_or("it does not say why");
        (!yes).then_some(Self { code, message })
    }

    /// `Unauthorized`, `AuthenticationFailed`.
    fn is_denial(&self) -> bool {
        matches!(self.code, 13 | 18)
    }

    fn failure(&self, asked: &str) -> ProbeFailure {
        let cause = format!("answered {asked} with error {}: {}", self.code, self.message);
        if self.is_denial() {
            ProbeFailure::inconclusive(cause)
        } else {
            ProbeFailure::failed(cause)
        }
    }
}

#[cfg(test)]
mod tests;

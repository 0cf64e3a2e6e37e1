//! `redis`: log in where asked to, `PING`, `ROLE`, and of a replica `INFO replication`.

mod replication;
mod session;

use std::net::SocketAddr;
use std::path::Path;

use redis::{Cmd, Value};
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, secret, tls};
use session::{Refusal, Session};

/// How to log in (with neither, the probe does not), and whether the lag must be known.
pub(crate) struct Account<'c> {
    pub user: Option<&'c str>,
    pub password_file: Option<&'c Path>,
    pub tls: Option<&'c Tls>,
    pub lag_matters: bool,
}

pub(crate) async fn probe(
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &Deadline,
) -> Outcome {
    let authenticate = authentication(account, deadline).await?;
    let wire = tls::open(target, account.tls, deadline).await?;
    ask(wire, authenticate, account.lag_matters, deadline).await
}

/// On an open connection.
pub(crate) async fn ask(
    wire: Wire,
    authenticate: Option<Cmd>,
    lag_matters: bool,
    deadline: &Deadline,
) -> Outcome {
    let mut session = Session::new(wire, deadline);
    if let Some(command) = authenticate {
        session.ask("AUTH", &command).await?.map_err(|refusal| login_refused(&refusal))?;
    }
    let pong =
        session.ask("PING", &redis::cmd("PING")).await?.map_err(|refusal| refused(&refusal))?;
    if pong != Value::SimpleString("PONG".to_owned()) {
        return Err(ProbeFailure::failed(format!("answered PING with {pong:?}")));
    }
    let role = role(&mut session, lag_matters).await?;
    let lag = match role {
        Some(Replication::Replica) => lag(&mut session, lag_matters).await?,
        _ => None,
    };
    Ok(Pass { role, lag })
}

async fn authentication(
    login: &Account<'_>,
    deadline: &Deadline,
) -> Result<Option<Cmd>, ProbeFailure> {
    let password = match login.password_file {
        Some(path) => Some(secret::first_line(path, deadline).await?),
        None => None,
    };
    if login.user.is_none() && password.is_none() {
        return Ok(None);
    }
    let mut command = redis::cmd("AUTH");
    if let Some(user) = login.user {
        command.arg(user);
    }
    // A user without a password is one that the server lets in with any.
    command.arg(password.unwrap_or_default());
    Ok(Some(command))
}

/// An ACL may forbid `ROLE` to the probing user: then the role stays unknown, unless it matters.
async fn role(
    session: &mut Session<'_>,
    matters: bool,
) -> Result<Option<Replication>, ProbeFailure> {
    let reply = match session.ask("ROLE", &redis::cmd("ROLE")).await? {
        Ok(Value::Array(reply)) => reply,
        Err(refusal) if matters || refusal.code == "LOADING" => return Err(refused(&refusal)),
        Ok(_) | Err(_) => return Ok(None),
    };
    Ok(match reply.first() {
        Some(Value::BulkString(word)) if word == b"master" => Some(Replication::Primary),
        Some(Value::BulkString(word)) if word == b"slave" => Some(Replication::Replica),
        _ => None,
    })
}

/// As with the role, it stays unknown where it is forbidden, unless it matters.
async fn lag(session: &mut Session<'_>, matters: bool) -> Result<Option<Lag>, ProbeFailure> {
    match session.ask("INFO", redis::cmd("INFO").arg("replication")).await? {
        Ok(Value::BulkString(text)) => Ok(replication::lag(&String::from_utf8_lossy(&text))),
        Err(refusal) if matters || refusal.code == "LOADING" => Err(refused(&refusal)),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// The server's no to `PING`. Only a no to *us* is an error; a server that loads its data, is
/// full or refuses writes for a full disk serves nobody.
fn refused(refusal: &Refusal) -> ProbeFailure {
    match refusal.code.as_str() {
        "NOAUTH" | "NOPERM" | "WRONGPASS" => ProbeFailure::inconclusive(refusal.to_string()),
        "LOADING" => ProbeFailure::failed("is loading its data set"),
        _ => ProbeFailure::failed(refusal.to_string()),
    }
}

/// The server's no to `AUTH`. A plain `ERR` is about the login when it speaks of it (no password
/// configured, or the wording of servers before 6.0).
fn login_refused(refusal: &Refusal) -> ProbeFailure {
    let speaks_of_login = ["AUTH", "password"].iter().any(|word| refusal.details.contains(word));
    if refusal.code == "ERR" && speaks_of_login {
        ProbeFailure::inconclusive(refusal.to_string())
    } else {
        refused(refusal)
    }
}

#[cfg(test)]
mod tests;

//! `redis`: log in where asked to, `PING`, `ROLE`.

mod session;

use std::net::SocketAddr;
use std::path::Path;

use redis::{Cmd, Value};

use crate::deadline::Deadline;
use crate::{Outcome, Pass, Role, Shortfall, secret, tcp};
use session::{Refusal, Session};

/// How to log in; with neither, the probe does not.
pub(crate) struct Login<'c> {
    pub user: Option<&'c str>,
    pub password_file: Option<&'c Path>,
}

pub(crate) async fn probe(target: SocketAddr, login: &Login<'_>, deadline: &Deadline) -> Outcome {
    let authenticate = authentication(login, deadline).await?;
    let stream = tcp::connect(target, deadline).await?;
    let mut session = Session::new(stream, deadline);
    if let Some(command) = authenticate {
        session.ask("AUTH", &command).await?.map_err(|refusal| login_refused(&refusal))?;
    }
    let pong =
        session.ask("PING", &redis::cmd("PING")).await?.map_err(|refusal| refused(&refusal))?;
    if pong != Value::SimpleString("PONG".to_owned()) {
        return Err(Shortfall::fail(format!("answered PING with {pong:?}")));
    }
    Ok(Pass { role: role(&mut session).await? })
}

async fn authentication(login: &Login<'_>, deadline: &Deadline) -> Result<Option<Cmd>, Shortfall> {
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

/// An ACL may forbid `ROLE` to the probing user: then the role stays unknown.
async fn role(session: &mut Session<'_>) -> Result<Option<Role>, Shortfall> {
    let reply = match session.ask("ROLE", &redis::cmd("ROLE")).await? {
        Ok(Value::Array(reply)) => reply,
        Err(refusal) if refusal.code == "LOADING" => return Err(refused(&refusal)),
        Ok(_) | Err(_) => return Ok(None),
    };
    Ok(match reply.first() {
        Some(Value::BulkString(word)) if word == b"master" => Some(Role::Primary),
        Some(Value::BulkString(word)) if word == b"slave" => Some(Role::Replica),
        _ => None,
    })
}

/// The server's no to `PING`. Only a no to *us* is an error; a server that loads its data, is
/// full or refuses writes for a full disk serves nobody.
fn refused(refusal: &Refusal) -> Shortfall {
    match refusal.code.as_str() {
        "NOAUTH" | "NOPERM" | "WRONGPASS" => Shortfall::error(refusal.to_string()),
        "LOADING" => Shortfall::fail("is loading its data set"),
        _ => Shortfall::fail(refusal.to_string()),
    }
}

/// The server's no to `AUTH`. A plain `ERR` is about the login when it speaks of it (no password
/// configured, or the wording of servers before 6.0).
fn login_refused(refusal: &Refusal) -> Shortfall {
    let speaks_of_login = ["AUTH", "password"].iter().any(|word| refusal.details.contains(word));
    if refusal.code == "ERR" && speaks_of_login {
        Shortfall::error(refusal.to_string())
    } else {
        refused(refusal)
    }
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;

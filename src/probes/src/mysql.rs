//! `mysql`: log in, `SELECT 1`, `read_only`, the replica's threads and seconds behind. For MySQL
//! 5.7 and later and for MariaDB.
//!
//! The few packets that this takes are spoken here: client crates trust the server, make room for
//! as many columns as it announces, and panic on some lengths. Whatever a peer sends must be a
//! value or a failure.

mod cursor;
mod greeting;
mod login;
mod query;
mod replication;
mod session;

use std::net::SocketAddr;
use std::path::Path;

use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Outcome, Pass, ProbeFailure, Replication, secret, tls};
use login::Login;
use query::{Row, query};
use session::{Refusal, Session};

/// Whom to log in as, and whether the lag must be known.
pub(crate) struct Account<'c> {
    pub user: &'c str,
    pub password_file: Option<&'c Path>,
    pub tls: Option<&'c Tls>,
    pub lag_matters: bool,
}

pub(crate) async fn probe(
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &Deadline,
) -> Outcome {
    let wire = tls::open(target, None, deadline).await?;
    converse(wire, target, account, deadline).await
}

/// On an open connection.
pub(crate) async fn converse(
    wire: Wire,
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &Deadline,
) -> Outcome {
    let mut session = open(wire, target, account, deadline).await?;
    let pass = ask(&mut session, account.lag_matters).await?;
    session.quit().await;
    Ok(pass)
}

/// A connection that is logged in and idle. One that says nothing instead counts as an interrupted
/// handshake, after a hundred of which (`max_connect_errors`) the server shuts the host out.
pub(crate) async fn stand(
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &Deadline,
) -> Result<Wire, ProbeFailure> {
    let wire = tls::open(target, None, deadline).await?;
    Ok(open(wire, target, account, deadline).await?.into_wire())
}

async fn open<'d>(
    wire: Wire,
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &'d Deadline,
) -> Result<Session<'d>, ProbeFailure> {
    let password = match account.password_file {
        Some(path) => secret::first_line(path, deadline).await?,
        None => String::new(),
    };
    let tls = account.tls.map(|tls| (target.ip(), tls));
    let login = Login { user: account.user, password: &password, tls };
    login::log_in(Session::new(wire, deadline), &login).await
}

async fn ask(session: &mut Session<'_>, lag_matters: bool) -> Outcome {
    let rows = query(session, "SELECT 1, @@global.read_only").await?.map_err(|no| refused(&no))?;
    let role = match rows.first().map(|row| [row.at(0), row.at(1)]) {
        Some([Some("1"), Some("0" | "OFF")]) => Replication::Primary,
        Some([Some("1"), Some(_)]) => Replication::Replica,
        _ => return Err(ProbeFailure::failed("answered SELECT 1 with something else")),
    };
    let lag = match replication_status(session).await? {
        Ok(rows) => replication::lag(role, &rows),
        Err(refusal) if lag_matters || !is_denial(&refusal) => return Err(refused(&refusal)),
        Err(_) => None,
    };
    Ok(Pass { role: Some(role), lag })
}

/// In the words of today's servers, or else in those of MySQL before 8.0.22 and of MariaDB before
/// 10.5.
async fn replication_status(
    session: &mut Session<'_>,
) -> Result<Result<Vec<Row>, Refusal>, ProbeFailure> {
    const SYNTAX_ERROR: u16 = 1064;
    match query(session, "SHOW REPLICA STATUS").await? {
        Err(refusal) if refusal.code == SYNTAX_ERROR => query(session, "SHOW SLAVE STATUS").await,
        answer => Ok(answer),
    }
}

/// Only a no to *us* is an error; a server that is full or shuts down serves nobody.
fn refused(refusal: &Refusal) -> ProbeFailure {
    if is_denial(refusal) {
        ProbeFailure::inconclusive(refusal.to_string())
    } else {
        ProbeFailure::failed(refusal.to_string())
    }
}

/// By the server's error numbers: wrong login (1044, 1045, 1698), no such database (1049), this
/// host shut out (1129, 1130), no privilege (1142, 1227), too many connections of this user (1203,
/// 1226), an outdated way to log in (1251), password expired (1820, 1862), account locked (3118;
/// 4151 of MariaDB), only with TLS (3159).
fn is_denial(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        1044 | 1045
            | 1049
            | 1129
            | 1130
            | 1142
            | 1203
            | 1226
            | 1227
            | 1251
            | 1698
            | 1820
            | 1862
            | 3118
            | 3159
            | 4151
    )
}

#[cfg(test)]
mod tests;

//! `postgres`: log in, `SELECT 1`, whether in recovery, and how far behind.
//!
//! `tokio-postgres` speaks the protocol, over a stream of ours that bounds what it may buffer.

mod guarded;

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Lag, Outcome, Pass, ProbeFailure, Replication, secret, tcp, tls};
use guarded::Guarded;

/// Whether in recovery; then how far behind, in seconds or a word. A server that has replayed all
/// that it received is not behind, however long ago its primary last wrote. What a process receives
/// needs no privilege to see, only how.
const QUESTION: &str = "SELECT 1, pg_is_in_recovery(), CASE \
    WHEN NOT pg_is_in_recovery() THEN NULL \
    WHEN pg_is_wal_replay_paused() THEN 'paused' \
    WHEN NOT EXISTS (SELECT FROM pg_stat_get_wal_receiver() r WHERE r.pid IS NOT NULL) THEN 'severed' \
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN '0' \
    ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::text END";

const DENIALS: [SqlState; 4] = [
    SqlState::INVALID_PASSWORD,
    SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    SqlState::INVALID_CATALOG_NAME,
    SqlState::INSUFFICIENT_PRIVILEGE,
];

/// The client's own word, where the server asks for a password and there is none.
const PASSWORD_MISSING: &str = "password missing";

/// Where and as whom to log in.
pub(crate) struct Account<'c> {
    pub user: &'c str,
    pub password_file: Option<&'c Path>,
    pub database: &'c str,
    pub tls: Option<&'c Tls>,
}

pub(crate) async fn probe(
    target: SocketAddr,
    account: &Account<'_>,
    deadline: &Deadline,
) -> Outcome {
    let mut config = Config::new();
    config.user(account.user).dbname(account.database).application_name("vipward-agent");
    // TLS, where it is wanted, is spoken before.
    config.ssl_mode(SslMode::Disable);
    if let Some(path) = account.password_file {
        config.password(secret::first_line(path, deadline).await?);
    }
    let mut wire = tls::open(target, None, deadline).await?;
    if let Some(tls) = account.tls {
        ask_for_tls(&mut wire, deadline).await?;
        wire = tls::shake_hands(wire, target.ip(), tls, deadline).await?;
    }
    converse(wire, &config, deadline).await
}

/// In the clear, before anything else is said.
async fn ask_for_tls(wire: &mut Wire, deadline: &Deadline) -> Result<(), ProbeFailure> {
    const TLS_PLEASE: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    let mut answer = [0];
    let talk = async {
        wire.write_all(&TLS_PLEASE).await?;
        wire.read_exact(&mut answer).await
    };
    let talked = deadline.bound(talk, || "no answer to the request for TLS".to_owned()).await?;
    talked.map_err(|error| tcp::failure("no answer to the request for TLS", &error))?;
    match answer {
        [b'S'] => Ok(()),
        [b'N'] => Err(ProbeFailure::inconclusive("the server speaks no TLS")),
        _ => Err(ProbeFailure::failed(
            "no answer to the request for TLS: it is not a PostgreSQL server",
        )),
    }
}

/// From the login on.
pub(crate) async fn converse(wire: Wire, config: &Config, deadline: &Deadline) -> Outcome {
    let stream = Guarded::new(wire);
    let missing = || "no complete answer to the login".to_owned();
    let (client, mut connection) = deadline
        .bound(config.connect_raw(stream, NoTls), missing)
        .await?
        .map_err(|error| failure("the login", &error))?;
    let answer = async {
        tokio::select! {
            pass = ask(&client) => pass,
            Err(error) = &mut connection => Err(failure("SELECT 1", &error)),
        }
    };
    let pass = deadline.bound(answer, || "no complete answer to SELECT 1".to_owned()).await??;
    // Takes leave. All is known by now, so a failure changes nothing.
    drop(client);
    let _taken = deadline.bound(connection, String::new).await;
    Ok(pass)
}

async fn ask(client: &Client) -> Outcome {
    let answer = client.simple_query(QUESTION).await;
    let answer = answer.map_err(|error| failure("SELECT 1", &error))?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let fields = row.filter(|row| row.len() == 3).map(|row| [row.get(0), row.get(1), row.get(2)]);
    match fields {
        Some([Some("1"), Some("f"), None]) => {
            Ok(Pass { role: Some(Replication::Primary), lag: None })
        }
        Some([Some("1"), Some("t"), behind]) => {
            Ok(Pass { role: Some(Replication::Replica), lag: behind.and_then(lag) })
        }
        _ => Err(ProbeFailure::failed("answered SELECT 1 with something else")),
    }
}

/// A standby that has received, but never yet replayed a transaction, cannot say (NULL).
fn lag(word: &str) -> Option<Lag> {
    match word {
        "paused" => Some(Lag::NotReplicating),
        "severed" => Some(Lag::Severed),
        seconds => {
            let seconds: f64 = seconds.parse().ok()?;
            Duration::try_from_secs_f64(seconds.max(0.0)).ok().map(Lag::Behind)
        }
    }
}

/// Only a no to *us* is an error; a server that starts up, shuts down or is full serves nobody.
fn failure(asked: &str, error: &Error) -> ProbeFailure {
    let (is_denial, cause) = if let Some(answer) = error.as_db_error() {
        let (code, text) = (answer.code(), answer.message());
        (DENIALS.contains(code), format!("answered {asked} with {}: {text}", code.code()))
    } else {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        (cause == PASSWORD_MISSING, format!("no answer to {asked}: {cause}"))
    };
    if is_denial { ProbeFailure::inconclusive(cause) } else { ProbeFailure::failed(cause) }
}

#[cfg(test)]
mod tests;

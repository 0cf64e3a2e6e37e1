//! `http` and `https`: `GET path` answers with the expected status, and with a body that matches
//! where one is asked for. Redirects are answers, not followed.
//!
//! `hyper` speaks the protocol on a connection of ours: it bounds what it keeps of a head, the body
//! is read no further than needed, and nothing stays from probe to probe (no pool, no cookie, no
//! proxy of the environment). Nodes are reached by address, whatever host they are asked for.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use regex_lite::Regex;
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::wire::Wire;
use crate::{Outcome, Pass, ProbeFailure, tcp, tls};

/// Most bytes of a head.
const LONGEST_HEAD: usize = 16 * 1024;
/// So much of a body is looked at.
const LONGEST_BODY: usize = 64 * 1024;

/// What is asked, and what must be answered.
pub(crate) struct Request<'c> {
    pub path: &'c str,
    pub status: u16,
    pub body: Option<&'c str>,
    pub host: Option<&'c str>,
    pub tls: Option<&'c Tls>,
}

pub(crate) async fn probe(
    target: SocketAddr,
    request: &Request<'_>,
    deadline: &Deadline,
) -> Outcome {
    let wire = tls::open(target, request.tls, deadline).await?;
    ask(wire, target, request, deadline).await
}

/// On an open connection.
pub(crate) async fn ask(
    wire: Wire,
    target: SocketAddr,
    request: &Request<'_>,
    deadline: &Deadline,
) -> Outcome {
    let handshake = http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(wire));
    let (mut sender, mut connection) = handshake.await.map_err(|error| failure(&error))?;
    let answer = judge(&mut sender, target, request, deadline);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        outcome = &mut answer => outcome,
        // When it ends the answer is there, as far as there will be one.
        _ = &mut connection => answer.await,
    }
}

async fn judge(
    sender: &mut SendRequest<Empty<Bytes>>,
    target: SocketAddr,
    request: &Request<'_>,
    deadline: &Deadline,
) -> Outcome {
    let message = message(target, request)?;
    let response = deadline
        .bound(sender.send_request(message), || "no complete response head".to_owned())
        .await?
        .map_err(|error| failure(&error))?;
    match response.status().as_u16() {
        status if status == request.status => {}
        status => {
            return Err(ProbeFailure::failed(format!(
                "status {status} instead of {}",
                request.status
            )));
        }
    }
    let Some(pattern) = request.body else { return Ok(Pass::PLAIN) };
    let body = deadline.bound(beginning(response.into_body()), || "no complete body".to_owned());
    matches(pattern, &body.await??)
}

fn message(
    target: SocketAddr,
    request: &Request<'_>,
) -> Result<hyper::Request<Empty<Bytes>>, ProbeFailure> {
    let usual_port = if request.tls.is_some() { 443 } else { 80 };
    let host = match request.host {
        Some(host) if target.port() == usual_port => host.to_owned(),
        Some(host) => format!("{host}:{}", target.port()),
        None => target.to_string(),
    };
    hyper::Request::get(request.path)
        .header("host", host)
        .header("user-agent", concat!("vipward-agent/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Empty::new())
        .map_err(|error| ProbeFailure::inconclusive(format!("no request: {error}")))
}

/// All of the body, or its first [`LONGEST_BODY`] bytes.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, ProbeFailure> {
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failure(&error))?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        let room = LONGEST_BODY - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if kept.len() == LONGEST_BODY {
            break;
        }
    }
    Ok(kept)
}

fn matches(pattern: &str, body: &[u8]) -> Outcome {
    let regex = Regex::new(pattern)
        .map_err(|error| ProbeFailure::inconclusive(format!("the pattern {pattern:?}: {error}")))?;
    let body = String::from_utf8_lossy(body);
    if regex.is_match(&body) {
        Ok(Pass::PLAIN)
    } else {
        Err(ProbeFailure::failed(format!("the body does not match {pattern:?}: {body}")))
    }
}

/// The innermost error says what happened; the outer ones only that it happened.
fn failure(error: &hyper::Error) -> ProbeFailure {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return tcp::failure("no response", io);
        }
        match cause.source() {
            Some(inner) => cause = inner,
            None => return ProbeFailure::failed(format!("no response: {cause}")),
        }
    }
}

#[cfg(test)]
mod tests;

//! `http`: `GET path` answers with the expected status. Redirects are answers, not followed, and
//! the body is not read.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;

use reqwest::Client;
use reqwest::redirect::Policy;

use crate::deadline::Deadline;
use crate::{Outcome, Pass, Shortfall, tcp};

pub(crate) async fn probe(
    target: SocketAddr,
    path: &str,
    expected: u16,
    deadline: &Deadline,
) -> Outcome {
    let client = client()?;
    let request = client.get(format!("http://{target}{path}")).send();
    let response = deadline
        .bound(request, || "no complete response head".to_owned())
        .await?
        .map_err(|error| failure(&error))?;
    match response.status().as_u16() {
        status if status == expected => Ok(Pass::PLAIN),
        status => Err(Shortfall::fail(format!("status {status} instead of {expected}"))),
    }
}

/// One client for all probes: building it is dear, and it keeps nothing from probe to probe
/// (no connection, no cookie, no proxy of the environment, no root certificate: it speaks plain
/// HTTP only).
fn client() -> Result<&'static Client, Shortfall> {
    static CLIENT: OnceLock<Result<Client, String>> = OnceLock::new();
    let build = || {
        Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .tls_certs_only([])
            .http1_only()
            .user_agent(concat!("vipward-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())
    };
    CLIENT
        .get_or_init(build)
        .as_ref()
        .map_err(|error| Shortfall::error(format!("no HTTP client: {error}")))
}

/// The innermost error says what happened; the outer ones only that it happened.
fn failure(error: &reqwest::Error) -> Shortfall {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return tcp::failure("no response", io);
        }
        match cause.source() {
            Some(inner) => cause = inner,
            None if error.is_builder() => return Shortfall::error(cause.to_string()),
            None => return Shortfall::fail(format!("no response: {cause}")),
        }
    }
}

#[cfg(test)]
mod tests;

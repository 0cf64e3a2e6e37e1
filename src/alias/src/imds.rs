//! The instance metadata service, version 2, as far as the unit asks it: which private addresses
//! the ENI with a MAC has.
//!
//! Plain HTTP with a connection for each request: the service is one hop away, and nothing is kept
//! between two questions but the token.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use vipward_core::EniId;

use crate::endpoint::Endpoint;
use vipward_upkeep::inventory::Mac;
use vipward_upkeep::knowledge::listed;

#[cfg(test)]
mod tests;

/// For one question, tokens included. The service answers in milliseconds.
const WITHIN: Duration = Duration::from_secs(1);
/// How long a token holds: the longest there is. To ask for one is throttled more than to use it.
const TOKEN_TTL: Duration = Duration::from_hours(6);
/// Renewed so long before its end.
const MARGIN: Duration = Duration::from_mins(10);
/// An ENI has at most 64 addresses.
const MOST_BYTES: usize = 16 * 1024;

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// Why there is no answer. None of these says anything about whose VIP it is.
#[derive(Debug, thiserror::Error)]
pub enum ImdsError {
    /// It cannot be reached.
    #[error("cannot reach the instance metadata at {endpoint}")]
    Unreachable {
        /// Where it should be.
        endpoint: Endpoint,
        /// What the system says.
        source: io::Error,
    },
    /// It was reached and did not speak HTTP to the end.
    #[error("the connection to the instance metadata broke off")]
    Broken(#[from] hyper::Error),
    /// It took too long.
    #[error("no answer from the instance metadata within {WITHIN:?}")]
    Silent,
    /// Throttled (503), an unknown MAC (404) and the like.
    #[error("the instance metadata answered {status} about {what}")]
    Status {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: StatusCode,
    },
    /// An answer that is none.
    #[error("the instance metadata's answer about {0} is not understood")]
    Garbled(String),
    /// The interface is not the one that the file names.
    #[error("the interface with MAC {mac} is {told}, but the configuration says {eni}")]
    AnotherEni {
        /// The interface that was found by the node's address.
        mac: Mac,
        /// What the metadata call it.
        told: String,
        /// What the file calls it.
        eni: EniId,
    },
}

/// A client that keeps its token.
pub struct Imds {
    endpoint: Endpoint,
    token: Option<(HeaderValue, Instant)>,
    /// The last MAC that was found to belong to the ENI of the file.
    confirmed: Option<(Mac, EniId)>,
}

impl Imds {
    /// A client of the service at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, token: None, confirmed: None }
    }

    /// The private addresses of the ENI with this MAC, which must be `eni`.
    ///
    /// # Errors
    /// See [`ImdsError`].
    pub async fn addresses(
        &mut self,
        mac: Mac,
        eni: &EniId,
    ) -> Result<BTreeSet<Ipv4Addr>, ImdsError> {
        timeout(WITHIN, self.ask(mac, eni)).await.map_err(|_| ImdsError::Silent)?
    }

    async fn ask(&mut self, mac: Mac, eni: &EniId) -> Result<BTreeSet<Ipv4Addr>, ImdsError> {
        let of_interface =
            |leaf: &str| format!("/latest/meta-data/network/interfaces/macs/{mac}/{leaf}");
        let expected = Some((mac, eni.clone()));
        if self.confirmed != expected {
            let told = self.get(&of_interface("interface-id")).await?;
            if told.trim() != eni.as_str() {
                let told = told.trim().to_owned();
                return Err(ImdsError::AnotherEni { mac, told, eni: eni.clone() });
            }
            self.confirmed = expected;
        }
        let path = of_interface("local-ipv4s");
        let text = self.get(&path).await?;
        listed(&text).ok_or(ImdsError::Garbled(path))
    }

    async fn get(&mut self, path: &str) -> Result<String, ImdsError> {
        let token = self.token().await?;
        let outcome = self.send(Method::GET, path, (TOKEN_HEADER, token)).await;
        if matches!(&outcome, Err(ImdsError::Status { status, .. }) if *status == StatusCode::UNAUTHORIZED)
        {
            // The instance may have been stopped and started: a new token at the next question.
            self.token = None;
        }
        outcome
    }

    async fn token(&mut self) -> Result<HeaderValue, ImdsError> {
        let now = Instant::now();
        if let Some((token, _)) = self.token.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let path = "/latest/api/token";
        let ttl = HeaderValue::from(TOKEN_TTL.as_secs());
        let token = self.send(Method::PUT, path, (TTL_HEADER, ttl)).await?;
        let mut token =
            HeaderValue::from_str(token.trim()).map_err(|_| ImdsError::Garbled(path.to_owned()))?;
        token.set_sensitive(true);
        self.token = Some((token.clone(), now + TOKEN_TTL - MARGIN));
        Ok(token)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        (name, value): (&'static str, HeaderValue),
    ) -> Result<String, ImdsError> {
        let stream = TcpStream::connect((self.endpoint.host(), self.endpoint.port())).await;
        let unreachable =
            |source| ImdsError::Unreachable { endpoint: self.endpoint.clone(), source };
        let stream = stream.map_err(unreachable)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.endpoint.to_string())
            .header(name, value)
            .body(Empty::<Bytes>::new())
            .map_err(|_| ImdsError::Garbled(path.to_owned()))?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            if status != StatusCode::OK {
                return Err(ImdsError::Status { what: path.to_owned(), status });
            }
            let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
            let body = body.map_err(|_| ImdsError::Garbled(path.to_owned()))?.to_bytes();
            String::from_utf8(body.into()).map_err(|_| ImdsError::Garbled(path.to_owned()))
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            // It ends once the answer is whole; or before, and then the exchange says why.
            _ = connection => exchange.await,
        }
    }
}

//! The instance metadata service, version 2: one client for every program on a node.
//!
//! Plain HTTP with a connection for each request: the service is one hop away, and nothing is kept
//! between two questions but the token.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

pub use endpoint::{Endpoint, NoEndpoint};
pub use hyper::StatusCode;

mod endpoint;
#[cfg(test)]
mod tests;

/// For one request. The service answers in milliseconds.
pub const WITHIN: Duration = Duration::from_secs(1);
/// How long a token holds: the longest there is. To ask for one is throttled more than to use it.
const TOKEN_TTL: Duration = Duration::from_hours(6);
/// Renewed so long before its end.
const MARGIN: Duration = Duration::from_mins(10);
/// An ENI has at most 64 addresses.
const MOST_BYTES: usize = 16 * 1024;

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// Why there is no answer. None of these says anything about the instance.
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
    /// Throttled (503), nothing there (404) and the like.
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
}

/// A client that keeps its token.
pub struct Imds {
    endpoint: Endpoint,
    token: Option<(HeaderValue, Instant)>,
}

impl Imds {
    /// A client of the service at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, token: None }
    }

    /// The text at a path, which begins with `/latest/`. One attempt: at most a request for a
    /// token, and one with it.
    ///
    /// # Errors
    /// See [`ImdsError`].
    pub async fn get(&mut self, path: &str) -> Result<String, ImdsError> {
        let token = self.token().await?;
        let outcome = self.send(Method::GET, path, (TOKEN_HEADER, token)).await;
        if let Err(ImdsError::Status { status: StatusCode::UNAUTHORIZED, .. }) = outcome {
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
        header: (&'static str, HeaderValue),
    ) -> Result<String, ImdsError> {
        let exchange = self.exchange(method, path, header);
        timeout(WITHIN, exchange).await.map_err(|_| ImdsError::Silent)?
    }

    async fn exchange(
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

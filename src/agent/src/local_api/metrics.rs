//! Prometheus metrics over HTTP, for a collector on this host.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use vipward_observe::prometheus;
use vipward_observe::requests;

use crate::failure::Failure;
use crate::local_api::orders::{Order, ask};

/// One is answered at a time: a client that dawdles may hold the others up so long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Without free descriptors each accept fails at once: pause rather than spin.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// A listener for `GET /metrics`.
pub struct MetricsListener {
    listener: TcpListener,
}

impl MetricsListener {
    /// Listens there.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let refused = |source| Failure::Metrics { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        tracing::info!(%address, "metrics served");
        Ok(Self { listener })
    }

    /// Answers all who connect with what the agent that takes the orders says.
    pub async fn serve(self, orders: mpsc::Sender<Order>) -> Infallible {
        loop {
            match self.listener.accept().await {
                Ok((client, _)) => {
                    let answered = timeout(ANSWER_TIMEOUT, answer(client, &orders)).await;
                    if !matches!(answered, Ok(Ok(()))) {
                        tracing::debug!("metrics not told");
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "metrics not told");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn answer(client: TcpStream, orders: &mpsc::Sender<Order>) -> hyper::Result<()> {
    let service = service_fn(|request| respond(request, orders));
    http1::Builder::new()
        .keep_alive(false)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(client), service)
        .await
}

async fn respond(
    request: Request<Incoming>,
    orders: &mpsc::Sender<Order>,
) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() != "/metrics" {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    }
    *response.body_mut() = prometheus::exposition(
        &ask(orders, requests::Request::Status).await?.map_err(io::Error::other)?,
    )
    .into();
    let kind = HeaderValue::from_static(prometheus::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

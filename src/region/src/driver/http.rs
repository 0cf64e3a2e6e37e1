//! HTTP/1.1 listeners: connections in, [`Request`]s through a handler, [`Response`]s out.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::wire::{Request, Response};

/// The largest body read: that of a synchronous Lambda payload, rounded up.
const LARGEST_BODY: usize = 8 << 20;

/// Answers requests from a peer; `None` drops the connection without an answer.
pub(super) type Handler = Arc<
    dyn Fn(Request, SocketAddr) -> Pin<Box<dyn Future<Output = Option<Response>> + Send>>
        + Send
        + Sync,
>;

/// Makes a [`Handler`] of an async function.
pub(super) fn handler<F, Fut>(function: F) -> Handler
where
    F: Fn(Request, SocketAddr) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<Response>> + Send + 'static,
{
    Arc::new(move |request, peer| Box::pin(function(request, peer)))
}

/// Serves a listener until the task is dropped, and its connections with it.
pub(super) async fn serve(listener: TcpListener, handler: Handler) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, peer, handler.clone()));
            }
            Err(error) => tracing::warn!(%error, "connection not accepted"),
        }
        while connections.try_join_next().is_some() {}
    }
}

/// No answer is wanted: hyper closes the connection on an error of its service.
#[derive(Debug, thiserror::Error)]
#[error("the answer is dropped")]
struct Dropped;

async fn connection(stream: TcpStream, peer: SocketAddr, handler: Handler) {
    let service = service_fn(|incoming: hyper::Request<Incoming>| {
        let handler = handler.clone();
        async move {
            let request = match read(incoming).await {
                Ok(request) => request,
                Err(refusal) => return Ok(write(refusal)),
            };
            handler(request, peer).await.map(write).ok_or(Dropped)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "connection ended");
    }
}

async fn read(incoming: hyper::Request<Incoming>) -> Result<Request, Response> {
    let (parts, body) = incoming.into_parts();
    let too_large = |error| Response::new(413, "text/plain", format!("{error}"));
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(too_large)?;
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect(),
        body: body.to_bytes().into(),
    })
}

fn write(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::from(response.body)).unwrap_or_else(|error| {
        // Only a header that cannot be sent gets here, and that is a fault of the region.
        tracing::error!(%error, "response not representable");
        let mut failed = hyper::Response::new(Full::default());
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

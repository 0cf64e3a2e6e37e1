//! The Runtime API of one execution environment.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::{Mutex, mpsc};
use vipward_region_model::lambda::{Answer, EnvironmentId, Invocation};

use super::http::{self, Handler};
use super::shared::Shared;
use crate::wire::{Request, Response};

const BASE: &str = "/2018-06-01/runtime/";

/// Speaks with the runtime in one environment.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    shared: Arc<Shared>,
    environment: EnvironmentId,
    waiting: Mutex<mpsc::UnboundedReceiver<Invocation>>,
}

impl RuntimeApi {
    pub(super) fn new(
        shared: Arc<Shared>,
        environment: EnvironmentId,
        waiting: mpsc::UnboundedReceiver<Invocation>,
    ) -> Self {
        Self { shared, environment, waiting: Mutex::new(waiting) }
    }

    pub(super) fn handler(self: Arc<Self>) -> Handler {
        http::handler(move |request, _| {
            let api = self.clone();
            async move { api.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Option<Response> {
        let path = request.path.strip_prefix(BASE).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["invocation", "next"]) => self.next().await,
            ("POST", ["invocation", id, "response"]) => {
                Some(self.ended(id, Answer::ok(request.body)))
            }
            ("POST", ["invocation", id, "error"]) => {
                Some(self.ended(id, Answer::reported(request.body)))
            }
            ("POST", ["init", "error"]) => {
                self.shared.turn(|inner, now| {
                    let lambda = &mut inner.region.lambda;
                    lambda.init_failed(self.environment, request.body, now);
                });
                Some(accepted())
            }
            _ => Some(error(404, "InvalidPath", "no such resource of the Runtime API")),
        }
    }

    /// Waits for the next invocation; its time begins when the runtime gets it.
    async fn next(&self) -> Option<Response> {
        let invocation = self.waiting.lock().await.recv().await?;
        let deadline =
            self.shared.turn(|inner, now| inner.region.lambda.began(self.environment, now))?;
        let trace = invocation.request_id.replace('-', "");
        Some(
            Response::new(200, "application/json", invocation.payload)
                .with_header("lambda-runtime-aws-request-id", invocation.request_id)
                .with_header("lambda-runtime-deadline-ms", deadline.as_millisecond().to_string())
                .with_header("lambda-runtime-invoked-function-arn", invocation.arn)
                .with_header(
                    "lambda-runtime-trace-id",
                    format!("Root=1-{}-{};Sampled=0", &trace[..8], &trace[8..]),
                ),
        )
    }

    fn ended(&self, request_id: &str, answer: Answer) -> Response {
        let known = self.shared.turn(|inner, now| {
            let lambda = &mut inner.region.lambda;
            lambda.ended(self.environment, request_id, answer, now)
        });
        if known { accepted() } else { error(400, "InvalidRequestID", "Invalid request ID") }
    }
}

fn accepted() -> Response {
    Response::new(202, "application/json", r#"{"status":"OK"}"#)
}

fn error(status: u16, kind: &str, message: &str) -> Response {
    let body = json!({ "errorType": kind, "errorMessage": message });
    Response::new(status, "application/json", body.to_string())
}

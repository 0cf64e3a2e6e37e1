//! Every call of an API: faults first, then IAM, then the service's protocol, then the journal.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;
use vipward_region_model::fault::Hit;
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::Answer;

use super::control;
use super::http::{self, Handler};
use super::shared::{Inner, Shared};
use crate::wire::call::{Call, Service};
use crate::wire::{ApiError, Request, Response, authorize, cloudwatch, ec2, events, lambda};

/// Serves all AWS APIs and the control API.
pub(super) fn handler(shared: Arc<Shared>) -> Handler {
    http::handler(move |request, _| {
        let shared = shared.clone();
        async move { serve(&shared, request).await }
    })
}

async fn serve(shared: &Arc<Shared>, request: Request) -> Option<Response> {
    if request.path.starts_with(control::BASE) {
        return Some(shared.turn(|inner, now| control::handle(&mut inner.region, now, &request)));
    }
    let Some(call) = Call::read(&request) else {
        return Some(Response::new(404, "text/plain", "no such service in this region\n"));
    };
    if !call.changes() {
        return answer(shared, call, &request).await;
    }
    // AWS carries out what it has taken though the client gave up waiting: the connection, which
    // ends with its client, must not carry the call.
    let (client, answered) = oneshot::channel();
    shared.spawn_call({
        let shared = shared.clone();
        async move {
            // A client that has gone needs no answer.
            let _ = client.send(answer(&shared, call, &request).await);
        }
    });
    // No answer comes when the region stops: the connection drops with it.
    answered.await.ok().flatten()
}

async fn answer(shared: &Arc<Shared>, call: Call, request: &Request) -> Option<Response> {
    let hit = shared.turn(|inner, now| inner.region.faults.take(&call.name(), now));
    tokio::time::sleep(hit.delay.try_into().unwrap_or_default()).await;
    let response = match &hit.error {
        Some(error) => Some(refuse(shared, &call, request, error)),
        None => match check_access(shared, &call, request) {
            Ok(()) => dispatch(shared, &call, request, &hit).await,
            Err(error) => Some(refuse(shared, &call, request, &error)),
        },
    };
    let response = response.filter(|_| !hit.lost_reply);
    shared.journal(JournalEvent::Api {
        service: call.service.prefix().to_owned(),
        operation: call.operation,
        status: response.as_ref().map_or(0, |response| response.status),
        principal: call.principal,
    });
    response
}

/// Asks IAM; a refusal is told in the journal.
fn check_access(shared: &Arc<Shared>, call: &Call, request: &Request) -> Result<(), ApiError> {
    let (ask, decision) = shared.turn(|inner, _| {
        let ask = authorize::read(call, request, &inner.region.place);
        let decision = inner.region.iam.authorize(&call.principal, &ask);
        (ask, decision)
    });
    decision.map_err(|denied| {
        let error = authorize::refusal(call, request, &ask, &denied);
        shared.journal(JournalEvent::Denied {
            principal: call.principal.clone(),
            action: ask.action,
            resource: denied.resource,
            unjudged: denied.unjudged,
        });
        error
    })
}

/// An answer that may have to wait for a function.
enum Pending {
    Now(Response),
    Function(String, oneshot::Receiver<Answer>),
}

async fn dispatch(
    shared: &Arc<Shared>,
    call: &Call,
    request: &Request,
    hit: &Hit,
) -> Option<Response> {
    match shared.turn(|inner, now| execute(inner, now, call, request, hit)) {
        Pending::Now(response) => Some(response),
        Pending::Function(request_id, answer) => {
            // No answer comes when the region stops: the connection drops with it.
            Some(lambda::answered(&request_id, answer.await.ok()?))
        }
    }
}

fn execute(
    inner: &mut Inner,
    now: Timestamp,
    call: &Call,
    request: &Request,
    hit: &Hit,
) -> Pending {
    let region = &mut inner.region;
    Pending::Now(match call.service {
        Service::Ec2 => {
            let call = ec2::Call {
                now,
                stale: hit.stale,
                place: &region.place,
                request_id: &inner.request_ids.next_id(),
            };
            ec2::handle(&mut region.ec2, call, request)
        }
        Service::CloudWatch => cloudwatch::handle(&mut region.cloudwatch, now, request),
        Service::Events => events::handle(&mut region.events, now, request),
        Service::Lambda => match lambda::handle(&mut region.lambda, now, request) {
            lambda::Reply::Now(response) => response,
            lambda::Reply::Waits(request_id) => {
                let (caller, answer) = oneshot::channel();
                inner.callers.insert(request_id.clone(), caller);
                return Pending::Function(request_id, answer);
            }
        },
    })
}

/// An error in the shape of the service's protocol.
fn refuse(shared: &Arc<Shared>, call: &Call, request: &Request, error: &ApiError) -> Response {
    match call.service {
        Service::Ec2 => {
            let request_id = shared.turn(|inner, _| inner.request_ids.next_id());
            ec2::error_response(error, &request_id)
        }
        Service::CloudWatch => cloudwatch::refuse(request, error),
        Service::Events => events::refuse(request, error),
        Service::Lambda => lambda::error_response(error),
    }
}

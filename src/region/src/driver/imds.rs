//! Metadata listeners: one for all instances, told apart by source address, or one for each.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use vipward_region_model::Region;

use super::http::{self, Handler};
use super::shared::Shared;
use crate::wire::{Request, Response, imds};

/// Serves the instance that has the client's address. As on EC2, others get no answer at all.
pub(super) fn for_any(shared: Arc<Shared>) -> Handler {
    http::handler(move |request, peer: SocketAddr| {
        let shared = shared.clone();
        async move {
            let instance = shared.turn(|inner, _| instance_at(&inner.region, peer.ip()))?;
            answer(&shared, &instance, &request).await
        }
    })
}

/// Serves one instance, whoever asks.
pub(super) fn for_one(shared: Arc<Shared>, instance: String) -> Handler {
    http::handler(move |request, _| {
        let (shared, instance) = (shared.clone(), instance.clone());
        async move { answer(&shared, &instance, &request).await }
    })
}

fn instance_at(region: &Region, address: IpAddr) -> Option<String> {
    let IpAddr::V4(address) = address else {
        return None;
    };
    let interface = region.ec2.present().holder(address)?;
    Some(interface.instance.clone())
}

async fn answer(shared: &Arc<Shared>, instance: &str, request: &Request) -> Option<Response> {
    let operation = format!("imds:{}", imds::operation(request));
    let hit = shared.turn(|inner, now| inner.region.faults.take(&operation, now));
    tokio::time::sleep(hit.delay.try_into().unwrap_or_default()).await;
    if let Some(error) = hit.error {
        return Some(Response::new(error.status, "text/plain", ""));
    }
    let response = shared
        .turn(|inner, now| imds::handle(&mut inner.region, instance, now, hit.stale, request));
    response.filter(|_| !hit.lost_reply)
}

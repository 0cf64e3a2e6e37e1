//! `IMDSv2` over HTTP: a token by PUT, then the tree by GET.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use vipward_region_model::Region;

use super::{Request, Response};

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aws-ec2-metadata-token";
const LONGEST_TTL: i64 = 21_600;

/// The operation a request stands for, as faults name it.
pub fn operation(request: &Request) -> &'static str {
    if request.method == "PUT" { "PutToken" } else { "GetMetadata" }
}

/// Answers one metadata request of an instance; `None` when no such instance runs.
pub fn handle(
    region: &mut Region,
    instance: &str,
    now: Timestamp,
    stale: SignedDuration,
    request: &Request,
) -> Option<Response> {
    let tree = region.imds.tree(&region.ec2, instance, &region.place, stale, now)?;
    let path = request.path.trim_end_matches('/');
    Some(match (request.method.as_str(), path) {
        ("PUT", "/latest/api/token") => put_token(region, instance, now, request),
        ("GET", _) => {
            let token = request.header(TOKEN).unwrap_or_default();
            if region.imds.accepts(token, instance, now) {
                get(&tree, path)
            } else {
                plain(401, "")
            }
        }
        _ => plain(405, ""),
    })
}

fn put_token(region: &mut Region, instance: &str, now: Timestamp, request: &Request) -> Response {
    // A proxied request must not get a token: that is what version 2 is for.
    if request.header("x-forwarded-for").is_some() {
        return plain(403, "");
    }
    let ttl = request.header(TTL).and_then(|text| text.parse::<i64>().ok());
    match ttl.filter(|ttl| (1..=LONGEST_TTL).contains(ttl)) {
        Some(ttl) => {
            let token = region.imds.token(instance, SignedDuration::from_secs(ttl), now);
            plain(200, &token).with_header(TTL, ttl.to_string())
        }
        None => plain(400, ""),
    }
}

fn get(tree: &BTreeMap<String, String>, path: &str) -> Response {
    let Some(below) = path.strip_prefix("/latest/meta-data") else {
        return plain(404, "");
    };
    let below = below.trim_start_matches('/');
    if let Some(value) = tree.get(below) {
        return plain(200, value);
    }
    let directory = if below.is_empty() { String::new() } else { format!("{below}/") };
    let children: BTreeSet<String> = tree
        .keys()
        .filter_map(|leaf| leaf.strip_prefix(&directory))
        .map(|rest| match rest.split_once('/') {
            Some((child, _)) => format!("{child}/"),
            None => rest.to_owned(),
        })
        .collect();
    if children.is_empty() {
        return plain(404, "");
    }
    plain(200, &Vec::from_iter(children).join("\n"))
}

fn plain(status: u16, body: &str) -> Response {
    Response::new(status, "text/plain", body)
}

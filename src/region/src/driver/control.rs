//! The control API: faults, instance states, raw events, and a look at the whole.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vipward_region_model::Region;
use vipward_region_model::ec2::inventory::InstanceState;
use vipward_region_model::fault::FaultSpec;
use vipward_region_model::imds::ANNOUNCEMENTS;

use crate::wire::{ApiError, Request, Response};

/// Below this path nothing is AWS's.
pub(super) const BASE: &str = "/_region/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedState {
    state: InstanceState,
}

/// What the metadata of an instance are to announce; `None` takes it back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announcement {
    path: String,
    text: Option<String>,
}

pub(super) fn handle(region: &mut Region, now: Timestamp, request: &Request) -> Response {
    let path = request.path.strip_prefix(BASE).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let done = match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["faults"]) => add_faults(region, now, request),
        ("DELETE", ["faults"]) => {
            region.faults.clear();
            Ok(Value::Null)
        }
        ("POST", ["instances", id, "state"]) => set_state(region, id, now, request),
        ("POST", ["instances", id, "metadata"]) => announce(region, id, request),
        ("POST", ["events"]) => body::<Value>(request).map(|event| {
            region.events.offer(&event, now);
            Value::Null
        }),
        ("GET", ["state"]) => Ok(state(region)),
        _ => Err(ApiError::new("NotFound", 404, "no such resource of the control API")),
    };
    match done {
        Ok(Value::Null) => Response::new(204, "application/json", ""),
        Ok(value) => Response::new(200, "application/json", format!("{value:#}\n")),
        Err(error) => {
            let body = json!({ "error": error.message });
            Response::new(error.status, "application/json", format!("{body}\n"))
        }
    }
}

fn add_faults(region: &mut Region, now: Timestamp, request: &Request) -> Result<Value, ApiError> {
    let faults: Vec<FaultSpec> = body(request)?;
    region.faults.add(faults, now);
    Ok(Value::Null)
}

fn set_state(
    region: &mut Region,
    id: &str,
    now: Timestamp,
    request: &Request,
) -> Result<Value, ApiError> {
    let wanted: WantedState = body(request)?;
    region.set_instance_state(id, wanted.state, now)?;
    Ok(Value::Null)
}

fn announce(region: &mut Region, id: &str, request: &Request) -> Result<Value, ApiError> {
    let Announcement { path, text } = body(request)?;
    if !ANNOUNCEMENTS.contains(&path.as_str()) {
        let told = format!("{path:?} announces nothing; use one of {}", ANNOUNCEMENTS.join(", "));
        return Err(ApiError::new("BadPath", 400, told));
    }
    if !region.ec2.present().instances.contains_key(id) {
        return Err(ApiError::new("NotFound", 404, format!("there is no instance {id}")));
    }
    region.imds.announce(id, &path, text);
    Ok(Value::Null)
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    serde_json::from_slice(&request.body)
        .map_err(|error| ApiError::new("BadBody", 400, error.to_string()))
}

/// Who holds which secondary address, and what state instances, tags and alarms are in.
fn state(region: &Region) -> Value {
    let inventory = region.ec2.present();
    let interfaces = || inventory.interfaces.values();
    let holders: serde_json::Map<String, Value> = interfaces()
        .flat_map(|interface| {
            let held = interface.secondaries.iter();
            held.map(|address| (address.to_string(), Value::from(interface.id.as_str())))
        })
        .collect();
    let tags: serde_json::Map<String, Value> =
        interfaces().map(|interface| (interface.id.clone(), json!(interface.tags))).collect();
    let instances: serde_json::Map<String, Value> = inventory
        .instances
        .values()
        .map(|instance| (instance.id.clone(), Value::from(instance.state.name())))
        .collect();
    let alarms: serde_json::Map<String, Value> = region
        .cloudwatch
        .alarms()
        .map(|alarm| (alarm.spec.name.clone(), Value::from(alarm.state.value.as_str())))
        .collect();
    json!({ "holders": holders, "tags": tags, "instances": instances, "alarms": alarms })
}

//! EC2 Query: a form comes in, XML goes out.

mod answers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use vipward_region_model::Place;
use vipward_region_model::ec2::inventory::Inventory;
use vipward_region_model::ec2::{Class, Ec2, Filter, Paging};
use vipward_region_model::iam::{Context, TAG_KEYS};

use super::form::Params;
use super::xml::Xml;
use super::{ApiError, Request, Response};
use crate::wire::Access;

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// What a call needs besides its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub now: Timestamp,
    /// How much older than usual the answer of a read is to be.
    pub stale: SignedDuration,
    pub place: &'a Place,
    /// Id of the request, for the answer.
    pub request_id: &'a str,
}

pub fn handle(ec2: &mut Ec2, call: Call<'_>, request: &Request) -> Response {
    let params = Params::parse(&request.body);
    answer(ec2, call, &params).map_or_else(
        |error| error_response(&error, call.request_id),
        |body| Response::new(200, "text/xml;charset=UTF-8", body),
    )
}

/// The operation that a request asks for; empty when it names none.
pub fn operation(request: &Request) -> String {
    Params::parse(&request.body).get("Action").unwrap_or_default().to_owned()
}

/// What a call is about, for IAM: reads cannot be narrowed, writes name their interfaces.
pub(super) fn access(request: &Request, place: &Place) -> Access {
    let params = Params::parse(&request.body);
    let mut named = match operation(request).as_str() {
        "AssignPrivateIpAddresses" | "UnassignPrivateIpAddresses" => {
            params.get("NetworkInterfaceId").map(str::to_owned).into_iter().collect()
        }
        "CreateTags" | "DeleteTags" => params.list("ResourceId"),
        _ => Vec::new(),
    };
    for id in &mut named {
        let Place { account, region } = place;
        *id = format!("arn:aws:ec2:{region}:{account}:network-interface/{id}");
    }
    let tags = params.members("Tag");
    let keys: Vec<_> = tags.iter().filter_map(|tag| tag.get("Key").map(str::to_owned)).collect();
    let tagged = (!keys.is_empty()).then_some((TAG_KEYS, keys));
    (named, Context::from_iter(tagged))
}

pub fn error_response(error: &ApiError, request_id: &str) -> Response {
    let body = Xml::document("Response", None, |xml| {
        xml.list("Errors", "Error", [error], |xml, error| {
            xml.text("Code", &error.code);
            xml.text("Message", &error.message);
        });
        xml.text("RequestID", request_id);
    });
    Response::new(error.status, "text/xml;charset=UTF-8", body)
}

fn answer(ec2: &mut Ec2, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let action = params.require("Action")?.to_owned();
    let class = class(&action, params)?;
    ec2.admit(class, call.now)?;
    // Assign and Unassign have no DryRun: their effect cannot be tried out.
    let has_dry_run = !matches!(class, Class::Assign | Class::Unassign);
    match params.parsed::<bool>("DryRun")? {
        Some(_) if !has_dry_run => return Err(unknown_parameter("DryRun")),
        Some(true) => return Err(dry_run()),
        _ => {}
    }
    let seen = ec2.seen(call.now, call.stale);
    match action.as_str() {
        "DescribeNetworkInterfaces" => describe_interfaces(seen, call, params),
        "DescribeInstances" => describe_instances(seen, call, params),
        "DescribeSubnets" => describe_subnets(seen, call, params),
        "DescribeTags" => describe_tags(seen, call, params),
        "AssignPrivateIpAddresses" => assign(ec2, call, params),
        "UnassignPrivateIpAddresses" => unassign(ec2, call, params),
        "CreateTags" => create_tags(ec2, call, params),
        "DeleteTags" => delete_tags(ec2, call, params),
        other => Err(invalid_action(other)),
    }
}

/// The request limit that a call counts against.
fn class(action: &str, params: &Params) -> Result<Class, ApiError> {
    let narrowed =
        ["Filter.1.Name", "MaxResults", "NetworkInterfaceId.1", "InstanceId.1", "SubnetId.1"];
    Ok(match action {
        "AssignPrivateIpAddresses" => Class::Assign,
        "UnassignPrivateIpAddresses" => Class::Unassign,
        "CreateTags" | "DeleteTags" => Class::Mutating,
        "DescribeNetworkInterfaces" | "DescribeInstances" | "DescribeSubnets" | "DescribeTags" => {
            if narrowed.iter().any(|name| params.get(name).is_some()) {
                Class::Describe
            } else {
                Class::DescribeAll
            }
        }
        other => return Err(invalid_action(other)),
    })
}

fn invalid_action(action: &str) -> ApiError {
    ApiError::new(
        "InvalidAction",
        400,
        format!("The action {action} is not valid for this web service."),
    )
}

fn describe_interfaces(
    seen: &Inventory,
    call: Call<'_>,
    params: &Params,
) -> Result<String, ApiError> {
    let ids = params.list("NetworkInterfaceId");
    let page = seen.describe_interfaces(&ids, &filters(params), &paging(params)?)?;
    Ok(document("DescribeNetworkInterfaces", call, |xml| {
        xml.list("networkInterfaceSet", "item", page.items, |xml, interface| {
            answers::interface(xml, seen, interface, call.place);
        });
        xml.optional("nextToken", page.next_token);
    }))
}

fn describe_instances(
    seen: &Inventory,
    call: Call<'_>,
    params: &Params,
) -> Result<String, ApiError> {
    let ids = params.list("InstanceId");
    let page = seen.describe_instances(&ids, &filters(params), &paging(params)?)?;
    Ok(document("DescribeInstances", call, |xml| {
        xml.list("reservationSet", "item", page.items, |xml, instance| {
            answers::reservation(xml, seen, instance, call.place);
        });
        xml.optional("nextToken", page.next_token);
    }))
}

fn describe_subnets(seen: &Inventory, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let ids = params.list("SubnetId");
    let page = seen.describe_subnets(&ids, &filters(params), &paging(params)?)?;
    Ok(document("DescribeSubnets", call, |xml| {
        xml.list("subnetSet", "item", page.items, |xml, subnet| {
            answers::subnet(xml, seen, subnet, call.place);
        });
        xml.optional("nextToken", page.next_token);
    }))
}

fn describe_tags(seen: &Inventory, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let tags = seen.describe_tags(&filters(params))?;
    Ok(document("DescribeTags", call, |xml| {
        xml.list("tagSet", "item", tags, |xml, tag| {
            xml.text("resourceId", tag.resource);
            xml.text("resourceType", "network-interface");
            xml.text("key", tag.key);
            xml.text("value", tag.value);
        });
    }))
}

fn assign(ec2: &mut Ec2, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let eni = params.require("NetworkInterfaceId")?;
    let reassign = params.parsed("AllowReassignment")?.unwrap_or(false);
    let assigned = ec2.assign(eni, &addresses(params)?, reassign, call.now)?;
    Ok(document("AssignPrivateIpAddresses", call, |xml| {
        xml.text("networkInterfaceId", &assigned.eni);
        xml.list("assignedPrivateIpAddressesSet", "item", &assigned.addresses, |xml, address| {
            xml.text("privateIpAddress", address);
        });
        xml.element("assignedIpv4PrefixSet", |_| {});
    }))
}

fn unassign(ec2: &mut Ec2, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let eni = params.require("NetworkInterfaceId")?;
    ec2.unassign(eni, &addresses(params)?, call.now)?;
    Ok(done("UnassignPrivateIpAddresses", call))
}

fn create_tags(ec2: &mut Ec2, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in params.members("Tag") {
        let value = tag.get("Value").unwrap_or_default().to_owned();
        tags.insert(tag.require("Key")?.to_owned(), value);
    }
    ec2.create_tags(&resources(params)?, &tags, call.now)?;
    Ok(done("CreateTags", call))
}

fn delete_tags(ec2: &mut Ec2, call: Call<'_>, params: &Params) -> Result<String, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in params.members("Tag") {
        let value = tag.get("Value").map(str::to_owned);
        tags.insert(tag.require("Key")?.to_owned(), value);
    }
    ec2.delete_tags(&resources(params)?, &tags, call.now)?;
    Ok(done("DeleteTags", call))
}

fn resources(params: &Params) -> Result<Vec<String>, ApiError> {
    params.require("ResourceId.1")?;
    Ok(params.list("ResourceId"))
}

/// The addresses of an Assign or Unassign call, which the region wants named one by one.
fn addresses(params: &Params) -> Result<Vec<Ipv4Addr>, ApiError> {
    for unsupported in ["SecondaryPrivateIpAddressCount", "Ipv4Prefix.1", "Ipv4PrefixCount"] {
        if params.get(unsupported).is_some() {
            return Err(ApiError::new(
                "UnsupportedOperation",
                400,
                format!("{unsupported} is not supported here: name each PrivateIpAddress"),
            ));
        }
    }
    params.require("PrivateIpAddress.1")?;
    let mut addresses = Vec::new();
    for text in params.list("PrivateIpAddress") {
        let address = text.parse().map_err(|_| {
            ApiError::new(
                "InvalidParameterValue",
                400,
                format!("Value ({text}) for parameter privateIpAddress is invalid."),
            )
        })?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

fn filters(params: &Params) -> Vec<Filter> {
    params
        .members("Filter")
        .iter()
        .map(|filter| Filter {
            name: filter.get("Name").unwrap_or_default().to_owned(),
            values: filter.list("Value"),
        })
        .collect()
}

fn paging(params: &Params) -> Result<Paging, ApiError> {
    Ok(Paging {
        max_results: params.parsed("MaxResults")?,
        next_token: params.get("NextToken").map(str::to_owned),
    })
}

fn document(action: &str, call: Call<'_>, content: impl FnOnce(&mut Xml)) -> String {
    Xml::document(&format!("{action}Response"), Some(NAMESPACE), |xml| {
        xml.text("requestId", call.request_id);
        content(xml);
    })
}

fn done(action: &str, call: Call<'_>) -> String {
    document(action, call, |xml| xml.text("return", true))
}

fn dry_run() -> ApiError {
    ApiError::new("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.")
}

fn unknown_parameter(name: &str) -> ApiError {
    ApiError::new("UnknownParameter", 400, format!("The parameter {name} is not recognized"))
}

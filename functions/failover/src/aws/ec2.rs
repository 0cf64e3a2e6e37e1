//! EC2: who holds what, and bringing addresses to interfaces.
//!
//! Reads go by filters, never by lists of ids: an id that is gone then fails nothing, and a VIP
//! shows on whichever interface has it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{AttachmentStatus, Filter, NetworkInterface, Reservation, Tag};
use vipward_core::evidence::{Eni, Inventory};
use vipward_core::plan::Reassign;
use vipward_core::{Config, EniId, VipAddr};

use super::failure;
use vipward_reconcile::ports::PortError;

/// Most values that EC2 takes in one filter.
const FILTER_VALUES: usize = 200;
/// Results a page: filtered and paginated calls have EC2's largest throttle bucket.
const PAGE: i32 = 1_000;
/// The states in which an instance does not serve.
const NOT_RUNNING: [&str; 4] = ["stopping", "stopped", "shutting-down", "terminated"];

/// The cluster's interfaces and whoever has its VIPs.
pub(super) async fn inventory(client: &Client, config: &Config) -> Result<Inventory, PortError> {
    let ids = config.nodes.iter().map(|node| node.eni.to_string()).collect();
    let vips = config.services.iter().map(|service| service.vip.to_string()).collect();
    let (configured, with_vip) = futures::join!(
        interfaces(client, "network-interface-id", ids),
        interfaces(client, "addresses.private-ip-address", vips),
    );
    let mut enis = configured?;
    // The same address may exist in other subnets and VPCs of the account: not ours.
    let subnets: BTreeSet<String> = enis.values().map(|eni| eni.subnet.clone()).collect();
    enis.extend(with_vip?.into_iter().filter(|(_, eni)| subnets.contains(&eni.subnet)));
    Ok(Inventory { enis, stopped: BTreeSet::new() })
}

async fn interfaces(
    client: &Client,
    filter: &str,
    values: Vec<String>,
) -> Result<BTreeMap<EniId, Eni>, PortError> {
    let mut found = BTreeMap::new();
    for chunk in values.chunks(FILTER_VALUES) {
        let mut pages = client
            .describe_network_interfaces()
            .filters(Filter::builder().name(filter).set_values(Some(chunk.to_vec())).build())
            .max_results(PAGE)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failure::of("DescribeNetworkInterfaces"))?;
            found.extend(page.network_interfaces().iter().filter_map(interface));
        }
    }
    Ok(found)
}

fn interface(described: &NetworkInterface) -> Option<(EniId, Eni)> {
    let id = described.network_interface_id()?.parse().ok()?;
    let attached = described.attachment().filter(|attachment| {
        !matches!(
            attachment.status(),
            Some(AttachmentStatus::Detaching | AttachmentStatus::Detached)
        )
    });
    let addresses = described.private_ip_addresses().iter();
    let tags = described.tag_set().iter();
    let eni = Eni {
        subnet: described.subnet_id()?.to_owned(),
        instance: attached.and_then(|attachment| attachment.instance_id()).map(ToOwned::to_owned),
        addresses: addresses.filter_map(|a| a.private_ip_address()?.parse().ok()).collect(),
        tags: tags
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
    };
    Some((id, eni))
}

/// The instances behind the cluster's interfaces that EC2 says do not run.
pub(super) async fn stopped_instances(
    client: &Client,
    config: &Config,
) -> Result<BTreeSet<String>, PortError> {
    let ids: Vec<String> = config.nodes.iter().map(|node| node.eni.to_string()).collect();
    let states = Filter::builder()
        .name("instance-state-name")
        .set_values(Some(NOT_RUNNING.map(ToOwned::to_owned).to_vec()))
        .build();
    let mut stopped = BTreeSet::new();
    for chunk in ids.chunks(FILTER_VALUES) {
        let ours = Filter::builder()
            .name("network-interface.network-interface-id")
            .set_values(Some(chunk.to_vec()))
            .build();
        let mut pages = client
            .describe_instances()
            .filters(ours)
            .filters(states.clone())
            .max_results(PAGE)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failure::of("DescribeInstances"))?;
            let instances = page.reservations().iter().flat_map(Reservation::instances);
            stopped.extend(instances.filter_map(|i| i.instance_id().map(ToOwned::to_owned)));
        }
    }
    Ok(stopped)
}

/// Brings the addresses there in one step that never leaves them nowhere: with `AllowReassignment`,
/// and no unassigning before. Without it EC2 refuses what an interface has.
pub(super) async fn assign(
    client: &Client,
    eni: &EniId,
    vips: &[VipAddr],
    reassign: Reassign,
) -> Result<(), PortError> {
    client
        .assign_private_ip_addresses()
        .network_interface_id(eni.as_str())
        .set_private_ip_addresses(Some(vips.iter().map(ToString::to_string).collect()))
        .allow_reassignment(reassign == Reassign::Allowed)
        .send()
        .await
        .map_err(failure::of("AssignPrivateIpAddresses"))?;
    Ok(())
}

/// Sets tags on an interface.
pub(super) async fn tag(
    client: &Client,
    eni: &EniId,
    tags: &BTreeMap<String, String>,
) -> Result<(), PortError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    client
        .create_tags()
        .resources(eni.as_str())
        .set_tags(Some(tags.collect()))
        .send()
        .await
        .map_err(failure::of("CreateTags"))?;
    Ok(())
}

#[cfg(test)]
mod tests;

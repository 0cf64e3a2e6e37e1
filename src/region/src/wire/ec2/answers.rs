//! The elements of Describe answers.

use std::collections::BTreeMap;

use vipward_region_model::Place;
use vipward_region_model::ec2::inventory::{Instance, Interface, Inventory, Subnet};

use crate::wire::xml::Xml;

/// One `networkInterfaceSet` item.
pub(super) fn interface(xml: &mut Xml, seen: &Inventory, interface: &Interface, place: &Place) {
    let subnet = seen.subnet_of(interface);
    xml.text("networkInterfaceId", &interface.id);
    xml.text("subnetId", &subnet.id);
    xml.text("vpcId", &subnet.vpc);
    xml.text("availabilityZone", &subnet.zone);
    xml.element("description", |_| {});
    xml.text("ownerId", &place.account);
    xml.text("requesterManaged", false);
    xml.text("status", "in-use");
    xml.text("macAddress", &interface.mac);
    xml.text("privateIpAddress", interface.primary);
    xml.text("sourceDestCheck", true);
    xml.text("interfaceType", "interface");
    xml.element("groupSet", |_| {});
    xml.element("attachment", |xml| {
        xml.text("attachmentId", attachment_id(interface));
        xml.text("instanceId", &interface.instance);
        xml.text("instanceOwnerId", &place.account);
        xml.text("deviceIndex", 0);
        xml.text("status", "attached");
        xml.text("deleteOnTermination", true);
    });
    tags(xml, &interface.tags);
    addresses(xml, interface);
    xml.element("ipv6AddressesSet", |_| {});
}

/// One `reservationSet` item: each instance is a reservation of its own.
pub(super) fn reservation(xml: &mut Xml, seen: &Inventory, instance: &Instance, place: &Place) {
    xml.text("reservationId", instance.id.replacen("i-", "r-", 1));
    xml.text("ownerId", &place.account);
    xml.element("groupSet", |_| {});
    xml.list("instancesSet", "item", [instance], |xml, instance| {
        self::instance(xml, seen, instance, place);
    });
}

fn instance(xml: &mut Xml, seen: &Inventory, instance: &Instance, place: &Place) {
    xml.text("instanceId", &instance.id);
    xml.text("imageId", "ami-0a000000000000001");
    xml.element("instanceState", |xml| {
        xml.text("code", instance.state.code());
        xml.text("name", instance.state.name());
    });
    xml.text("instanceType", &instance.kind);
    xml.text("launchTime", instance.launched.strftime("%Y-%m-%dT%H:%M:%S.000Z"));
    let Some(interface) = seen.interfaces.get(&instance.eni) else {
        xml.element("networkInterfaceSet", |_| {});
        return;
    };
    let subnet = seen.subnet_of(interface);
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &subnet.zone);
        xml.text("tenancy", "default");
    });
    xml.text("subnetId", &subnet.id);
    xml.text("vpcId", &subnet.vpc);
    xml.text("privateIpAddress", interface.primary);
    xml.list("networkInterfaceSet", "item", [interface], |xml, interface| {
        xml.text("networkInterfaceId", &interface.id);
        xml.text("subnetId", &subnet.id);
        xml.text("vpcId", &subnet.vpc);
        xml.text("ownerId", &place.account);
        xml.text("status", "in-use");
        xml.text("macAddress", &interface.mac);
        xml.text("privateIpAddress", interface.primary);
        xml.element("attachment", |xml| {
            xml.text("attachmentId", attachment_id(interface));
            xml.text("deviceIndex", 0);
            xml.text("status", "attached");
            xml.text("deleteOnTermination", true);
        });
        addresses(xml, interface);
    });
}

/// One `subnetSet` item.
pub(super) fn subnet(xml: &mut Xml, seen: &Inventory, subnet: &Subnet, place: &Place) {
    let held: usize = seen
        .interfaces
        .values()
        .filter(|interface| interface.subnet == subnet.id)
        .map(|interface| interface.addresses().count())
        .sum();
    let size = 1usize << (32 - subnet.cidr.prefix_len());
    xml.text("subnetId", &subnet.id);
    xml.text(
        "subnetArn",
        format!("arn:aws:ec2:{}:{}:subnet/{}", place.region, place.account, subnet.id),
    );
    xml.text("state", "available");
    xml.text("vpcId", &subnet.vpc);
    xml.text("cidrBlock", subnet.cidr);
    xml.text("availableIpAddressCount", size.saturating_sub(5 + held));
    xml.text("availabilityZone", &subnet.zone);
    xml.text("ownerId", &place.account);
    xml.text("defaultForAz", false);
    xml.text("mapPublicIpOnLaunch", false);
}

fn addresses(xml: &mut Xml, interface: &Interface) {
    xml.list("privateIpAddressesSet", "item", interface.addresses(), |xml, address| {
        xml.text("privateIpAddress", address);
        xml.text("primary", address == interface.primary);
    });
}

fn tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("tagSet", "item", tags, |xml, (key, value)| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

fn attachment_id(interface: &Interface) -> String {
    interface.id.replacen("eni-", "eni-attach-", 1)
}

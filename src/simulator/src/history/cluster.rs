//! What is in a cluster beside its file, and who belongs together.

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::str::FromStr;

use vipward_core::config::{Node, Service};
use vipward_core::{Config, ServiceName};

/// The interface of somebody else in the cluster's subnet.
pub const FOREIGN_ENI: &str = "eni-0ffffffffffffffff";

/// A plain word as the name that it is.
pub fn named<Name: FromStr<Err: Debug>>(word: &str) -> Name {
    word.parse().expect("a plain word is a name")
}

/// The node of that interface; none where it is nobody's of the file.
pub fn node_of<'c>(config: &'c Config, eni: &str) -> Option<&'c Node> {
    config.nodes.iter().find(|node| node.eni.as_str() == eni)
}

/// The service of that VIP; none where it is no VIP of the file.
pub fn service_of(config: &Config, vip: Ipv4Addr) -> Option<&Service> {
    config.services.iter().find(|service| service.vip.0 == vip)
}

/// The services that are held by one node with this one, itself among them.
pub fn companions<'c>(
    config: &'c Config,
    service: &ServiceName,
) -> impl Iterator<Item = &'c ServiceName> {
    let service = config.service(service);
    let companions = service.into_iter().flat_map(|service| config.companions(service));
    companions.map(|service| &service.name)
}

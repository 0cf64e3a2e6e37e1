//! What is in a cluster beside its file, and who belongs together.

use vipward_core::Config;

/// The interface of somebody else in the cluster's subnet.
pub const FOREIGN_ENI: &str = "eni-0ffffffffffffffff";

/// The services that are held by one node with this one, itself among them.
pub fn companions<'c>(config: &'c Config, service: &str) -> impl Iterator<Item = &'c str> {
    let service = config.services.iter().find(|of| of.name.as_str() == service);
    let companions = service.into_iter().flat_map(|service| config.companions(service));
    companions.map(|service| service.name.as_str())
}

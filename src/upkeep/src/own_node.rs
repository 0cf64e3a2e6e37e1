//! Which node of the file this host is: the one it is told to be, else the one whose address it
//! has.

use vipward_core::NodeName;
use vipward_core::config::{Config, Node};

use crate::inventory::Inventory;

/// Why it cannot be told which node this host is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unidentified {
    /// The name that was given is not in the file.
    #[error("the configuration has no node {name}")]
    NoSuchName {
        /// That name.
        name: NodeName,
        /// The nodes there are.
        nodes: String,
    },
    /// No address of the file is on this host, or not yet.
    #[error("no node has an address of this host; it has: {host}")]
    NotHere {
        /// The interfaces there are, with their addresses.
        host: String,
        /// The nodes there are.
        nodes: String,
    },
    /// Several are.
    #[error("this host has the addresses of several nodes: {nodes}")]
    Several {
        /// Those nodes.
        nodes: String,
    },
}

impl Unidentified {
    /// Whether time may mend it: an address that is not there yet may come.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::NotHere { .. })
    }

    /// What would be right.
    pub fn cure(&self) -> String {
        match self {
            Self::NoSuchName { nodes, .. } => format!("name one of these: {nodes}"),
            Self::NotHere { nodes, .. } => {
                format!(
                    "wait until the network is up, or correct the address of one of these: {nodes}"
                )
            }
            Self::Several { .. } => "name this host's node with --node".to_owned(),
        }
    }
}

/// Finds this host's node.
///
/// # Errors
/// No node has that name; without a name, no node or more than one has an address of this host.
pub fn own_node<'c>(
    config: &'c Config,
    named: Option<&NodeName>,
    host: &Inventory,
) -> Result<&'c Node, Unidentified> {
    let nodes = || listed(config.nodes.iter());
    if let Some(name) = named {
        let unknown = || Unidentified::NoSuchName { name: name.clone(), nodes: nodes() };
        return config.node(name).ok_or_else(unknown);
    }
    let here = |node: &&Node| host.holders(node.address).next().is_some();
    let own: Vec<&Node> = config.nodes.iter().filter(here).collect();
    match own[..] {
        [only] => Ok(only),
        [] => Err(Unidentified::NotHere { host: host.to_string(), nodes: nodes() }),
        _ => Err(Unidentified::Several { nodes: listed(own.into_iter()) }),
    }
}

fn listed<'n>(nodes: impl Iterator<Item = &'n Node>) -> String {
    let each = nodes.map(|node| format!("{} {}", node.name, node.address));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::inventory::{Held, Link};

    const PAIR: &str = include_str!("../../../infra/example/vipward.toml");

    fn found(named: Option<&str>, addresses: &[[u8; 4]]) -> String {
        let config = Config::parse("vipward.toml", PAIR).expect("the fixture is good");
        let link = Link { index: 2, name: "ens5".to_owned(), mac: None };
        let held = addresses.iter().map(|address| Held {
            link: 2,
            address: Ipv4Addr::from(*address),
            prefix: 20,
            secondary: false,
        });
        let named = named.map(|name| name.parse().expect("a name"));
        let host = Inventory::new([link], held);
        match own_node(&config, named.as_ref(), &host) {
            Ok(node) => node.name.to_string(),
            Err(unidentified) => format!("{unidentified}\n  cure: {}", unidentified.cure()),
        }
    }

    #[test]
    fn by_name_else_by_address() {
        assert_eq!(found(None, &[[172, 31, 0, 124]]), "resource-02");
        assert_eq!(found(None, &[[10, 0, 0, 1], [172, 31, 0, 11]]), "resource-01");
        assert_eq!(found(Some("resource-01"), &[[172, 31, 0, 124]]), "resource-01");
    }

    #[test]
    fn errors_say_where_what_and_the_cure() {
        let table = [
            (
                found(Some("resource-03"), &[]),
                "the configuration has no node resource-03",
                "name one of these: resource-01 172.31.0.11, resource-02 172.31.0.124",
            ),
            (
                found(None, &[[172, 31, 0, 1], [172, 31, 0, 111]]),
                "no node has an address of this host; it has: ens5 172.31.0.1 172.31.0.111",
                "wait until the network is up, or correct the address of one of these: resource-01 172.31.0.11, resource-02 172.31.0.124",
            ),
            (
                found(None, &[[172, 31, 0, 11], [172, 31, 0, 124]]),
                "this host has the addresses of several nodes: \
                 resource-01 172.31.0.11, resource-02 172.31.0.124",
                "name this host's node with --node",
            ),
        ];
        for (got, what, cure) in table {
            assert_eq!(got, format!("{what}\n  cure: {cure}"));
        }
    }
}

//! Which node of the file this host is: the one it is told to be, else the one whose address it
//! has.

use std::path::Path;

use vipward_core::NodeName;
use vipward_core::config::{Config, Faults, Node};

use crate::inventory::Inventory;

/// Finds this host's node.
///
/// # Errors
/// No node has that name; without a name, no node or more than one has an address of this host.
pub fn own_node<'c>(
    config: &'c Config,
    file: &Path,
    named: Option<&NodeName>,
    host: &Inventory,
) -> Result<&'c Node, Faults> {
    let fault = |what: String, cure: &str| Faults::of_host(&file.display().to_string(), what, cure);
    if let Some(name) = named {
        return config.node(name).ok_or_else(|| {
            let nodes = listed(&config.nodes);
            fault(format!("no node is named {name}"), &format!("name one of: {nodes}"))
        });
    }
    let here = |node: &Node| host.holders(node.address).next().is_some();
    let own: Vec<Node> = config.nodes.iter().filter(|node| here(node)).cloned().collect();
    match &own[..] {
        [only] => Ok(config.node(&only.name).expect("it was just taken from there")),
        [] => Err(fault(
            format!("no node has an address of this host; it has: {host}"),
            &format!("correct the address of one of: {}", listed(&config.nodes)),
        )),
        several => Err(fault(
            format!("this host has the addresses of several nodes: {}", listed(several)),
            "say which it is with --node NAME",
        )),
    }
}

fn listed(nodes: &[Node]) -> String {
    let each = nodes.iter().map(|node| format!("{} {}", node.name, node.address));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::inventory::{Held, Link};

    const TWO_NODES: &str = r#"
        cluster = "prod-db"
        subnet = "172.31.0.0/20"
        [[node]]
        name = "resource-01"
        address = "172.31.0.11"
        eni = "eni-0a1b2c3d4e5f60001"
        [[node]]
        name = "resource-02"
        address = "172.31.0.124"
        eni = "eni-0a1b2c3d4e5f60002"
        [[service]]
        name = "redis"
        vip = "172.31.0.202"
        check = { kind = "redis", port = 6379 }
    "#;

    fn found(named: Option<&str>, addresses: &[[u8; 4]]) -> String {
        let config = Config::parse("vipward.toml", TWO_NODES).expect("the fixture is good");
        let link = Link { index: 2, name: "ens5".to_owned(), mac: None };
        let held = addresses.iter().map(|address| Held {
            link: 2,
            address: Ipv4Addr::from(*address),
            prefix: 20,
        });
        let named = named.map(|name| name.parse().expect("a name"));
        let host = Inventory::new([link], held);
        match own_node(&config, Path::new("vipward.toml"), named.as_ref(), &host) {
            Ok(node) => node.name.to_string(),
            Err(faults) => faults.to_string(),
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
                "no node is named resource-03",
                "name one of: resource-01 172.31.0.11, resource-02 172.31.0.124",
            ),
            (
                found(None, &[[172, 31, 0, 1], [172, 31, 0, 111]]),
                "no node has an address of this host; it has: ens5 172.31.0.1 172.31.0.111",
                "correct the address of one of: resource-01 172.31.0.11, resource-02 172.31.0.124",
            ),
            (
                found(None, &[[172, 31, 0, 11], [172, 31, 0, 124]]),
                "this host has the addresses of several nodes: \
                 resource-01 172.31.0.11, resource-02 172.31.0.124",
                "say which it is with --node NAME",
            ),
        ];
        for (got, what, cure) in table {
            assert_eq!(got, format!("vipward.toml: {what}\n  cure: {cure}"));
        }
    }
}

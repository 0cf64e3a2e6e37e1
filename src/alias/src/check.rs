//! What `--check` says: who this host is, on which interface, and what the unit would do there.

use std::fmt::Write as _;

use vipward_core::config::{AliasMode, Config, Node};

use vipward_upkeep::inventory::{Inventory, Link};

/// The report, one line a fact.
pub fn report(config: &Config, node: &Node, link: &Link, actual: &Inventory) -> String {
    let mut text = format!("node      {} {}\n", node.name, node.address);
    let mac = link.mac.map_or_else(|| "no MAC".to_owned(), |mac| mac.to_string());
    let mut fact = |what: &str, value: String| {
        writeln!(text, "{what:<9} {value}").expect("writing to a string cannot fail");
    };
    fact("interface", format!("{} {mac}", link.name));
    for service in &config.services {
        let vip = service.vip.0;
        let fate = match (service.alias, actual.prefix_on(link.index, vip)) {
            (AliasMode::Static, Some(prefix)) => format!("{vip}/{prefix} is there"),
            (AliasMode::Static, None) => {
                format!("{vip}/32 would be added")
            }
            (AliasMode::Follow, Some(prefix)) => {
                format!("{vip}/{prefix} is there and would follow the VIP")
            }
            (AliasMode::Follow, None) => format!("{vip} would follow the VIP"),
        };
        fact("alias", format!("{fate} ({})", service.name));
    }
    text
}

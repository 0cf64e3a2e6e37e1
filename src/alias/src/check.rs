//! What `--check` says: who this host is, on which interface, and what the unit would add there.

use std::fmt::Write as _;

use vipward_core::config::{Config, Node};

use crate::inventory::{Inventory, Link};
use crate::plan::{Desired, plan};

/// The report, one line a fact.
pub fn report(config: &Config, node: &Node, link: &Link, actual: &Inventory) -> String {
    let mut text = format!("node      {} {}\n", node.name, node.address);
    let mac = link.mac.map_or_else(|| "no MAC".to_owned(), |mac| mac.to_string());
    let vips: Vec<_> = config.services.iter().map(|service| service.vip.0).collect();
    let repairs = plan(&Desired::new(link, &vips), actual);
    let mut fact = |what: &str, value: String| {
        writeln!(text, "{what:<9} {value}").expect("writing to a string cannot fail");
    };
    fact("interface", format!("{} {mac}", link.name));
    for service in &config.services {
        let vip = service.vip.0;
        let fate = match repairs.iter().find(|repair| repair.vip == vip) {
            None => {
                let prefix = actual.prefix_on(link.index, vip).unwrap_or(32);
                format!("{vip}/{prefix} is there")
            }
            Some(repair) => {
                let label = repair.label.as_ref().map(|label| format!(" label {label}"));
                format!("{vip}/32 would be added{}", label.unwrap_or_default())
            }
        };
        fact("alias", format!("{fate} ({})", service.name));
    }
    text
}

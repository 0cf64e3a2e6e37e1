//! Which host of the file this is.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use vipward_core::{Config, Faults, NodeName};

/// The IPv4 addresses on this host's interfaces.
///
/// # Errors
/// When the kernel does not tell.
pub fn local_addresses() -> io::Result<Vec<Ipv4Addr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    Ok(interfaces
        .into_iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .collect())
}

/// The member that this host is: the `named` one, else the one whose address is local.
///
/// # Errors
/// A fault when there is no such member, or more than one.
pub fn find(
    config: &Config,
    origin: &str,
    named: Option<&NodeName>,
    local: &[Ipv4Addr],
) -> Result<NodeName, Faults> {
    let members = || config.members().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
    if let Some(name) = named {
        return config.members().find(|member| *member == name).cloned().ok_or_else(|| {
            let cure = format!("name one of {} with --node", members());
            Faults::of_host(
                origin,
                format!("the configuration has no node or witness {name}"),
                cure,
            )
        });
    }
    match config.members_at(local).collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let local = local.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let what = format!("no node or witness has an address of this host ({local})");
            let cure =
                format!("correct the address, or name this host with --node, one of {}", members());
            Err(Faults::of_host(origin, what, cure))
        }
        several => {
            let all = several.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let what = format!("this host has the addresses of {all}");
            Err(Faults::of_host(origin, what, "name this host with --node"))
        }
    }
}

#[cfg(test)]
mod tests;

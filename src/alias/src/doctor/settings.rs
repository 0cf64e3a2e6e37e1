//! Kernel settings that matter for an address that several hosts share. They are never changed.

use super::Host;
use super::finding::{Finding, Level};
use super::tree::Tree;
use vipward_core::config::AliasMode;

const DIRECTORY: &str = "/proc/sys/net/ipv4";

/// One setting, how its two places combine, and what its values mean here.
struct Setting {
    name: &'static str,
    /// Of the values under `all` and under the interface, the one that counts.
    combine: fn(u32, u32) -> u32,
    judge: fn(u32, &Host<'_>) -> Option<Judgement>,
}

/// How a value stands, what it does, and which would be right.
type Judgement = (Level, &'static str, &'static str);

const SETTINGS: [Setting; 4] = [
    Setting {
        name: "promote_secondaries",
        combine: u32::max,
        judge: |value, _| {
            (value == 0).then_some((
                Level::Trouble,
                "when an address goes, the kernel removes the others of its subnet too: a VIP with \
                 the subnet's prefix goes with the node's own address, and a VIP that is older \
                 than the node's own address cannot be removed alone",
                "1",
            ))
        },
    },
    Setting {
        name: "rp_filter",
        combine: u32::max,
        judge: |value, host| {
            let several = host.interfaces_in_subnet() > 1;
            (value == 1 && several).then_some((
                Level::Trouble,
                "several interfaces are in the subnet, and the kernel drops packets that come in \
                 on another interface than the answers go out on: clients of a VIP time out",
                "2",
            ))
        },
    },
    Setting {
        name: "arp_ignore",
        combine: u32::max,
        judge: |value, _| {
            (value >= 3).then_some((
                Level::Note,
                "this host answers no ARP for some of its addresses; a VPC does not ask, but other \
                 networks do",
                "0, 1 or 2",
            ))
        },
    },
    Setting {
        name: "arp_announce",
        combine: u32::max,
        judge: |value, host| {
            (value == 0 && host.interfaces_in_subnet() > 1).then_some((
                Level::Note,
                "ARP requests of one interface may carry the address of another, even a VIP; a VPC \
                 takes no notice, but other networks do",
                "2",
            ))
        },
    },
];

/// What this kernel is set to, and what that does.
pub fn examine(tree: &Tree, host: &Host<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        SETTINGS.iter().filter_map(|setting| one(tree, host, setting)).collect();
    findings.extend(nonlocal_bind(tree, host));
    findings.extend(source_address(host));
    findings
}

fn one(tree: &Tree, host: &Host<'_>, setting: &Setting) -> Option<Finding> {
    let read = |place: &str| number(tree, &format!("conf/{place}/{}", setting.name));
    let interface = &host.link.name;
    let value = (setting.combine)(read("all")?, read(interface)?);
    let key = format!("net.ipv4.conf.{interface}.{}", setting.name);
    let what = format!("{value}");
    Some(match (setting.judge)(value, host) {
        None => Finding::fine(key, what),
        Some((level, effect, right)) => Finding::new(level, key.clone(), what)
            .effect(effect)
            .cure(format!("set {key} = {right} in /etc/sysctl.d")),
    })
}

/// Of two hosts in `follow`, one has not the address that its service is told to bind to.
fn nonlocal_bind(tree: &Tree, host: &Host<'_>) -> Option<Finding> {
    let value = number(tree, "ip_nonlocal_bind")?;
    let key = "net.ipv4.ip_nonlocal_bind";
    let follows = host.config.services.iter().any(|service| service.alias == AliasMode::Follow);
    Some(if value == 0 && follows {
        Finding::new(Level::Note, key, "0")
            .effect("a service that binds to its VIP alone cannot start where the VIP is not")
            .cure(format!("let it bind to all addresses, or set {key} = 1 in /etc/sysctl.d"))
    } else {
        Finding::fine(key, value.to_string())
    })
}

/// The kernel speaks from the oldest address of the subnet where nothing else is said.
fn source_address(host: &Host<'_>) -> Vec<Finding> {
    let speaking = host.config.services.iter().filter(|service| {
        let mut copies = host.inventory.copies_on(host.link.index, service.vip.0);
        copies.any(|held| !held.secondary && held.prefix < 32)
    });
    speaking
        .map(|service| {
            let what = format!("{} is the first address of its subnet on this host", service.vip);
            Finding::new(Level::Trouble, "source address", what)
                .effect(
                    "this host sends to the subnet from the VIP: answers go to whoever holds it, \
                     and connections break when it moves",
                )
                .cure("remove it and let the alias unit add it as /32")
        })
        .collect()
}

fn number(tree: &Tree, name: &str) -> Option<u32> {
    tree.read(format!("{DIRECTORY}/{name}"))?.trim().parse().ok()
}

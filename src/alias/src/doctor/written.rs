//! VIPs that stand in the files of other programs, and come back with them.

use std::path::PathBuf;

use super::Host;
use super::finding::{Finding, Level};
use super::tree::{Tree, names};

/// A program that keeps addresses in files.
struct Keeper {
    name: &'static str,
    files: fn(&Tree) -> Vec<PathBuf>,
    effect: &'static str,
    cure: &'static str,
}

const KEEPERS: [Keeper; 4] = [
    Keeper {
        name: "netplan",
        files: |tree| tree.list("/etc/netplan", &[".yaml", ".yml"]),
        effect: "it returns at each boot and `netplan apply`, even after the VIP has moved away",
        cure: "remove the address from that file, then run `netplan apply`",
    },
    Keeper {
        name: "ifupdown",
        files: |tree| {
            let mut files = vec![PathBuf::from("/etc/network/interfaces")];
            files.extend(tree.list("/etc/network/interfaces.d", &[""]));
            files
        },
        effect: "it returns at each boot and `ifup`, and goes with `ifdown`",
        cure: "remove its stanza from that file: the alias unit needs none",
    },
    Keeper {
        name: "NetworkManager",
        files: |tree| {
            let mut files = tree.list("/etc/NetworkManager/system-connections", &[".nmconnection"]);
            files.extend(tree.list("/etc/sysconfig/network-scripts", &[""]));
            files
        },
        effect: "it returns whenever the connection is activated",
        cure: "remove the address from the connection (nmcli connection modify NAME -ipv4.addresses …)",
    },
    Keeper {
        name: "keepalived",
        files: |tree| {
            vec![PathBuf::from("/etc/keepalived/keepalived.conf")]
                .into_iter()
                .chain(tree.list("/etc/keepalived/conf.d", &[".conf"]))
                .collect()
        },
        effect: "it adds and removes the address as its own roles change",
        cure: "stop keepalived once vipward acts, or run vipward with mode = \"observe\"",
    },
];

/// Every file that names a VIP.
pub fn examine(tree: &Tree, host: &Host<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for keeper in &KEEPERS {
        for file in (keeper.files)(tree) {
            let Some(text) = tree.read(&file).map(|text| without_comments(&text)) else {
                continue;
            };
            for service in &host.config.services {
                if names(&text, service.vip.0) {
                    let what = format!("{} names the VIP {}", file.display(), service.vip);
                    findings.push(
                        Finding::new(Level::Trouble, keeper.name, what)
                            .effect(keeper.effect)
                            .cure(keeper.cure),
                    );
                }
            }
        }
    }
    findings
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', '!']));
    lines.collect::<Vec<_>>().join("\n")
}

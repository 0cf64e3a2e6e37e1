//! systemd-networkd, by itself and driven by amazon-ec2-net-utils.

use std::path::Path;

use super::Host;
use super::finding::{Finding, Level};
use super::tree::{Tree, last_value, names};

const ABOUT: &str = "systemd-networkd";
const KEEP: &str = "KeepConfiguration";

/// What networkd does with the node's interface.
pub fn examine(tree: &Tree, host: &Host<'_>) -> Vec<Finding> {
    let state = tree.read(format!("/run/systemd/netif/links/{}", host.link.index));
    let Some(state) = state else {
        return Vec::new();
    };
    let interface = &host.link.name;
    let file = last_value([&state], "NETWORK_FILE").filter(|file| !file.is_empty());
    let Some(file) = file else {
        return vec![Finding::fine(ABOUT, format!("runs, and leaves {interface} alone"))];
    };
    let keep = kept(tree, &file);
    let ec2_net_utils = ec2_net_utils(tree, host, keep.is_some());
    let managed = match keep {
        Some(value) => Finding::fine(
            ABOUT,
            format!("manages {interface} by {file} with {KEEP}={value}: a reload keeps the VIPs"),
        ),
        None => Finding::new(
            Level::Trouble,
            ABOUT,
            format!("manages {interface} by {file} without {KEEP}"),
        )
        .effect(
            "`networkctl reload` and a restart drop every address that is not in its files, \
             including the VIPs; clients are cut off until the alias unit brings them back",
        )
        .drop_in(
            format!("/etc/systemd/network/{}.d/50-vipward.conf", name_of(&file)),
            "# Written by `vipward-alias doctor --write`: addresses that others added stay.\n\
             [Network]\nKeepConfiguration=static\n",
            "run `networkctl reload`",
        ),
    };
    std::iter::once(managed).chain(ec2_net_utils).collect()
}

/// The value that keeps foreign addresses, where one does.
fn kept(tree: &Tree, file: &str) -> Option<String> {
    let drop_ins = tree.drop_ins("network", name_of(file));
    let all = std::iter::once(Path::new(file).to_owned()).chain(drop_ins);
    let texts: Vec<String> = all.filter_map(|path| tree.read(path)).collect();
    last_value(&texts, KEEP)
        .filter(|value| ["static", "yes", "true", "1", "on"].contains(&&**value))
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// It adds what the metadata name and takes away what they no longer name, every minute.
fn ec2_net_utils(tree: &Tree, host: &Host<'_>, kept: bool) -> Option<Finding> {
    let timer = "/usr/lib/systemd/system/refresh-policy-routes@.timer";
    if !tree.has(timer) {
        return None;
    }
    let interface = &host.link.name;
    let file = format!("/run/systemd/network/70-{interface}.network.d/ec2net_alias.conf");
    let listed = tree.read(&file).unwrap_or_default();
    let vips: Vec<String> = host
        .config
        .services
        .iter()
        .filter(|service| names(&listed, service.vip.0))
        .map(|service| service.vip.to_string())
        .collect();
    let now = if vips.is_empty() { "no VIP".to_owned() } else { vips.join(" ") };
    let level = if kept { Level::Note } else { Level::Trouble };
    let reload = if kept {
        "its reloads keep the VIPs"
    } else {
        "each change causes a reload that drops the VIPs"
    };
    let what = format!("writes what the metadata name into {file} as /32, each minute; now {now}");
    let effect = format!(
        "it agrees with `follow`; with `static` the alias unit restores what it removes; {reload}"
    );
    let finding = Finding::new(level, "amazon-ec2-net-utils", what).effect(effect);
    Some(if kept { finding } else { finding.cure("write the drop-in for systemd-networkd") })
}

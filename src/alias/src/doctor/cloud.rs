//! What configures a host from the cloud's metadata: cloud-init and nm-cloud-setup.

use std::path::PathBuf;

use super::finding::{Finding, Level};
use super::tree::Tree;

/// What cloud-init will write at the next boot that it takes for a first one.
pub fn cloud_init(tree: &Tree) -> Option<Finding> {
    const ABOUT: &str = "cloud-init";
    if !tree.has("/etc/cloud/cloud.cfg") {
        return None;
    }
    if tree.has("/etc/cloud/cloud-init.disabled") {
        return Some(Finding::fine(ABOUT, "is disabled"));
    }
    let files = tree.list("/etc/cloud/cloud.cfg.d", &[".cfg"]);
    let texts: Vec<String> = std::iter::once(PathBuf::from("/etc/cloud/cloud.cfg"))
        .chain(files)
        .filter_map(|file| tree.read(file))
        .collect();
    let lines = || texts.iter().flat_map(|text| text.lines()).map(str::trim);
    let mut full = lines().filter_map(|line| line.strip_prefix("apply_full_imds_network_config:"));
    let limited = full.next_back().is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
    let off = lines().any(|line| {
        let compact: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        compact == "network:{config:disabled}"
    });
    if limited || off {
        return Some(Finding::fine(ABOUT, "configures no secondary address"));
    }
    let what = "configures the secondary addresses that the instance has at its first boot";
    Some(
        Finding::new(Level::Trouble, ABOUT, what)
            .effect(
                "a VIP that this host holds then is written into its files with the subnet's \
                 prefix, and returns at each boot, even after it has moved away",
            )
            .drop_in(
                "/etc/cloud/cloud.cfg.d/99-vipward.cfg",
                "# Written by `vipward-alias doctor --write`: VIPs are not this host's for good.\n\
                 datasource:\n  Ec2:\n    apply_full_imds_network_config: false\n",
                "it takes effect at the next first boot (of an image of this host)",
            ),
    )
}

/// What `NetworkManager`'s helper does every five minutes.
pub fn nm_cloud_setup(tree: &Tree) -> Option<Finding> {
    const ABOUT: &str = "nm-cloud-setup";
    const UNIT: &str = "nm-cloud-setup.service";
    let unit = format!("/usr/lib/systemd/system/{UNIT}");
    if !tree.has(&unit) {
        return None;
    }
    let files = std::iter::once(PathBuf::from(unit)).chain(tree.drop_ins("system", UNIT));
    let texts: Vec<String> = files.filter_map(|file| tree.read(file)).collect();
    let mut assignments = texts.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let words = line.trim().strip_prefix("Environment=")?;
        let assignment = words
            .split_whitespace()
            .find_map(|word| word.trim_matches('"').strip_prefix("NM_CLOUD_SETUP_EC2="));
        assignment.map(|value| ["yes", "true", "1", "on"].contains(&value))
    });
    if !assignments.next_back().unwrap_or(false) {
        return Some(Finding::fine(ABOUT, "does not look at EC2"));
    }
    let what = "sets the interface to what the metadata say, every five minutes";
    Some(
        Finding::new(Level::Trouble, ABOUT, what)
            .effect(
                "it adds a VIP with the subnet's prefix, removes VIPs that the metadata do not \
                 name, and routes this host's traffic by source once it has a second address",
            )
            .drop_in(
                format!("/etc/systemd/system/{UNIT}.d/50-vipward.conf"),
                "# Written by `vipward-alias doctor --write`: the alias unit looks after the VIPs.\n\
                 [Service]\nEnvironment=NM_CLOUD_SETUP_EC2=no\n",
                "run `systemctl daemon-reload`",
            ),
    )
}

//! A real systemd-networkd in the namespace of the test, with a bus to be reloaded by.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::namespace::{await_that, ip, run};

/// It sees its own `/run` and `/etc`; `/sys` is read-only, which tells it that there is no udev to
/// wait for.
const IN_ITS_OWN_MOUNTS: &str = r#"
set -e
mount -t sysfs -o ro sysfs /sys
mount --bind "$0/run" /run
mount --bind "$0/etc/systemd/network" /etc/systemd/network
exec "$@"
"#;

/// The daemon and its bus. They end with the namespace.
pub struct Networkd {
    root: PathBuf,
    children: Vec<Child>,
}

impl Networkd {
    /// Starts it with this configuration of `ens5`, and waits until it has taken it up.
    pub fn start(files: &Path, network: &str) -> Self {
        let root = files.join("root");
        let (netif, network_files) = ("run/systemd/netif", "run/systemd/network");
        for directory in ["run/dbus", "etc/systemd/network", network_files] {
            fs::create_dir_all(root.join(directory)).expect("a directory");
        }
        for directory in ["links", "leases", "lldp"] {
            fs::create_dir_all(root.join(netif).join(directory)).expect("a directory");
        }
        let netif = root.join(netif);
        run("chown", &["-R", "systemd-network:", netif.to_str().expect("plain")]);
        let file = root.join(network_files).join("10-ens5.network");
        fs::write(file, network).expect("it is written");
        let mut networkd = Self { root, children: Vec::new() };
        networkd.spawn(&["dbus-daemon", "--system", "--nofork", "--nopidfile"]);
        let bus = networkd.root.join("run/dbus/system_bus_socket");
        await_that("the bus is there", || bus.exists());
        networkd.spawn(&["/lib/systemd/systemd-networkd"]);
        await_that("networkd has configured ens5", || networkd.is_well());
        networkd
    }

    /// What it takes for the host's root, as far as its files go.
    pub fn root(&self) -> &str {
        self.root.to_str().expect("the tests' folders have plain names")
    }

    /// Whether it looks after the interface and has not given it up.
    pub fn is_well(&self) -> bool {
        self.state().contains("ADMIN_STATE=configured")
    }

    /// Does what amazon-ec2-net-utils does when the metadata name other addresses than before:
    /// writes them as /32 into a drop-in of the interface's file, and reloads.
    pub fn ec2_net_utils(&self, addresses: &[&str]) {
        let directory = self.root.join("run/systemd/network/10-ens5.network.d");
        fs::create_dir_all(&directory).expect("a directory");
        let one =
            |address: &&str| format!("[Address]\nAddress={address}/32\nAddPrefixRoute=false\n");
        let text: String = addresses.iter().map(one).collect();
        fs::write(directory.join("ec2net_alias.conf"), text).expect("it is written");
        self.reload();
    }

    /// `networkctl reload`.
    pub fn reload(&self) {
        let status = self.command(&["networkctl", "reload"]).status().expect("unshare runs");
        assert!(status.success(), "networkctl reload: {status}");
    }

    fn state(&self) -> String {
        let links: serde_json::Value =
            serde_json::from_str(&ip("-j link show ens5")).expect("ip -j speaks JSON");
        let index = links[0]["ifindex"].to_string();
        fs::read_to_string(self.root.join("run/systemd/netif/links").join(index))
            .unwrap_or_default()
    }

    fn spawn(&mut self, words: &[&str]) {
        let child = self.command(words).stdout(Stdio::null()).spawn();
        self.children.push(child.expect("unshare runs"));
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", IN_ITS_OWN_MOUNTS]).arg(&self.root).args(words);
        command
    }
}

impl Drop for Networkd {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

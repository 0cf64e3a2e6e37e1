//! `vipward-alias doctor`: what this host's network managers and kernel settings will do to the
//! VIPs. It looks; with `--write` it writes drop-ins, and nothing else.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use vipward_core::config::{Config, Node};
use vipward_core::text::chain;
use vipward_core::{Exit, Faults};

use crate::failure::Failure;
use crate::kernel::Kernel;
use crate::options::{DoctorOptions, Options};
use crate::own_addresses::OwnAddresses;
use vipward_core::knowledge::Answer;
use vipward_imds::Endpoint;
use vipward_upkeep::inventory::{Inventory, Link};
use vipward_upkeep::locate::locate;
use vipward_upkeep::own_node::own_node;

use finding::{DropIn, Finding, Level};
use tree::Tree;

mod cloud;
pub mod finding;
mod networkd;
mod settings;
pub mod tree;
mod truths;
mod written;

#[cfg(test)]
mod tests;

/// The host as far as it is not in files.
pub struct Host<'h> {
    /// The cluster's file.
    pub config: &'h Config,
    /// The node's interface.
    pub link: &'h Link,
    /// Every interface and address.
    pub inventory: &'h Inventory,
    /// What EC2 says.
    pub ec2: Answer,
}

impl Host<'_> {
    fn interfaces_in_subnet(&self) -> usize {
        let inside = |address| self.config.subnet.contains(&address);
        self.inventory.links().filter(|link| self.inventory.on(link.index).any(inside)).count()
    }
}

/// Looks, says what it saw, and with `--write` writes the drop-ins.
///
/// # Errors
/// Node or interface cannot be told; a drop-in cannot be written.
pub async fn run(options: &Options, how: &DoctorOptions, config: &Config) -> Result<Exit, Failure> {
    let inventory = Kernel::open()?.inventory().await?;
    let origin = options.config.display().to_string();
    let node = own_node(config, options.node.as_ref(), &inventory)
        .map_err(|error| Faults::of_host(&origin, error.to_string(), error.cure()))?;
    let link = locate(&inventory, node.address, None).map_err(|error| {
        Faults::of_host(&origin, format!("node {}: {error}", node.name), error.cure())
    })?;
    let ec2 = ask(node, link).await?;
    let host = Host { config, link, inventory: &inventory, ec2 };
    let findings = examine(&Tree::new(&how.root), &Tree::new(Path::new("/")), &host);
    let mut text = format!("node {} {} on {}\n", node.name, node.address, link.name);
    for finding in &findings {
        write!(text, "{finding}").expect("writing to a string cannot fail");
    }
    if how.write {
        let tree = Tree::new(&how.root);
        for drop_in in findings.iter().filter_map(|finding| finding.drop_in.as_ref()) {
            text.push_str(&write_out(&tree, drop_in)?);
        }
    }
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(Failure::Output)?;
    let worst = findings.iter().map(|finding| finding.level).max();
    Ok(if worst == Some(Level::Trouble) { Exit::Degraded } else { Exit::Fine })
}

async fn ask(node: &Node, link: &Link) -> Result<Answer, Failure> {
    let Some(mac) = link.mac else {
        return Ok(Answer::Unknown(format!("{} has no MAC to ask about", link.name)));
    };
    let mut own = OwnAddresses::new(Endpoint::from_environment()?);
    let answer = own.ask(mac, &node.eni).await;
    Ok(answer.map_or_else(|error| Answer::Unknown(chain(&error)), Answer::Addresses))
}

/// Everything there is to say: of the host's files, and of the running kernel's.
fn examine(files: &Tree, kernel: &Tree, host: &Host<'_>) -> Vec<Finding> {
    let mut findings = truths::examine(host);
    findings.extend(networkd::examine(files, host));
    findings.extend(cloud::cloud_init(files));
    findings.extend(cloud::nm_cloud_setup(files));
    findings.extend(written::examine(files, host));
    findings.extend(settings::examine(kernel, host));
    findings
}

/// Writes a drop-in, or leaves alone what somebody else has written there; says which.
fn write_out(tree: &Tree, drop_in: &DropIn) -> Result<String, Failure> {
    let place = tree.place(&drop_in.path);
    let is_ours = || tree.read(&drop_in.path).is_some_and(|there| there == drop_in.content);
    match put_new(&place, &drop_in.content) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_ours() => {
            let what = "exists with another content; move it away and try again";
            Ok(format!("left     {} {what}\n", place.display()))
        }
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(Failure::DropIn { path: place, source })
        }
        _ => Ok(format!("written  {}; now {}\n", place.display(), drop_in.then)),
    }
}

/// Makes a file where there is none, not even a link to nowhere, and the directories to it. Every
/// user may read them, whatever the umask: networkd is not root.
fn put_new(place: &Path, content: &str) -> io::Result<()> {
    let missing = place.ancestors().skip(1).take_while(|directory| !directory.exists());
    let missing: Vec<&Path> = missing.collect();
    for directory in missing.into_iter().rev() {
        fs::create_dir(directory)?;
        fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    }
    let mut file = File::create_new(place)?;
    let written = file
        .write_all(content.as_bytes())
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o644)));
    if written.is_err() {
        // Half of it would be taken for somebody else's.
        let _removed = fs::remove_file(place);
    }
    written
}

//! The alias unit: keeps every service's VIP on this node's interface, so that the operating system
//! answers for it the moment the VPC delivers it here.
//!
//! Mode `static`: every node holds every alias at all times. Netlink events only wake a pass; each
//! pass dumps what the kernel holds ([`inventory`]), subtracts it from what should be ([`plan`])
//! and adds what is missing ([`kernel`]). Nothing is ever deleted, and no address outside the file
//! is touched.

use std::io::Write as _;

use vipward_core::{Config, Faults};

use crate::events::Events;
use crate::failure::Failure;
use crate::kernel::Kernel;
use crate::locate::locate;
use crate::options::Options;
use crate::own_node::own_node;
use crate::supervisor::Supervisor;
use crate::unit::Unit;
use crate::upkeep::Upkeep;

pub mod check;
pub mod events;
pub mod failure;
pub mod inventory;
pub mod kernel;
pub mod label;
pub mod locate;
pub mod options;
pub mod own_node;
pub mod pace;
pub mod plan;
pub mod supervisor;
pub mod unit;
pub mod upkeep;

/// Finds out who this host is, then keeps its aliases until it is told to stop; with `--check` says
/// so and returns.
///
/// # Errors
/// A wrong file, no node or interface to be found, a kernel that refuses.
pub async fn start(options: &Options) -> Result<(), Failure> {
    let config = Config::load(&options.config, |path| std::fs::read_to_string(path))?;
    let events = Events::subscribe()?;
    let kernel = Kernel::open()?;
    let actual = kernel.inventory().await?;
    let node = own_node(&config, &options.config, options.node.as_ref(), &actual)?;
    let link = locate(&actual, node.address, None).map_err(|unlocated| {
        let origin = options.config.display().to_string();
        Faults::of_host(&origin, format!("node {}: {unlocated}", node.name), unlocated.cure())
    })?;
    if options.check {
        let report = check::report(&config, node, link, &actual);
        let mut stdout = std::io::stdout().lock();
        return stdout.write_all(report.as_bytes()).map_err(Failure::Output);
    }
    tracing::info!(interface = link.name, node = %node.name, "alias unit started");
    let vips = config.services.iter().map(|service| service.vip.0).collect();
    let upkeep = Upkeep::new(node.address, link.clone(), vips);
    Unit::new(kernel, events, upkeep, Supervisor::from_environment()).run().await
}

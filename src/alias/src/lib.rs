//! The alias unit: keeps every service's VIP on this node's interface, so that the operating system
//! answers for it the moment the VPC delivers it here.
//!
//! Mode `static`: every node has the alias at all times. Mode `follow`: the node whose ENI holds
//! the VIP has it, as the instance metadata tell ([`knowledge`]). Netlink events and answers only
//! wake a pass; each pass dumps what the kernel holds ([`inventory`]), compares it with what should
//! be ([`plan`]) and mends the difference ([`kernel`]). Nothing is deleted on doubt, and no address
//! outside the file is touched.

use std::io::Write as _;

use vipward_core::{Config, Exit, Faults};

use crate::events::Events;
use crate::failure::Failure;
use crate::kernel::Kernel;
use crate::metadata::Metadata;
use crate::options::{Command, Options};
use crate::report_file::ReportFile;
use crate::systemd::Systemd;
use crate::unit::Unit;
use vipward_imds::Endpoint;
use vipward_upkeep::locate::locate;
use vipward_upkeep::own_node::own_node;
use vipward_upkeep::upkeep::Upkeep;

pub mod check;
pub mod doctor;
pub mod events;
pub mod failure;
pub mod kernel;
pub mod metadata;
pub mod options;
pub mod own_addresses;
pub mod report_file;
pub mod systemd;
pub mod unit;

/// Does what the command line says: keeps this host's aliases until it is told to stop, or looks
/// and says what it saw.
///
/// # Errors
/// A wrong file, no node or interface to be found, a kernel that refuses.
pub async fn start(options: &Options) -> Result<Exit, Failure> {
    let config = Config::load(&options.config, |path| std::fs::read_to_string(path))?;
    match &options.command {
        Some(Command::Doctor(how)) => doctor::run(options, how, &config).await,
        None if options.check => check(options, &config).await,
        None => keep(options, config).await,
    }
}

async fn check(options: &Options, config: &Config) -> Result<Exit, Failure> {
    let actual = Kernel::open()?.inventory().await?;
    let origin = options.config.display().to_string();
    let node = own_node(config, options.node.as_ref(), &actual)
        .map_err(|error| Faults::of_host(&origin, error.to_string(), error.cure()))?;
    let link = locate(&actual, node.address, None).map_err(|error| {
        Faults::of_host(&origin, format!("node {}: {error}", node.name), error.cure())
    })?;
    let report = check::report(config, node, link, &actual);
    std::io::stdout().lock().write_all(report.as_bytes()).map_err(Failure::Output)?;
    Ok(Exit::Fine)
}

async fn keep(options: &Options, config: Config) -> Result<Exit, Failure> {
    let events = Events::subscribe()?;
    let kernel = Kernel::open()?;
    refuse_what_time_cannot_mend(options, &config, &kernel).await?;
    let upkeep = Upkeep::new(config, options.node.clone());
    let metadata =
        if upkeep.follows() { Some(Metadata::start(Endpoint::from_environment()?)) } else { None };
    let report = ReportFile::choose(options.report.as_ref())?;
    let systemd = Systemd::from_environment();
    let unit = Unit { events, kernel, upkeep, metadata, report, systemd };
    unit.run().await?;
    Ok(Exit::Fine)
}

/// An interface that is not there yet may come; a name that is not in the file will not.
async fn refuse_what_time_cannot_mend(
    options: &Options,
    config: &Config,
    kernel: &Kernel,
) -> Result<(), Failure> {
    let actual = kernel.inventory().await?;
    let origin = options.config.display().to_string();
    let node = match own_node(config, options.node.as_ref(), &actual) {
        Ok(node) => node,
        Err(error) if error.may_pass() => return Ok(()),
        Err(error) => {
            return Err(Faults::of_host(&origin, error.to_string(), error.cure()).into());
        }
    };
    tracing::info!(node = %node.name, "alias unit started");
    match locate(&actual, node.address, None) {
        Err(error) if !error.may_pass() => {
            let what = format!("node {}: {error}", node.name);
            Err(Faults::of_host(&origin, what, error.cure()).into())
        }
        _ => Ok(()),
    }
}

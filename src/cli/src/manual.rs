//! `manual`: the one call that moves a VIP, for the day AWS's own parts are out. Asks nobody.

use std::fmt::Write as _;
use std::path::Path;

use vipward_core::Config;

use crate::failure::Failure;
use crate::load;
use crate::said::Said;

/// Shows the call for each VIP and node.
///
/// # Errors
/// Every fault of the file.
pub fn manual(file: &Path) -> Result<Said, Failure> {
    Ok(Said::data(commands(&load(file)?)))
}

fn commands(config: &Config) -> String {
    let mut text =
        "# Each moves the VIP in one step. Never unassign it first: it would be nowhere.\n\
                    # Run with mode = \"observe\" deployed, or the function may move it again.\n"
            .to_owned();
    for service in &config.services {
        for node in &config.nodes {
            let _ = write!(
                text,
                "\n# {} to {}\naws ec2 assign-private-ip-addresses --allow-reassignment \
                 --network-interface-id {} --private-ip-addresses {}\n",
                service.name, node.name, node.eni, service.vip
            );
        }
    }
    text
}

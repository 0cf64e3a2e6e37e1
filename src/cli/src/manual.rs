//! `manual`: the one call that moves a VIP, or a group of them, for the day AWS's own parts are
//! out. Asks nobody.

use std::fmt::Write as _;
use std::path::Path;

use vipward_core::Config;

use crate::failure::Failure;
use crate::load;
use crate::said::Said;

/// Shows the call for each VIP, or group, and node.
///
/// # Errors
/// Every fault of the file.
pub fn manual(file: &Path) -> Result<Said, Failure> {
    Ok(Said::data(commands(&load(file)?)))
}

fn commands(config: &Config) -> String {
    let mut text =
        "# Each command moves a VIP in one step. Never unassign it first: no node would hold it.\n\
                    # Deploy mode = \"observe\" first, or the function may move the VIP again.\n"
            .to_owned();
    for services in config.groups() {
        let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
        let vips: Vec<_> = services.iter().map(|service| service.vip.to_string()).collect();
        let (names, vips) = (names.join(", "), vips.join(" "));
        for node in &config.nodes {
            let _ = write!(
                text,
                "\n# {names} to {}\naws ec2 assign-private-ip-addresses --allow-reassignment \
                 --network-interface-id {} --private-ip-addresses {vips}\n",
                node.name, node.eni
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_moves_in_one_call() {
        let text = include_str!("../../../infra/example/vipward.toml");
        let mut config = Config::parse("example", text).expect("it is right");
        for service in &mut config.services[..2] {
            service.group = Some("db".parse().expect("a name"));
        }
        let commands = commands(&config);
        let calls: Vec<_> = commands.lines().filter(|line| line.starts_with("aws ")).collect();
        assert_eq!(calls.len(), 4, "a group and a VIP, to two nodes: {commands}");
        assert!(calls[0].ends_with(" --private-ip-addresses 172.31.0.201 172.31.0.202"));
        assert!(commands.contains("# mysql, redis to resource-01\n"), "{commands}");
    }
}

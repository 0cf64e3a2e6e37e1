//! What CloudFormation and IAM allow, told before a deployment fails on it.

use vipward_core::{Config, Faults};

use super::Template;

/// Resources that CloudFormation allows a template.
pub const MOST_RESOURCES: usize = 500;

/// Nodes whose interfaces fit the failover role's policy: IAM allows a role 10,240 characters of
/// inline policies, and each interface takes 180 of them (its ARN in two statements, with the
/// longest names of partition and region).
const MOST_NODES: usize = 50;

/// Whether the template of `config`, read from `origin`, can be deployed.
///
/// # Errors
/// One fault for the first limit that it exceeds.
pub fn within_limits(origin: &str, config: &Config, template: &Template) -> Result<(), Faults> {
    let nodes = config.nodes.len();
    if nodes > MOST_NODES {
        let what = format!(
            "has {nodes} nodes; the policy of one role has room for the interfaces of {MOST_NODES}"
        );
        return Err(Faults::of_host(origin, what, "split the cluster"));
    }
    let resources = template.resource_count();
    if resources > MOST_RESOURCES {
        let what = format!(
            "renders to {resources} resources ({} of them alarms); CloudFormation allows {MOST_RESOURCES}",
            template.alarm_count()
        );
        let cure = if config.policy.peer_alarms {
            "set peer_alarms = false in [policy], or split the services between two clusters"
        } else {
            "split the services or the nodes between two clusters"
        };
        return Err(Faults::of_host(origin, what, cure));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::Place;

    fn verdict(nodes: usize, services: usize, peer_alarms: bool) -> Result<(), Faults> {
        let mut text = format!(
            "cluster = \"c\"\nsubnet = \"10.0.0.0/16\"\npolicy = {{ peer_alarms = {peer_alarms} }}\n"
        );
        for n in 0..nodes {
            let _ = write!(
                text,
                "[[node]]\nname = \"n{n}\"\naddress = \"10.0.1.{n}\"\neni = \"eni-{n:08x}\"\n"
            );
        }
        for s in 0..services {
            let check = "{ kind = \"tcp\", port = 80 }";
            let _ = write!(
                text,
                "[[service]]\nname = \"s{s}\"\nvip = \"10.0.2.{s}\"\ncheck = {check}\n"
            );
        }
        let config = Config::parse("c.toml", &text).expect("it is in order");
        let place = Place { directory: ".".to_owned(), file_name: "c.toml".to_owned() };
        within_limits("c.toml", &config, &Template::render(&config, &place))
    }

    #[test]
    fn what_cannot_be_deployed_is_refused_with_a_cure() {
        for (nodes, services, peer_alarms, cure) in [
            (
                5,
                30,
                true,
                Some(
                    "set peer_alarms = false in [policy], or split the services between two clusters",
                ),
            ),
            (5, 30, false, None),
            (20, 30, false, Some("split the services or the nodes between two clusters")),
            (51, 1, false, Some("split the cluster")),
            (50, 1, false, None),
        ] {
            let cures: Vec<String> = verdict(nodes, services, peer_alarms)
                .err()
                .iter()
                .flat_map(Faults::iter)
                .map(|fault| fault.cure.clone())
                .collect();
            assert_eq!(cures, Vec::from_iter(cure), "{nodes} nodes, {services} services");
        }
    }
}

//! The region's world file: the cluster on paper, as EC2 and CloudFormation would know it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::Serialize;

use crate::fabric_kind::FabricKind;
use crate::layout::{HostKind, Layout};

const SUBNET: &str = "subnet-0a0000000000000001";
/// How many VIPs an instance of each type has room for, beside its own address.
const INSTANCES: [(usize, &str); 3] = [(3, "m7g.medium"), (9, "c6i.large"), (14, "c6i.xlarge")];

/// Files that the world names.
#[derive(Debug, Clone)]
pub struct Files {
    pub template: PathBuf,
    pub bootstrap: PathBuf,
    /// What stands for `/opt`.
    pub layer: PathBuf,
}

#[derive(Serialize)]
struct World<'w> {
    listen: String,
    template: &'w PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    imds: Option<String>,
    lambda: Lambda<'w>,
    delays: toml::Table,
    answers: toml::Table,
    subnet: [Subnet<'w>; 1],
    instance: Vec<Instance<'w>>,
}

#[derive(Serialize)]
struct Lambda<'w> {
    bootstrap: &'w PathBuf,
    layer: &'w PathBuf,
}

#[derive(Serialize)]
struct Subnet<'w> {
    id: &'static str,
    cidr: &'w str,
}

#[derive(Serialize)]
struct Instance<'w> {
    id: &'w str,
    r#type: &'static str,
    eni: &'w str,
    mac: &'w str,
    subnet: &'static str,
    address: Ipv4Addr,
    secondaries: Vec<Ipv4Addr>,
    /// By the output that tells people which profile is this host's.
    profile: String,
    access_key: &'w str,
}

/// The world file of a cluster.
///
/// # Errors
/// A path that is not UTF-8.
pub fn world_toml(
    layout: &Layout,
    fabric: FabricKind,
    files: &Files,
) -> Result<String, toml::ser::Error> {
    let fits = INSTANCES.iter().find(|(room, _)| layout.services.len() <= *room);
    let (_, kind) = fits.expect("the parser allows no more services than fit");
    let first = layout.first_holder().map(|host| &host.name);
    let members = layout.hosts.iter().filter(|host| host.kind != HostKind::Client);
    let instances = members.map(|host| Instance {
        id: &host.instance,
        r#type: kind,
        eni: host.eni.as_str(),
        mac: &host.mac,
        subnet: SUBNET,
        address: host.address,
        secondaries: match first {
            Some(first) if *first == host.name => layout.services.iter().map(|s| s.vip).collect(),
            _ => Vec::new(),
        },
        profile: format!("Instance profile for the host of {}", host.name),
        access_key: &host.access_key,
    });
    toml::to_string(&World {
        listen: fabric.endpoint().to_string(),
        template: &files.template,
        imds: fabric.imds().map(|address| address.to_string()),
        lambda: Lambda { bootstrap: &files.bootstrap, layer: &files.layer },
        delays: table(&layout.spec.delays),
        answers: table(&layout.spec.answers),
        subnet: [Subnet { id: SUBNET, cidr: &layout.subnet }],
        instance: instances.collect(),
    })
}

/// Numbers as numbers, everything else as text.
fn table(settings: &[(String, String)]) -> toml::Table {
    let typed: BTreeMap<_, _> = settings
        .iter()
        .map(|(key, value)| {
            let number = value.parse::<i64>().map(toml::Value::Integer);
            (key.clone(), number.unwrap_or_else(|_| toml::Value::String(value.clone())))
        })
        .collect();
    typed.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{ClusterSpec, MOST_SERVICES};

    fn world(spec: ClusterSpec, fabric: FabricKind) -> toml::Table {
        let files = Files {
            template: "/t/template.yaml".into(),
            bootstrap: "/t/bootstrap".into(),
            layer: "/t/layer".into(),
        };
        let text = world_toml(&Layout::new(spec, fabric), fabric, &files).expect("is written");
        text.parse().expect("is TOML")
    }

    #[test]
    fn the_first_node_holds_the_vips_only_when_placed() {
        for (placed, held) in [(true, 1), (false, 0)] {
            let world =
                world(ClusterSpec { placed, ..ClusterSpec::default() }, FabricKind::Namespaces);
            let secondaries = world["instance"][0]["secondaries"].as_array().expect("is a list");
            assert_eq!(secondaries.len(), held);
        }
    }

    #[test]
    fn every_member_has_the_role_of_its_host() {
        let world =
            world(ClusterSpec { witnesses: 1, ..ClusterSpec::default() }, FabricKind::Namespaces);
        let instances = world["instance"].as_array().expect("is a list");
        let told: Vec<_> = instances
            .iter()
            .map(|one| (one["access_key"].as_str(), one["profile"].as_str()))
            .collect();
        let wanted = ["NODE1", "NODE2", "WITNESS1"].map(|name| format!("AKIALAB{name}"));
        let keys: Vec<_> = told.iter().filter_map(|(key, _)| *key).collect();
        assert_eq!(keys, wanted);
        assert_eq!(told[2].1, Some("Instance profile for the host of witness-1"));
    }

    #[test]
    fn an_instance_has_room_for_every_vip() {
        for (services, kind) in [
            (1, "m7g.medium"),
            (3, "m7g.medium"),
            (4, "c6i.large"),
            (9, "c6i.large"),
            (10, "c6i.xlarge"),
            (MOST_SERVICES, "c6i.xlarge"),
        ] {
            let names = (0..services).map(|n| format!("s{n}").parse().expect("a name"));
            let spec = ClusterSpec { services: names.collect(), ..ClusterSpec::default() };
            let world = world(spec, FabricKind::Namespaces);
            assert_eq!(world["instance"][0]["type"].as_str(), Some(kind), "{services}");
        }
    }

    #[test]
    fn settings_keep_their_types_and_loopback_has_no_metadata() {
        let delays = [("alarm_evaluation_range_extra", "3"), ("describe_lag", "2s")];
        let delays = delays.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let answers = vec![("assigned_again".to_owned(), "refused".to_owned())];
        let world = world(
            ClusterSpec { delays, answers, ..ClusterSpec::default() },
            FabricKind::Loopback(1),
        );
        assert_eq!(world["delays"]["alarm_evaluation_range_extra"].as_integer(), Some(3));
        assert_eq!(world["delays"]["describe_lag"].as_str(), Some("2s"));
        assert_eq!(world["answers"]["assigned_again"].as_str(), Some("refused"));
        assert!(!world.contains_key("imds"));
    }
}

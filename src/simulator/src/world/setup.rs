//! A history's region at its start, made of the very template that users deploy.

use std::path::Path;
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use vipward_core::{Config, NodeName};
use vipward_region_model::cloudwatch::{self, CloudWatch};
use vipward_region_model::ec2::inventory::Subnet;
use vipward_region_model::ec2::{self, Ec2, NewInstance};
use vipward_region_model::events::{self, EventBridge};
use vipward_region_model::fault::Faults;
use vipward_region_model::iam::Iam;
use vipward_region_model::imds::{self, Imds};
use vipward_region_model::lambda::{self, Lambda};
use vipward_region_model::template::Template;
use vipward_region_model::{Place, Region};

use crate::history::cluster::FOREIGN_ENI;
use crate::history::scenario::Scenario;

/// How far the metadata's lists lag behind at least.
pub const METADATA_LAG: Duration = Duration::from_secs(1);

/// The hardware address of a node's interface, by the node's place in the file.
pub fn mac(index: usize) -> [u8; 6] {
    [2, 0, 0, 0, 0, u8::try_from(index).unwrap_or(u8::MAX)]
}

/// The instance that a node's interface is attached to.
pub fn instance_of(node: &NodeName) -> String {
    format!("i-{node}")
}

/// The region as `scenario` begins.
///
/// # Errors
/// When the cluster does not render to a template that the region can take.
pub fn region(scenario: &Scenario, config: &Config, now: Timestamp) -> anyhow::Result<Region> {
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let file = vipward_render::Place::in_directory(Path::new("config"), Path::new("vipward.toml"))?;
    let template =
        Template::parse(&vipward_render::Template::render(config, &file).to_yaml(), &place)?;
    let mut functions = template.functions;
    for function in &mut functions {
        function.reserved = function.reserved.and_then(|of| scenario.concurrency.reserved(of));
    }
    let mut region = Region {
        ec2: cluster(scenario, config, now)?,
        cloudwatch: CloudWatch::new(cloudwatch::Settings {
            place: place.clone(),
            metric_ingestion: SignedDuration::from_millis(500),
            alarm_lag: SignedDuration::from_secs(2),
            evaluation_range_extra: 2,
            retention: SignedDuration::from_hours(3),
        }),
        events: EventBridge::new(events::Settings {
            place: place.clone(),
            event_delivery: SignedDuration::from_millis(80),
        }),
        lambda: Lambda::new(
            lambda::Settings {
                init_timeout: SignedDuration::from_secs(10),
                error_retry: SignedDuration::from_mins(1),
                throttle_first: SignedDuration::from_secs(1),
                throttle_most: SignedDuration::from_mins(5),
                account_concurrency: 1_000,
            },
            functions,
        ),
        imds: Imds::new(imds::Settings { lag: SignedDuration::try_from(METADATA_LAG)? }),
        iam: Iam::new([]),
        faults: Faults::default(),
        place,
    };
    for alarm in template.alarms {
        region.cloudwatch.put_alarm(alarm, now);
    }
    for rule in template.rules {
        region.events.put_rule(rule, now);
    }
    Ok(region)
}

fn cluster(scenario: &Scenario, config: &Config, now: Timestamp) -> anyhow::Result<Ec2> {
    let subnet = |cidr: Ipv4Net| Subnet {
        id: "subnet-1".to_owned(),
        cidr,
        vpc: "vpc-1".to_owned(),
        zone: "us-east-1a".to_owned(),
    };
    let lag = SignedDuration::from_millis(scenario.describe_lag_ms.try_into().unwrap_or(0));
    let settings = ec2::Settings { describe_lag: lag, ..ec2::Settings::default() };
    let mut ec2 = Ec2::new(settings, [subnet(config.subnet)]);
    for (index, node) in config.nodes.iter().enumerate() {
        let held = index == 0 && !scenario.unplaced;
        let vips = config.services.iter().filter(|_| held).map(|service| service.vip.0);
        let instance = NewInstance {
            id: instance_of(&node.name),
            kind: "m7g.large".to_owned(),
            eni: node.eni.to_string(),
            mac: mac(index).map(|octet| format!("{octet:02x}")).join(":"),
            subnet: "subnet-1".to_owned(),
            address: node.address,
            secondaries: vips.collect(),
        };
        ec2.launch(instance, now)?;
    }
    let stranger = NewInstance {
        id: "i-stranger".to_owned(),
        kind: "m7g.large".to_owned(),
        eni: FOREIGN_ENI.to_owned(),
        mac: "02:00:00:00:00:ff".to_owned(),
        subnet: "subnet-1".to_owned(),
        address: stranger_address(config),
        secondaries: Vec::new(),
    };
    ec2.launch(stranger, now)?;
    Ok(ec2)
}

/// The last address of the subnet that a host can have.
fn stranger_address(config: &Config) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from(u32::from(config.subnet.broadcast()) - 1)
}

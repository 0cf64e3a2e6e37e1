//! The instance metadata service, version 2: tokens and the tree of one instance.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Place;
use super::ec2::Ec2;
use super::ec2::inventory::{InstanceState, Interface, Inventory};
use super::ids::Ids;

/// Settings of the metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How far its address lists lag behind changes.
    pub lag: SignedDuration,
}

#[derive(Debug)]
struct Token {
    instance: String,
    until: Timestamp,
}

/// The metadata service of all instances.
#[derive(Debug)]
pub struct Imds {
    settings: Settings,
    tokens: BTreeMap<String, Token>,
    /// What is announced to instances, by instance and path.
    announced: BTreeMap<(String, String), String>,
    ids: Ids,
}

/// Where the metadata announce things to come; what else they say follows from EC2.
pub const ANNOUNCEMENTS: [&str; 4] = [
    "spot/instance-action",
    "events/recommendations/rebalance",
    "events/maintenance/scheduled",
    "autoscaling/target-lifecycle-state",
];

impl Imds {
    /// A service that has given out no token yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            tokens: BTreeMap::new(),
            announced: BTreeMap::new(),
            ids: Ids::new("imds"),
        }
    }

    /// Gives out a token for one instance.
    pub fn token(&mut self, instance: &str, ttl: SignedDuration, now: Timestamp) -> String {
        self.tokens.retain(|_, token| now < token.until);
        let name = format!("{}==", self.ids.next_id().replace('-', ""));
        let token = Token { instance: instance.to_owned(), until: now + ttl };
        self.tokens.insert(name.clone(), token);
        name
    }

    /// Whether a token was given to this instance and still holds.
    pub fn accepts(&self, token: &str, instance: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|token| token.instance == instance && now < token.until)
    }

    /// Announces something to an instance at one of [`ANNOUNCEMENTS`]; `None` takes it back.
    pub fn announce(&mut self, instance: &str, path: &str, text: Option<String>) {
        let place = (instance.to_owned(), path.to_owned());
        match text {
            Some(text) => self.announced.insert(place, text),
            None => self.announced.remove(&place),
        };
    }

    /// All leaves of an instance's `/latest/meta-data/`, by path below it.
    ///
    /// `None` when there is no such instance or it does not run. Its address list is what it was
    /// a lag, or `stale`, ago.
    pub fn tree(
        &self,
        ec2: &Ec2,
        instance: &str,
        place: &Place,
        stale: SignedDuration,
        now: Timestamp,
    ) -> Option<BTreeMap<String, String>> {
        let inventory = ec2.present();
        let found = inventory.instances.get(instance)?;
        let runs = matches!(
            found.state,
            InstanceState::Pending
                | InstanceState::Running
                | InstanceState::Stopping
                | InstanceState::ShuttingDown
        );
        let interface = inventory.interfaces.get(&found.eni).filter(|_| runs)?;
        let before = ec2.as_of(now - self.settings.lag - stale);
        let addresses = before.interfaces.get(&interface.id).unwrap_or(interface);

        let mut tree = about_instance(inventory, interface, instance, &found.kind, place);
        tree.extend(about_interface(inventory, interface, addresses, place));
        tree.insert(format!("iam/security-credentials/{ROLE}"), credentials(instance, now));
        let announced = self.announced.iter().filter(|((to, _), _)| to == instance);
        tree.extend(announced.map(|((_, path), text)| (path.clone(), text.clone())));
        Some(tree)
    }
}

/// The role every instance has; its access key id tells the instances apart.
const ROLE: &str = "vipward-node";

/// The access key id of an instance's role credentials.
pub fn access_key_id(instance: &str) -> String {
    format!("ASIA{}", instance.trim_start_matches("i-").to_uppercase())
}

fn about_instance(
    inventory: &Inventory,
    interface: &Interface,
    instance: &str,
    kind: &str,
    place: &Place,
) -> BTreeMap<String, String> {
    let subnet = inventory.subnet_of(interface);
    [
        ("ami-id", "ami-0a000000000000001".to_owned()),
        ("autoscaling/target-lifecycle-state", "InService".to_owned()),
        ("events/maintenance/scheduled", "[]".to_owned()),
        ("hostname", host_name(interface.primary)),
        ("instance-id", instance.to_owned()),
        ("instance-type", kind.to_owned()),
        ("local-hostname", host_name(interface.primary)),
        ("local-ipv4", interface.primary.to_string()),
        ("mac", interface.mac.clone()),
        ("placement/availability-zone", subnet.zone.clone()),
        ("placement/region", place.region.clone()),
    ]
    .map(|(path, value)| (path.to_owned(), value))
    .into()
}

fn about_interface(
    inventory: &Inventory,
    interface: &Interface,
    addresses: &Interface,
    place: &Place,
) -> BTreeMap<String, String> {
    let subnet = inventory.subnet_of(interface);
    let listed: Vec<String> = addresses.addresses().map(|address| address.to_string()).collect();
    [
        ("device-number", "0".to_owned()),
        ("interface-id", interface.id.clone()),
        ("local-hostname", host_name(interface.primary)),
        ("local-ipv4s", listed.join("\n")),
        ("mac", interface.mac.clone()),
        ("owner-id", place.account.clone()),
        ("subnet-id", subnet.id.clone()),
        ("subnet-ipv4-cidr-block", subnet.cidr.to_string()),
        ("vpc-id", subnet.vpc.clone()),
    ]
    .map(|(leaf, value)| (format!("network/interfaces/macs/{}/{leaf}", interface.mac), value))
    .into()
}

fn host_name(address: Ipv4Addr) -> String {
    format!("ip-{}.ec2.internal", address.to_string().replace('.', "-"))
}

fn credentials(instance: &str, now: Timestamp) -> String {
    let life = SignedDuration::from_hours(6);
    json!({
        "Code": "Success",
        "LastUpdated": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "Type": "AWS-HMAC",
        "AccessKeyId": access_key_id(instance),
        "SecretAccessKey": "no-secret-is-checked-here",
        "Token": "no-token-is-checked-here",
        "Expiration": (now + life).strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
    .to_string()
}

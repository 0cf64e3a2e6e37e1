//! What a person needs to know once the stack is there.

use serde_json::{Map, Value, json};
use vipward_core::Config;

use super::alerts::TOPIC;
use super::functions::{FAILOVER, QUERY};
use super::resource::reference;
use super::roles::{OPERATOR_POLICY, instance_profile_id};

/// The `Outputs` section.
pub fn outputs(config: &Config) -> Value {
    let mut outputs = Map::new();
    let mut add = |name: String, description: String, id: &str| {
        outputs.insert(name, json!({"Description": description, "Value": reference(id)}));
    };
    add(FAILOVER.to_owned(), "The function that moves VIPs".to_owned(), FAILOVER);
    add(QUERY.to_owned(), "The function that vipward status and explain ask".to_owned(), QUERY);
    add(OPERATOR_POLICY.to_owned(), "Policy for operators".to_owned(), OPERATOR_POLICY);
    add(TOPIC.to_owned(), "Topic for alerts and moves".to_owned(), TOPIC);
    for member in config.members() {
        let id = instance_profile_id(member);
        let description = format!("Instance profile for the host of {member}");
        add(id.clone(), description, &id);
    }
    outputs.into()
}

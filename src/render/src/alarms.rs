//! One alarm for each service on each node, and where the policy wants it one for each observer.
//! And one for each host, on its hints.
//!
//! Their changes of state are events on the bus, and a rule hears them. Those on hints alone have
//! actions, too: people should hear of them.

use std::time::Duration;

use serde_json::{Value, json};
use vipward_core::config::{Role, Service};
use vipward_core::telemetry::{
    AlarmKind, AlarmName, DIM_SERVICE, DIM_SUBJECT, HINTS_FAILING, IS_PRIMARY, PEER_HEALTH,
    SELF_HEALTH, namespace,
};
use vipward_core::{Config, NodeName};

use super::alerts::tell_people;
use super::resource::{Resource, logical_id};

/// The periods, in seconds, that CloudWatch has for alarms, up to the longest publish interval.
const PERIODS: [u64; 3] = [10, 30, 60];

/// Everything of this part, in the order of the file.
pub fn resources(config: &Config) -> Vec<Resource> {
    let mut resources = Vec::new();
    for service in &config.services {
        for node in &config.nodes {
            resources.push(self_health(config, service, &node.name));
            if service.role == Role::Primary {
                resources.push(primary(config, service, &node.name));
            }
            if config.policy.peer_alarms {
                let observers = config.observers_of(&node.name);
                resources.extend(
                    observers.map(|observer| peer_health(config, service, &node.name, observer)),
                );
            }
        }
    }
    if config.policy.hints {
        resources.extend(config.members().map(|host| hints(config, host)));
    }
    if let Some(first) = resources.first_mut() {
        first.comment = "One bad value is enough: the agent has debounced it. Two periods, because one may be late.";
    }
    resources
}

fn self_health(config: &Config, service: &Service, node: &NodeName) -> Resource {
    alarm(
        config,
        logical_id("OwnWord", &[service.name.as_str(), node.as_str()]),
        &name(config, service, node, AlarmKind::SelfHealth),
        &format!("{node} says that its {} is unhealthy or leaving, or says nothing", service.name),
        json!({
            "Namespace": namespace(&config.cluster, node),
            "MetricName": SELF_HEALTH,
            "Dimensions": [dimension(DIM_SERVICE, service.name.as_str())],
            "TreatMissingData": "breaching",
        }),
    )
}

/// In OK on the primary alone: its changes tell that there is another one, when hints are lost.
fn primary(config: &Config, service: &Service, node: &NodeName) -> Resource {
    alarm(
        config,
        logical_id("Primary", &[service.name.as_str(), node.as_str()]),
        &name(config, service, node, AlarmKind::Primary),
        &format!("{node} says that its {} is not a primary, or says nothing", service.name),
        json!({
            "Namespace": namespace(&config.cluster, node),
            "MetricName": IS_PRIMARY,
            "Dimensions": [dimension(DIM_SERVICE, service.name.as_str())],
            "TreatMissingData": "breaching",
        }),
    )
}

/// Silence is not breaching: it tells of the observer, whose own alarm it is.
fn peer_health(
    config: &Config,
    service: &Service,
    node: &NodeName,
    observer: &NodeName,
) -> Resource {
    alarm(
        config,
        logical_id("PeerHealth", &[service.name.as_str(), node.as_str(), observer.as_str()]),
        &name(config, service, node, AlarmKind::PeerHealth(observer.clone())),
        &format!("{observer} cannot reach {} on {node}", service.name),
        json!({
            "Namespace": namespace(&config.cluster, observer),
            "MetricName": PEER_HEALTH,
            "Dimensions": [
                dimension(DIM_SERVICE, service.name.as_str()),
                dimension(DIM_SUBJECT, node.as_str()),
            ],
            "TreatMissingData": "notBreaching",
        }),
    )
}

/// Nobody takes a host's hints: the function reads what its agent sees in the metrics, and people
/// mend it. Silence is not breaching: the metric is there only while it is so.
fn hints(config: &Config, host: &NodeName) -> Resource {
    let name = AlarmName {
        cluster: config.cluster.clone(),
        service: None,
        node: host.clone(),
        kind: AlarmKind::Hints,
    };
    let mut alarm = alarm(
        config,
        logical_id("Hints", &[host.as_str()]),
        &name,
        &format!("EventBridge does not take the hints of {host}; its agent's log says why"),
        json!({
            "Namespace": namespace(&config.cluster, host),
            "MetricName": HINTS_FAILING,
            "TreatMissingData": "notBreaching",
        }),
    );
    let properties = &mut alarm.body["Properties"];
    properties["Statistic"] = "Maximum".into();
    properties["ComparisonOperator"] = "GreaterThanThreshold".into();
    properties["Threshold"] = 0.into();
    tell_people(properties);
    alarm
}

fn name(config: &Config, service: &Service, node: &NodeName, kind: AlarmKind) -> AlarmName {
    AlarmName {
        cluster: config.cluster.clone(),
        service: Some(service.name.clone()),
        node: node.clone(),
        kind,
    }
}

fn alarm(
    config: &Config,
    id: String,
    name: &AlarmName,
    description: &str,
    metric: Value,
) -> Resource {
    let mut properties = metric;
    properties["AlarmName"] = name.to_string().into();
    properties["AlarmDescription"] = description.into();
    properties["Statistic"] = "Minimum".into();
    properties["ComparisonOperator"] = "LessThanThreshold".into();
    properties["Threshold"] = 1.into();
    properties["Period"] = period(config.policy.publish_interval).into();
    properties["EvaluationPeriods"] = 2.into();
    properties["DatapointsToAlarm"] = 1.into();
    Resource::new(id, "AWS::CloudWatch::Alarm", properties)
}

/// The shortest period into which every publication falls; a shorter one would see silence.
fn period(publish_interval: Duration) -> u64 {
    let fits = |period: &u64| Duration::from_secs(*period) >= publish_interval;
    PERIODS.into_iter().find(fits).unwrap_or(PERIODS[PERIODS.len() - 1])
}

fn dimension(name: &str, value: &str) -> Value {
    json!({"Name": name, "Value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_the_vip_follows_a_primary_alarms_tell_who_it_is() {
        let pair = include_str!("../../../infra/example/vipward.toml");
        let names = |text: &str| -> Vec<String> {
            let config = Config::parse("x", text).expect("is right");
            let said = |alarm: &Resource| alarm.body["Properties"]["AlarmName"].to_string();
            let names: Vec<_> = resources(&config).iter().map(said).collect();
            let all: Vec<_> = AlarmName::all(&config).map(|n| format!("\"{n}\"")).collect();
            assert_eq!(names, all, "what is rendered is what the function looks for");
            names.into_iter().filter(|name| name.contains("primary")).collect()
        };
        assert_eq!(names(pair), Vec::<String>::new());
        let follows =
            pair.replacen("name  = \"mongodb\"", "name = \"mongodb\"\nrole = \"primary\"", 1);
        let primaries = ["resource-01", "resource-02"];
        let primaries = primaries.map(|n| format!("\"vipward/prod-db/mongodb/{n}/primary\""));
        assert_eq!(names(&follows), primaries);
    }

    #[test]
    fn a_publication_falls_into_every_period() {
        for (publish_seconds, period_seconds) in
            [(1, 10), (10, 10), (11, 30), (30, 30), (31, 60), (60, 60)]
        {
            assert_eq!(period(Duration::from_secs(publish_seconds)), period_seconds);
        }
    }
}

//! How people hear of it: a topic for alerts and moves, and alarms on the failover path itself and
//! on what keeps a node from serving.

use serde_json::{Value, json};
use vipward_core::telemetry::{
    ALERT_DETAIL_TYPE, ALIAS_DRIFT, DIM_CLUSTER, FUNCTION_SOURCE, HOOK_FAILING, MOVE_DETAIL_TYPE,
    NOTICES_LOST, function_namespace, namespace,
};
use vipward_core::{Config, NodeName};

use super::functions::{DEAD_LETTERS, FAILOVER};
use super::iam::{allow_service, policy};
use super::parameters::{ALERT_EMAIL, MAILS_ALERTS};
use super::resource::{Resource, attribute, logical_id, reference};
use super::rules::target;

/// The topic that alerts and moves are published to.
pub const TOPIC: &str = "AlertTopic";
/// The rule that brings them there.
pub const RULE: &str = "AlertRule";

/// Everything of this part.
pub fn resources(config: &Config) -> Vec<Resource> {
    let mut resources = vec![
        topic(config),
        topic_policy(),
        subscription().when(MAILS_ALERTS),
        rule(),
        failing(config),
        silent(config),
        dead_letters(config),
        notices_lost(config),
    ];
    resources.extend(config.nodes.iter().map(|node| alias_missing(config, &node.name)));
    if config.services.iter().any(|service| !service.hooks.is_empty()) {
        resources.extend(config.nodes.iter().map(|node| hook_failing(config, &node.name)));
    }
    resources
}

fn topic(config: &Config) -> Resource {
    let properties = json!({"TopicName": format!("vipward-{}-alerts", config.cluster)});
    Resource::new(TOPIC, "AWS::SNS::Topic", properties)
        .with_comment("Subscribe what pages you. Not encrypted by the aws/sns key: EventBridge cannot use that one.")
}

fn topic_policy() -> Resource {
    let topic = reference(TOPIC);
    let publish = |service, condition| allow_service(service, "sns:Publish", &topic, condition);
    let statements = [
        publish(
            "events.amazonaws.com",
            &json!({"ArnEquals": {"aws:SourceArn": attribute(RULE, "Arn")}}),
        ),
        publish(
            "cloudwatch.amazonaws.com",
            &json!({"StringEquals": {"aws:SourceAccount": reference("AWS::AccountId")}}),
        ),
    ];
    let properties = json!({"Topics": [reference(TOPIC)], "PolicyDocument": policy(&statements)});
    Resource::new("AlertTopicPolicy", "AWS::SNS::TopicPolicy", properties)
}

fn subscription() -> Resource {
    let properties = json!({
        "Protocol": "email",
        "Endpoint": reference(ALERT_EMAIL),
        "TopicArn": reference(TOPIC),
    });
    Resource::new("AlertMail", "AWS::SNS::Subscription", properties)
}

fn rule() -> Resource {
    let properties = json!({
        "Description": "The function raised an alert or moved a VIP",
        "EventPattern": {
            "source": [FUNCTION_SOURCE],
            "detail-type": [ALERT_DETAIL_TYPE, MOVE_DETAIL_TYPE],
        },
        "Targets": target(&reference(TOPIC)),
    });
    Resource::new(RULE, "AWS::Events::Rule", properties)
}

fn failing(config: &Config) -> Resource {
    let metric = json!({
        "AlarmDescription": "The failover function failed; its log says why",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": reference(FAILOVER)}],
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    });
    alarm(config, "FunctionFails", "function-fails", metric)
        .with_comment("Outside the cluster's alarm prefix: these wake people, not the function.")
}

fn silent(config: &Config) -> Resource {
    let metric = json!({
        "AlarmDescription": "The failover function was not invoked for five minutes",
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": reference(FAILOVER)}],
        "Statistic": "Sum",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 5,
        "TreatMissingData": "breaching",
    });
    alarm(config, "FunctionSilent", "function-silent", metric)
}

fn dead_letters(config: &Config) -> Resource {
    let metric = json!({
        "AlarmDescription": "A rule could not deliver an event; the queue holds it",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": attribute(DEAD_LETTERS, "QueueName")}],
        "Statistic": "Maximum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    });
    alarm(config, "DeadLettersWait", "dead-letters-wait", metric)
}

fn notices_lost(config: &Config) -> Resource {
    let metric = json!({
        "AlarmDescription": "EventBridge did not take what the function has to tell; its log has it",
        "Namespace": function_namespace(&config.cluster),
        "MetricName": NOTICES_LOST,
        "Dimensions": [{"Name": DIM_CLUSTER, "Value": config.cluster}],
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
    });
    alarm(config, "NoticesLost", "notices-lost", metric)
}

fn alias_missing(config: &Config, node: &NodeName) -> Resource {
    let description = format!(
        "A VIP on the interface of {node} is not as it should be: ask `vipward-alias doctor`"
    );
    let id = logical_id("AliasMissing", &[node.as_str()]);
    let metric = trouble(config, node, ALIAS_DRIFT, &description);
    alarm(config, &id, &format!("alias-missing-{node}"), metric)
}

fn hook_failing(config: &Config, node: &NodeName) -> Resource {
    let description =
        format!("The last run of a hook on {node} failed: ask `vipward-agent status`");
    let id = logical_id("HookFailing", &[node.as_str()]);
    let metric = trouble(config, node, HOOK_FAILING, &description);
    alarm(config, &id, &format!("hook-failing-{node}"), metric)
}

/// A metric of a host that is there only while there is trouble. Two periods, because what a
/// failover brings about is over in one.
fn trouble(config: &Config, node: &NodeName, metric: &str, description: &str) -> Value {
    json!({
        "AlarmDescription": description,
        "Namespace": namespace(&config.cluster, node),
        "MetricName": metric,
        "Statistic": "Minimum",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 2,
        "TreatMissingData": "notBreaching",
    })
}

fn alarm(config: &Config, id: &str, name: &str, metric: Value) -> Resource {
    let mut properties = metric;
    properties["AlarmName"] = format!("vipward-{}-{name}", config.cluster).into();
    properties["Period"] = 60.into();
    tell_people(&mut properties);
    Resource::new(id, "AWS::CloudWatch::Alarm", properties)
}

/// The alarm of these properties goes to the topic by itself.
pub fn tell_people(properties: &mut Value) {
    properties["AlarmActions"] = json!([reference(TOPIC)]);
    properties["OKActions"] = json!([reference(TOPIC)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms;

    #[test]
    fn what_only_metrics_tell_has_an_alarm_that_goes_to_people() {
        let pair = include_str!("../../../infra/example/vipward.toml");
        let hook = "name = \"mongodb\"\non_acquire = { command = [\"/bin/true\"] }";
        let hooked = pair.replacen("name  = \"mongodb\"", hook, 1);
        let told = |text: &str| -> Vec<String> {
            let config = Config::parse("x", text).expect("is right");
            let all = [resources(&config), alarms::resources(&config)].concat();
            let told = all.iter().map(|resource| &resource.body["Properties"]);
            let told =
                told.filter(|properties| properties["AlarmActions"] == json!([reference(TOPIC)]));
            let name = |properties: &Value| properties["AlarmName"].as_str().map(str::to_owned);
            told.filter_map(name).collect()
        };
        let always = [
            "vipward-prod-db-function-fails",
            "vipward-prod-db-function-silent",
            "vipward-prod-db-dead-letters-wait",
            "vipward-prod-db-notices-lost",
            "vipward-prod-db-alias-missing-resource-01",
            "vipward-prod-db-alias-missing-resource-02",
            "vipward/prod-db/resource-01/hints",
            "vipward/prod-db/resource-02/hints",
            "vipward/prod-db/app-01/hints",
        ];
        assert_eq!(told(pair), always);
        let hooks = ["resource-01", "resource-02"];
        let hooks = hooks.map(|node| format!("vipward-prod-db-hook-failing-{node}"));
        let mut with_hooks: Vec<_> = always.map(str::to_owned).into();
        with_hooks.splice(6..6, hooks);
        assert_eq!(told(&hooked), with_hooks);
    }
}

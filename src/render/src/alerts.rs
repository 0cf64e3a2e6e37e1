//! How people hear of it: a topic for alerts and moves, and alarms on the failover path itself.

use serde_json::{Value, json};
use vipward_core::Config;
use vipward_core::telemetry::{ALERT_DETAIL_TYPE, FUNCTION_SOURCE, MOVE_DETAIL_TYPE};

use super::functions::{DEAD_LETTERS, FAILOVER};
use super::iam::{allow_service, policy};
use super::parameters::{ALERT_EMAIL, MAILS_ALERTS};
use super::resource::{Resource, attribute, reference};
use super::rules::target;

/// The topic that alerts and moves are published to.
pub const TOPIC: &str = "AlertTopic";
/// The rule that brings them there.
pub const RULE: &str = "AlertRule";

/// Everything of this part.
pub fn resources(config: &Config) -> Vec<Resource> {
    vec![
        topic(config),
        topic_policy(),
        subscription().when(MAILS_ALERTS),
        rule(),
        failing(config),
        silent(config),
        dead_letters(config),
    ]
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

fn alarm(config: &Config, id: &str, name: &str, metric: Value) -> Resource {
    let mut properties = metric;
    properties["AlarmName"] = format!("vipward-{}-{name}", config.cluster).into();
    properties["Period"] = 60.into();
    properties["AlarmActions"] = json!([reference(TOPIC)]);
    properties["OKActions"] = json!([reference(TOPIC)]);
    Resource::new(id, "AWS::CloudWatch::Alarm", properties)
}

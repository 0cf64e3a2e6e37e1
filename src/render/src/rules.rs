//! What wakes the failover function: alarms, hints, the end of an instance, and the minute.

use serde_json::{Value, json};
use vipward_core::Config;
use vipward_core::telemetry::{HINT_DETAIL_TYPE, alarm_prefix, hint_source};

use super::functions::{DEAD_LETTERS, FAILOVER, OLDEST_EVENT_SECONDS};
use super::iam::{allow_service, policy};
use super::resource::{Resource, attribute, reference};

/// Members whose sources fit one rule: EventBridge allows a pattern 2,048 characters, and a source
/// of the longest names takes 82 of them.
const SOURCES_A_RULE: usize = 20;

const EVENTS: &str = "events.amazonaws.com";

/// Everything of this part. `others` are rules elsewhere whose undelivered events are kept too.
pub fn resources(config: &Config, others: &[&str]) -> Vec<Resource> {
    let rules = rules(config);
    let ids = rules.iter().map(|rule| rule.id.as_str());
    let sources = ids.chain(others.iter().copied()).map(|id| attribute(id, "Arn"));
    let queue_policy = dead_letter_policy(&sources.collect::<Vec<_>>());
    let mut resources = Vec::new();
    for rule in rules {
        let permission = permission(&rule.id);
        resources.extend([rule, permission]);
    }
    resources.push(queue_policy);
    resources
}

/// A target of a rule: tried while the event is worth something, then kept as a dead letter.
pub fn target(arn: &Value) -> Value {
    json!([{
        "Id": "target",
        "Arn": arn,
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": OLDEST_EVENT_SECONDS,
            "MaximumRetryAttempts": 8,
        },
        "DeadLetterConfig": {"Arn": attribute(DEAD_LETTERS, "Arn")},
    }])
}

fn rules(config: &Config) -> Vec<Resource> {
    let mut rules = vec![
        rule(
            "AlarmRule",
            "An alarm of this cluster changed state",
            &json!({
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {"alarmName": [{"prefix": alarm_prefix(&config.cluster)}]},
            }),
        )
        .with_comment("An event only says that something may have changed; the function reads afresh."),
        rule(
            "InstanceRule",
            "An instance stops or is terminated",
            &json!({
                "source": ["aws.ec2"],
                "detail-type": ["EC2 Instance State-change Notification"],
                "detail": {
                    "state": ["stopping", "stopped", "shutting-down", "terminated"],
                },
            }),
        )
        .with_comment("Any instance's: the configuration names no instances, and the function ignores others."),
    ];
    if config.policy.hints {
        rules.extend(hint_rules(config));
    }
    rules.push(schedule());
    rules
}

/// Exact sources rather than a prefix: `a.b` is not a member of cluster `a`.
fn hint_rules(config: &Config) -> Vec<Resource> {
    let sources: Vec<String> =
        config.members().map(|member| hint_source(&config.cluster, member)).collect();
    let chunks = sources.chunks(SOURCES_A_RULE).enumerate();
    let rules = chunks.map(|(index, sources)| {
        rule(
            &format!("HintRule{}", index + 1),
            "An agent of this cluster sees trouble",
            &json!({"source": sources, "detail-type": [HINT_DETAIL_TYPE]}),
        )
    });
    rules.collect()
}

fn schedule() -> Resource {
    let properties = json!({
        "Description": "Looks once a minute, whichever events were lost",
        "ScheduleExpression": "rate(1 minute)",
        "Targets": target(&attribute(FAILOVER, "Arn")),
    });
    Resource::new("ScheduleRule", "AWS::Events::Rule", properties)
        .with_comment("The safety net: lost events cost a minute, never correctness.")
}

fn rule(id: &str, description: &str, pattern: &Value) -> Resource {
    let properties = json!({
        "Description": description,
        "EventPattern": pattern,
        "Targets": target(&attribute(FAILOVER, "Arn")),
    });
    Resource::new(id, "AWS::Events::Rule", properties)
}

fn permission(rule: &str) -> Resource {
    let properties = json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": reference(FAILOVER),
        "Principal": EVENTS,
        "SourceArn": attribute(rule, "Arn"),
    });
    Resource::new(format!("{rule}Permission"), "AWS::Lambda::Permission", properties)
}

fn dead_letter_policy(rules: &[Value]) -> Resource {
    let statement = allow_service(
        EVENTS,
        "sqs:SendMessage",
        &attribute(DEAD_LETTERS, "Arn"),
        &json!({"ArnEquals": {"aws:SourceArn": rules}}),
    );
    let properties = json!({
        "Queues": [reference(DEAD_LETTERS)],
        "PolicyDocument": policy(&[statement]),
    });
    Resource::new("DeadLetterPolicy", "AWS::SQS::QueuePolicy", properties)
}

//! Who may do what. A node can speak for itself, the function alone can move, operators can ask.

use serde_json::{Value, json};
use vipward_core::telemetry::{FUNCTION_SOURCE, hint_source, namespace};
use vipward_core::{Config, NodeName};

use super::functions::{FAILOVER, FAILOVER_LOG, QUERY, QUERY_LOG};
use super::iam::{allow, allow_events_from, allow_if, policy, role};
use super::resource::{Resource, attribute, logical_id, reference, substituted};

/// The managed policy for people who run the command.
pub const OPERATOR_POLICY: &str = "OperatorPolicy";

const LAMBDA: &str = "lambda.amazonaws.com";
const EC2: &str = "ec2.amazonaws.com";

/// Everything of this part.
pub fn resources(config: &Config) -> Vec<Resource> {
    let mut resources = vec![failover_role(config), query_role(config), operator_policy(config)];
    for member in config.members() {
        resources.push(member_role(config, member));
        resources.push(instance_profile(member));
    }
    resources
}

/// The logical id of a member's instance profile.
pub fn instance_profile_id(member: &NodeName) -> String {
    logical_id("InstanceProfile", &[member.as_str()])
}

fn failover_role(config: &Config) -> Resource {
    let enis = enis(config);
    let tag_keys = format!("vipward:{}:*", config.cluster);
    let mut statements = reads(FAILOVER_LOG);
    statements.extend([
        // There is no condition key for the address: the function itself keeps to the file's VIPs.
        allow("MoveVips", &["ec2:AssignPrivateIpAddresses"], enis.clone()),
        allow_if(
            "WriteLedger",
            &["ec2:CreateTags"],
            enis,
            json!({
                "Null": {"aws:TagKeys": "false"},
                "ForAllValues:StringLike": {"aws:TagKeys": tag_keys},
            }),
        ),
        allow_events_from(FUNCTION_SOURCE),
    ]);
    let description = format!("Moves the VIPs of cluster {}", config.cluster);
    role("FailoverRole", &description, LAMBDA, &statements)
        .with_comment("Changes the interfaces of this cluster's nodes and no others.")
}

fn query_role(config: &Config) -> Resource {
    let description = format!("Reads the state of cluster {}", config.cluster);
    role("QueryRole", &description, LAMBDA, &reads(QUERY_LOG))
}

/// What both functions need in order to see. EC2's and CloudWatch's reads cannot be scoped.
fn reads(log: &str) -> Vec<Value> {
    vec![
        allow(
            "ReadTheWorld",
            &[
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
            ],
            "*",
        ),
        allow("WriteItsLog", &["logs:CreateLogStream", "logs:PutLogEvents"], attribute(log, "Arn")),
    ]
}

fn enis(config: &Config) -> Value {
    let arns = config.nodes.iter().map(|node| {
        substituted(&format!(
            "arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:network-interface/{}",
            node.eni
        ))
    });
    arns.collect()
}

fn operator_policy(config: &Config) -> Resource {
    let functions = json!([attribute(FAILOVER, "Arn"), attribute(QUERY, "Arn")]);
    let properties = json!({
        "Description": format!("For the operators of cluster {}", config.cluster),
        "PolicyDocument": policy(&[allow("AskTheFunctions", &["lambda:InvokeFunction"], functions)]),
    });
    Resource::new(OPERATOR_POLICY, "AWS::IAM::ManagedPolicy", properties).with_comment(
        "For operators: attach it to everyone who runs `vipward status` or gives orders.",
    )
}

fn role_id(member: &NodeName) -> String {
    logical_id("Role", &[member.as_str()])
}

/// Who spoke is told from namespace and source, so each member has its own and no other.
fn member_role(config: &Config, member: &NodeName) -> Resource {
    let own_namespace = namespace(&config.cluster, member);
    let mut statements = vec![allow_if(
        "PublishItsOwnMetrics",
        &["cloudwatch:PutMetricData"],
        "*",
        json!({"StringEquals": {"cloudwatch:namespace": own_namespace}}),
    )];
    if config.policy.hints {
        statements.push(allow_events_from(&hint_source(&config.cluster, member)));
    }
    let description = format!("The agent of {member} in cluster {}", config.cluster);
    role(&role_id(member), &description, EC2, &statements)
}

fn instance_profile(member: &NodeName) -> Resource {
    let properties = json!({"Roles": [reference(&role_id(member))]});
    Resource::new(instance_profile_id(member), "AWS::IAM::InstanceProfile", properties)
}

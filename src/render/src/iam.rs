//! The forms of IAM: roles, policies and statements.

use serde_json::{Value, json};

use super::resource::{Resource, substituted};

/// The version of IAM's policy language.
const LANGUAGE: &str = "2012-10-17";

/// The default event bus.
pub fn default_bus() -> Value {
    substituted("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default")
}

/// A policy document.
pub fn policy(statements: &[Value]) -> Value {
    json!({"Version": LANGUAGE, "Statement": statements})
}

/// What may be done to what.
pub fn allow(sid: &str, actions: &[&str], resource: impl Into<Value>) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource.into()})
}

/// The same under a condition.
pub fn allow_if(
    sid: &str,
    actions: &[&str],
    resource: impl Into<Value>,
    condition: Value,
) -> Value {
    let mut statement = allow(sid, actions, resource);
    statement["Condition"] = condition;
    statement
}

/// Putting events on the default bus in the name of `source` alone. Each entry of a request is
/// held against it, and one entry at least has to be there.
pub fn allow_events_from(source: &str) -> Value {
    allow_if(
        "PutEventsInItsOwnName",
        &["events:PutEvents"],
        default_bus(),
        json!({
            "StringEquals": {"events:source": source},
            "ForAllValues:StringEquals": {"events:source": source},
        }),
    )
}

/// A statement of a resource's own policy: an AWS service may act on it.
pub fn allow_service(service: &str, action: &str, resource: &Value, condition: &Value) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    })
}

/// A role that `service` takes on.
pub fn role(id: &str, description: &str, service: &str, statements: &[Value]) -> Resource {
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    });
    let properties = json!({
        "Description": description,
        "AssumeRolePolicyDocument": policy(&[trust]),
        "Policies": [{"PolicyName": "vipward", "PolicyDocument": policy(statements)}],
    });
    Resource::new(id, "AWS::IAM::Role", properties)
}

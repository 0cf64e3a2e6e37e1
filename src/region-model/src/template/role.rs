//! `AWS::IAM::Role` with the policies in it, and which host each is for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;
use super::resolve::Resolver;
use crate::Place;
use crate::iam::{Role, Statement};

/// Reads a role. Only what its own policies say: other properties grant nothing here.
pub(super) fn read(
    id: &str,
    resource: &Value,
    resolver: &Resolver<'_>,
    place: &Place,
) -> Result<Role, TemplateError> {
    let at = format!("Resources.{id}.Properties.Policies");
    let policies = resolver.resolve(&resource["Properties"]["Policies"], &at)?;
    let mut statements = Vec::new();
    for policy in policies.as_array().into_iter().flatten() {
        let written = match &policy["PolicyDocument"]["Statement"] {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        for statement in written {
            let statement = Statement::read(statement);
            statements.push(statement.map_err(|error| TemplateError::at(&at, error.to_string()))?);
        }
    }
    Ok(Role { arn: arn(resolver.name(id), place), statements })
}

/// The roles that hosts get, by the description of the output that names their instance profile:
/// what a person who deploys the template goes by.
pub(super) fn of_hosts(
    document: &Value,
    resources: &Map<String, Value>,
    resolver: &Resolver<'_>,
    place: &Place,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut roles = BTreeMap::new();
    for (name, output) in document["Outputs"].as_object().into_iter().flatten() {
        let (Some(id), Some(description)) =
            (output["Value"]["Ref"].as_str(), output["Description"].as_str())
        else {
            continue;
        };
        let Some(resource) = resources.get(id) else {
            let at = format!("Outputs.{name}");
            return Err(TemplateError::at(at, format!("nothing is named {id}")));
        };
        if resource["Type"] != "AWS::IAM::InstanceProfile" {
            continue;
        }
        let at = format!("Resources.{id}.Properties.Roles");
        let named = resolver.resolve(&resource["Properties"]["Roles"], &at)?;
        let role = named[0].as_str().ok_or_else(|| TemplateError::at(&at, "names no role"))?;
        roles.insert(description.to_owned(), arn(role, place));
    }
    Ok(roles)
}

fn arn(name: &str, place: &Place) -> String {
    format!("arn:aws:iam::{}:role/{name}", place.account)
}

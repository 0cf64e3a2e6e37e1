//! The rendered SAM template, read for what the region has: functions, rules, alarms and roles.

mod function;
mod resolve;
mod role;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Place;
use crate::cloudwatch::alarm::AlarmSpec;
use crate::events::RuleSpec;
use crate::iam::Role;
use crate::lambda::FunctionSpec;
use resolve::Resolver;

/// What the region takes from a template.
#[derive(Debug, Default)]
pub struct Template {
    /// `AWS::Serverless::Function`.
    pub functions: Vec<FunctionSpec>,
    /// `AWS::Events::Rule`.
    pub rules: Vec<RuleSpec>,
    /// `AWS::CloudWatch::Alarm`.
    pub alarms: Vec<AlarmSpec>,
    /// `AWS::IAM::Role`.
    pub roles: Vec<Role>,
    /// ARN of a host's role, by the description of the output that names its instance profile.
    pub host_roles: BTreeMap<String, String>,
    /// How many resources of each other type there are.
    pub ignored: BTreeMap<String, usize>,
}

/// Why a template cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is not YAML.
    #[error("the template is not YAML: {0}")]
    Syntax(String),
    /// It is YAML, but not a template.
    #[error("{at}: {what}")]
    Shape {
        /// Path of the place, `Resources.X.Properties.Y` for example.
        at: String,
        /// What is wrong there.
        what: String,
    },
}

impl TemplateError {
    fn at(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Shape { at: at.into(), what: what.into() }
    }
}

impl Template {
    /// Reads a template; parameters have their defaults.
    pub fn parse(text: &str, place: &Place) -> Result<Self, TemplateError> {
        let document: Value = serde_saphyr::from_str(text)
            .map_err(|error| TemplateError::Syntax(error.to_string()))?;
        let resources = section(&document, "Resources")?;
        let resolver = Resolver::new(&document, resources, place)?;
        let host_roles = role::of_hosts(&document, resources, &resolver, place)?;
        let mut template = Self { host_roles, ..Self::default() };
        for (id, resource) in resources {
            if resolver.is_left_out(id, resource)? {
                continue;
            }
            template.take(id, resource, &document, &resolver, place)?;
        }
        Ok(template)
    }

    fn take(
        &mut self,
        id: &str,
        resource: &Value,
        document: &Value,
        resolver: &Resolver<'_>,
        place: &Place,
    ) -> Result<(), TemplateError> {
        let at = format!("Resources.{id}");
        let kind =
            resource["Type"].as_str().ok_or_else(|| TemplateError::at(&at, "has no Type"))?;
        let properties = || resolver.resolve(&resource["Properties"], &format!("{at}.Properties"));
        let wrong = |error: &dyn std::fmt::Display| TemplateError::at(&at, error.to_string());
        let name = resolver.name(id);
        match kind {
            "AWS::Serverless::Function" => {
                let globals =
                    resolver.resolve(&document["Globals"]["Function"], "Globals.Function")?;
                let function = function::read(name, &globals, &properties()?, place);
                self.functions.push(function.map_err(|error| wrong(&error))?);
            }
            "AWS::Events::Rule" => {
                let rule = RuleSpec::from_cfn(name, &properties()?);
                self.rules.push(rule.map_err(|error| wrong(&error))?);
            }
            "AWS::CloudWatch::Alarm" => {
                let alarm = AlarmSpec::from_cfn(name, &properties()?);
                self.alarms.push(alarm.map_err(|error| wrong(&error))?);
            }
            "AWS::IAM::Role" => self.roles.push(role::read(id, resource, resolver, place)?),
            "AWS::IAM::InstanceProfile" => {}
            other => *self.ignored.entry(other.to_owned()).or_default() += 1,
        }
        Ok(())
    }
}

fn section<'a>(document: &'a Value, name: &str) -> Result<&'a Map<String, Value>, TemplateError> {
    document[name]
        .as_object()
        .ok_or_else(|| TemplateError::at(name, "is not there or is no mapping"))
}

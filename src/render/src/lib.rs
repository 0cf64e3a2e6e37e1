//! `vipward.toml` to a SAM template: flat, complete, and the same text for the same file.
//!
//! Only long forms of intrinsic functions are written, so that a plain YAML parser can read it.

#![warn(missing_docs)]

mod alarms;
mod alerts;
mod functions;
mod iam;
mod limits;
mod outputs;
mod parameters;
mod place;
mod resource;
mod roles;
mod rules;
mod yaml;

use serde_json::Value;
use vipward_core::Config;
use vipward_core::telemetry::alarm_prefix;

pub use functions::{CODE, name_of as function_name};
pub use limits::{MOST_RESOURCES, within_limits};
pub use place::{Place, PlaceError, parent};
use resource::Resource;

/// What the SAM transform adds: the failover function's settings for asynchronous invocations.
const ADDED_BY_TRANSFORM: usize = 1;

/// A rendered template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    header: String,
    description: String,
    resources: Vec<Resource>,
    outputs: Value,
    alarm_prefix: String,
}

impl Template {
    /// The template of a cluster whose file lies at `place`.
    pub fn render(config: &Config, place: &Place) -> Self {
        let parts = [
            functions::resources(config, place),
            roles::resources(config),
            rules::resources(config, &[alerts::RULE]),
            alerts::resources(config),
            alarms::resources(config),
        ];
        Self {
            header: header(place),
            description: format!(
                "vipward: keeps the VIPs of cluster {} on healthy nodes",
                config.cluster
            ),
            resources: parts.into_iter().flatten().collect(),
            outputs: outputs::outputs(config),
            alarm_prefix: alarm_prefix(&config.cluster),
        }
    }

    /// How many resources CloudFormation will count.
    pub fn resource_count(&self) -> usize {
        self.resources.len() + ADDED_BY_TRANSFORM
    }

    /// How many alarms wake the function.
    pub fn alarm_count(&self) -> usize {
        let watches = |resource: &&Resource| {
            resource.kind() == "AWS::CloudWatch::Alarm"
                && resource.body["Properties"]["AlarmName"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(&self.alarm_prefix))
        };
        self.resources.iter().filter(watches).count()
    }

    /// The template as YAML.
    pub fn to_yaml(&self) -> String {
        let mut out = self.header.clone();
        yaml::write_entry(&mut out, 0, "AWSTemplateFormatVersion", &"2010-09-09".into());
        yaml::write_entry(&mut out, 0, "Transform", &"AWS::Serverless-2016-10-31".into());
        yaml::write_entry(&mut out, 0, "Description", &self.description.as_str().into());
        section(&mut out, "Parameters", &parameters::parameters());
        section(&mut out, "Conditions", &parameters::conditions());
        out.push_str("\nResources:\n");
        for (index, resource) in self.resources.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            if !resource.comment.is_empty() {
                out.push_str("  # ");
                out.push_str(resource.comment);
                out.push('\n');
            }
            yaml::write_entry(&mut out, 2, &resource.id, &resource.body);
        }
        section(&mut out, "Outputs", &self.outputs);
        out
    }
}

fn section(out: &mut String, name: &str, content: &Value) {
    out.push('\n');
    yaml::write_entry(out, 0, name, content);
}

fn header(place: &Place) -> String {
    let Place { directory, file_name } = place;
    format!(
        "# Rendered by `vipward render` from {directory}/{file_name}: change that file and render again.\n\
         # Build and deploy it in the root of vipward's source: `sam build`, `sam deploy --guided`.\n\
         # Every resource is written out, so that what changes with the file shows in a diff.\n"
    )
}

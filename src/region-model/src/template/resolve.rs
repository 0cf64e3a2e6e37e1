//! CloudFormation's intrinsic functions, the few that rendered templates use.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;
use crate::Place;

/// Knows what names in a template stand for.
pub(super) struct Resolver<'a> {
    place: &'a Place,
    /// Values of parameters and pseudo parameters; `AWS::NoValue` is null.
    values: BTreeMap<String, Value>,
    conditions: Option<&'a Map<String, Value>>,
    resources: BTreeMap<&'a str, Physical<'a>>,
}

struct Physical<'a> {
    kind: &'a str,
    name: String,
}

/// Properties that give a resource its name, by type; other resources are named by their logical
/// id.
const NAMED_BY: [(&str, &str); 5] = [
    ("AWS::Serverless::Function", "FunctionName"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SNS::Topic", "TopicName"),
];

impl<'a> Resolver<'a> {
    /// A resolver for one template, parameters at their defaults.
    pub(super) fn new(
        document: &'a Value,
        resources: &'a Map<String, Value>,
        place: &'a Place,
    ) -> Result<Self, TemplateError> {
        let mut resolver = Self {
            place,
            values: pseudo_parameters(place),
            conditions: document["Conditions"].as_object(),
            resources: BTreeMap::new(),
        };
        for (name, parameter) in document["Parameters"].as_object().into_iter().flatten() {
            if parameter["Default"].is_null() {
                let at = format!("Parameters.{name}");
                return Err(TemplateError::at(at, "has no Default, and nobody to ask for a value"));
            }
            resolver.values.insert(name.clone(), parameter["Default"].clone());
        }
        // Names come from parameters only, so they can be told before any reference to them.
        for (id, resource) in resources {
            let kind = resource["Type"].as_str().unwrap_or_default();
            let given = NAMED_BY
                .iter()
                .find(|(named, _)| *named == kind)
                .map_or(&Value::Null, |(_, property)| &resource["Properties"][property]);
            let at = format!("Resources.{id}");
            let name = match resolver.resolve(given, &at)? {
                Value::String(name) => name,
                _ => id.clone(),
            };
            resolver.resources.insert(id, Physical { kind, name });
        }
        Ok(resolver)
    }

    /// The name a resource has once deployed.
    pub(super) fn name<'b>(&'b self, id: &'b str) -> &'b str {
        self.resources.get(id).map_or(id, |physical| &physical.name)
    }

    /// Whether a resource's `Condition` is false.
    pub(super) fn is_left_out(&self, id: &str, resource: &Value) -> Result<bool, TemplateError> {
        match resource["Condition"].as_str() {
            Some(condition) => {
                Ok(!self.condition(condition, &format!("Resources.{id}.Condition"))?)
            }
            None => Ok(false),
        }
    }

    /// A value with every intrinsic function in it carried out; `AWS::NoValue` vanishes from its
    /// mapping.
    pub(super) fn resolve(&self, value: &Value, at: &str) -> Result<Value, TemplateError> {
        match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.resolve(item, at));
                let kept = items.filter(|item| !matches!(item, Ok(Value::Null)));
                Ok(Value::Array(kept.collect::<Result<_, _>>()?))
            }
            Value::Object(fields) => {
                if let Some((function, argument)) = intrinsic(fields) {
                    return self.call(function, argument, at);
                }
                let mut resolved = Map::new();
                for (name, field) in fields {
                    let field = self.resolve(field, &format!("{at}.{name}"))?;
                    if !field.is_null() {
                        resolved.insert(name.clone(), field);
                    }
                }
                Ok(Value::Object(resolved))
            }
            plain => Ok(plain.clone()),
        }
    }

    fn call(&self, function: &str, argument: &Value, at: &str) -> Result<Value, TemplateError> {
        let malformed = || TemplateError::at(at, format!("{function} is malformed"));
        match function {
            "Ref" => self.reference(argument.as_str().ok_or_else(malformed)?, at),
            "Fn::GetAtt" => {
                let (id, attribute) = match argument {
                    Value::String(dotted) => dotted.split_once('.').ok_or_else(malformed)?,
                    list => (
                        list[0].as_str().ok_or_else(malformed)?,
                        list[1].as_str().ok_or_else(malformed)?,
                    ),
                };
                self.attribute(id, attribute, at).map(Value::String)
            }
            "Fn::Sub" => match argument {
                Value::String(text) => self.substitute(text, &Map::new(), at),
                list => {
                    let text = list[0].as_str().ok_or_else(malformed)?;
                    let own = self.resolve(&list[1], at)?;
                    self.substitute(text, own.as_object().ok_or_else(malformed)?, at)
                }
            },
            "Fn::If" => {
                let condition = argument[0].as_str().ok_or_else(malformed)?;
                let branch = if self.condition(condition, at)? { 1 } else { 2 };
                self.resolve(&argument[branch], at)
            }
            other => Err(TemplateError::at(at, format!("the region does not know {other}"))),
        }
    }

    fn condition(&self, name: &str, at: &str) -> Result<bool, TemplateError> {
        let condition = self.conditions.and_then(|conditions| conditions.get(name));
        let unknown = || TemplateError::at(at, format!("there is no condition {name}"));
        self.holds(condition.ok_or_else(unknown)?, &format!("Conditions.{name}"))
    }

    fn holds(&self, condition: &Value, at: &str) -> Result<bool, TemplateError> {
        let fields = condition.as_object().and_then(intrinsic);
        match fields {
            Some(("Fn::Equals", pair)) => {
                Ok(self.resolve(&pair[0], at)? == self.resolve(&pair[1], at)?)
            }
            Some(("Fn::Not", list)) => Ok(!self.holds(&list[0], at)?),
            Some(("Condition", name)) => self.condition(name.as_str().unwrap_or_default(), at),
            _ => Err(TemplateError::at(at, "the region does not know this condition")),
        }
    }

    fn reference(&self, name: &str, at: &str) -> Result<Value, TemplateError> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        match self.resources.get(name) {
            Some(physical) if physical.kind == "AWS::SNS::Topic" => {
                self.attribute(name, "Arn", at).map(Value::String)
            }
            Some(physical) => Ok(Value::String(physical.name.clone())),
            None => Err(TemplateError::at(at, format!("nothing is named {name}"))),
        }
    }

    fn attribute(&self, id: &str, attribute: &str, at: &str) -> Result<String, TemplateError> {
        let Some(Physical { kind, name }) = self.resources.get(id) else {
            return Err(TemplateError::at(at, format!("no resource is named {id}")));
        };
        if attribute != "Arn" {
            return Ok(format!("{name}.{attribute}"));
        }
        let Place { account, region } = self.place;
        Ok(match *kind {
            "AWS::Serverless::Function" => {
                format!("arn:aws:lambda:{region}:{account}:function:{name}")
            }
            "AWS::Events::Rule" => format!("arn:aws:events:{region}:{account}:rule/{name}"),
            "AWS::CloudWatch::Alarm" => {
                format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")
            }
            "AWS::IAM::Role" => format!("arn:aws:iam::{account}:role/{name}"),
            other => {
                let service = other.split("::").nth(1).unwrap_or_default().to_lowercase();
                format!("arn:aws:{service}:{region}:{account}:{name}")
            }
        })
    }

    /// `${Name}`, `${Resource.Attribute}` and `${!Literal}` in a text.
    fn substitute(
        &self,
        text: &str,
        own: &Map<String, Value>,
        at: &str,
    ) -> Result<Value, TemplateError> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| TemplateError::at(at, "a ${ without its }"))?;
            out.push_str(before);
            match (name.strip_prefix('!'), own.get(name), name.split_once('.')) {
                (Some(literal), ..) => out.extend(["${", literal, "}"]),
                (None, Some(value), _) => out.push_str(&plain(value)),
                (None, None, Some((id, attribute))) => {
                    out.push_str(&self.attribute(id, attribute, at)?);
                }
                (None, None, None) => out.push_str(&plain(&self.reference(name, at)?)),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }
}

fn pseudo_parameters(place: &Place) -> BTreeMap<String, Value> {
    let texts = [
        ("AWS::AccountId", place.account.as_str()),
        ("AWS::Partition", "aws"),
        ("AWS::Region", place.region.as_str()),
        ("AWS::StackId", "vipward-lab"),
        ("AWS::StackName", "vipward-lab"),
        ("AWS::URLSuffix", "amazonaws.com"),
    ];
    let mut values: BTreeMap<_, _> =
        texts.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    values.insert("AWS::NoValue".to_owned(), Value::Null);
    values
}

/// A mapping with one key that names an intrinsic function is a call of it.
fn intrinsic(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let known = name == "Ref" || name == "Condition" || name.starts_with("Fn::");
    known.then_some((name.as_str(), argument))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

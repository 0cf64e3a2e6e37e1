//! Statements of policies: read strictly, judged without guessing.

use serde_json::Value;

use super::{Ask, Context, KEYS, glob};

/// One `Allow` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// A statement that cannot be read. It stops the region: what denies must not be left aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// An element that the region does not know, `NotAction` for example.
    #[error("{0} in a statement is not read")]
    Element(String),
    /// An effect other than `Allow`.
    #[error("a statement's Effect is not Allow")]
    Effect,
    /// Neither a text nor a list of texts.
    #[error("{0} of a statement is not a text or a list of texts")]
    NotTexts(&'static str),
}

/// A condition that the region does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unknown {
    #[error("the condition operator {0} is not known")]
    Operator(String),
    #[error("the condition key {0} is not known")]
    Key(String),
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

impl Statement {
    /// Reads a statement whose intrinsic functions are carried out.
    pub fn read(value: &Value) -> Result<Self, StatementError> {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let mut elements = value.as_object().into_iter().flatten();
        if let Some((name, _)) = elements.find(|(name, _)| !known.contains(&name.as_str())) {
            return Err(StatementError::Element(name.clone()));
        }
        if value["Effect"] != "Allow" {
            return Err(StatementError::Effect);
        }
        let mut conditions = Vec::new();
        for (operator, keys) in value["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let values = texts("Condition", values)?;
                conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
            }
        }
        Ok(Self {
            actions: texts("Action", &value["Action"])?,
            resources: texts("Resource", &value["Resource"])?,
            conditions,
        })
    }

    /// Whether it allows what is asked for on a resource.
    pub(super) fn allows(&self, ask: &Ask, resource: &str) -> Result<bool, Unknown> {
        let action = ask.action.to_ascii_lowercase();
        let about =
            self.actions.iter().any(|one| glob::matches(&one.to_ascii_lowercase(), &action))
                && self.resources.iter().any(|one| glob::matches(one, resource));
        if !about {
            return Ok(false);
        }
        // All are judged, so that an unknown one is told whatever the others say.
        let held: Vec<bool> = self
            .conditions
            .iter()
            .map(|condition| condition.holds(&ask.context))
            .collect::<Result<_, _>>()?;
        Ok(held.into_iter().all(|holds| holds))
    }
}

impl Condition {
    fn holds(&self, context: &Context) -> Result<bool, Unknown> {
        // Keys are the same in any case of letters; values are not.
        let key = KEYS.iter().find(|key| key.eq_ignore_ascii_case(&self.key));
        let key = key.ok_or_else(|| Unknown::Key(self.key.clone()))?;
        let said = context.get(key);
        let equals = |one: &String| self.values.contains(one);
        let like = |one: &String| self.values.iter().any(|pattern| glob::matches(pattern, one));
        Ok(match self.operator.as_str() {
            // Of a key with several values one will do: AWS wants ForAllValues beside it.
            "StringEquals" => said.is_some_and(|said| said.iter().any(equals)),
            // Of a key that is not there all values match: AWS wants Null or StringEquals beside
            // it.
            "ForAllValues:StringEquals" => said.is_none_or(|said| said.iter().all(equals)),
            "ForAllValues:StringLike" => said.is_none_or(|said| said.iter().all(like)),
            "Null" => self.values.iter().any(|value| (value == "true") == said.is_none()),
            other => return Err(Unknown::Operator(other.to_owned())),
        })
    }
}

fn texts(name: &'static str, value: &Value) -> Result<Vec<String>, StatementError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(StatementError::NotTexts(name)),
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

//! Event patterns: which events a rule takes.
//!
//! The matchers are those of the EventBridge guide ("Comparison operators"), `cidr` left out.

mod matcher;
mod parse;

use std::collections::BTreeMap;

use serde_json::Value;

use matcher::Matcher;

/// A pattern that was read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    source: Value,
    fields: Fields,
}

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event pattern is not valid at `{path}`: {fault}")]
pub struct PatternError {
    /// Where, `detail.state.value` for example; `$` is the root.
    pub path: String,
    /// What is wrong.
    pub fault: String,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(source: &Value) -> Result<Self, PatternError> {
        parse::fields(source, "$").map(|fields| Self { source: source.clone(), fields })
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Whether an event matches.
    pub fn matches(&self, event: &Value) -> bool {
        self.fields.matches(Some(event))
    }
}

/// What one structure of an event has to be: every field, and one of each list of alternatives.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    all: BTreeMap<String, Node>,
    any: Vec<Fields>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Structure(Fields),
    Leaf(Vec<Matcher>),
}

impl Fields {
    fn matches(&self, event: Option<&Value>) -> bool {
        // One element of a list of structures has to satisfy all the fields by itself.
        if let Some(Value::Array(elements)) = event
            && !elements.is_empty()
        {
            return elements.iter().any(|element| self.matches(Some(element)));
        }
        let members = event.and_then(Value::as_object);
        let all = self.all.iter().all(|(name, node)| {
            let value = members.and_then(|members| members.get(name));
            match node {
                Node::Structure(fields) => fields.matches(value),
                Node::Leaf(matchers) => leaf_matches(matchers, value),
            }
        });
        all && (self.any.is_empty() || self.any.iter().any(|fields| fields.matches(event)))
    }
}

/// A leaf matches when one matcher takes one of its values; structures and empty lists are no
/// values.
fn leaf_matches(matchers: &[Matcher], value: Option<&Value>) -> bool {
    let mut values = Vec::new();
    collect(value, &mut values);
    matchers.iter().any(|matcher| match matcher {
        Matcher::Present => !values.is_empty(),
        Matcher::Absent => values.is_empty(),
        matcher => values.iter().any(|value| matcher.takes(value)),
    })
}

fn collect<'a>(value: Option<&'a Value>, into: &mut Vec<&'a Value>) {
    match value {
        None | Some(Value::Object(_)) => {}
        Some(Value::Array(elements)) => {
            for element in elements {
                collect(Some(element), into);
            }
        }
        Some(scalar) => into.push(scalar),
    }
}

#[cfg(test)]
mod tests;

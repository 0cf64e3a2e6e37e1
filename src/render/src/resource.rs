//! A resource of the template, and the words in which resources speak of each other.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One resource: its logical id, a comment that says why it is there, and its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Alphanumeric, unique in the template, the same in every render.
    pub id: String,
    /// Written above it; empty for none.
    pub comment: &'static str,
    /// `Type`, `Properties` and so on.
    pub body: Value,
}

impl Resource {
    /// A resource that has only properties.
    pub fn new(id: impl Into<String>, kind: &str, properties: Value) -> Self {
        let mut body = json!({"Type": kind});
        body["Properties"] = properties;
        Self { id: id.into(), comment: "", body }
    }

    /// The same with a comment above it.
    #[must_use]
    pub fn with_comment(mut self, comment: &'static str) -> Self {
        self.comment = comment;
        self
    }

    /// The same, made only when the condition is true.
    #[must_use]
    pub fn when(mut self, condition: &str) -> Self {
        self.body["Condition"] = condition.into();
        self
    }

    /// The type, `AWS::IAM::Role` for example.
    pub fn kind(&self) -> &str {
        self.body["Type"].as_str().unwrap_or_default()
    }
}

/// The logical id of a resource that exists once for each combination of `names`: readable, then
/// a hash, because logical ids may not hold the hyphens that tell `a-1` from `a1`.
pub fn logical_id(role: &str, names: &[&str]) -> String {
    let words = names.iter().flat_map(|name| name.split('-'));
    let readable: String = words.map(capitalised).collect();
    let hash = Sha256::digest(names.join("/"));
    let tail = hash.first_chunk().copied().map_or(0, u32::from_be_bytes);
    format!("{role}{readable}{tail:08X}")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// `Ref`.
pub fn reference(id: &str) -> Value {
    json!({"Ref": id})
}

/// `Fn::GetAtt`.
pub fn attribute(id: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": [id, name]})
}

/// `Fn::Sub`.
pub fn substituted(text: &str) -> Value {
    json!({"Fn::Sub": text})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn logical_ids_are_alphanumeric_and_never_collide() {
        let tricky = [
            ["a-1", "b"],
            ["a1", "b"],
            ["a", "1-b"],
            ["a", "1b"],
            ["a-1-b", ""],
            ["a--1", "b"],
            ["a", "1--b"],
        ];
        let ids: BTreeSet<String> = tricky.iter().map(|names| logical_id("Alarm", names)).collect();
        assert_eq!(ids.len(), tricky.len());
        for id in ids {
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        }
    }

    #[test]
    fn logical_ids_are_the_same_in_every_render() {
        let id = logical_id("OwnWord", &["redis", "resource-01"]);
        assert!(id.starts_with("OwnWordRedisResource01"), "{id}");
        assert_eq!(id, logical_id("OwnWord", &["redis", "resource-01"]));
    }
}

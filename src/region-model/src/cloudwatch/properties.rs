//! A reader of AWS property trees, as API requests and CloudFormation resources hold them.
//!
//! It is lenient about scalars, because a form has only texts and YAML turns `0012` into a number:
//! a number may be written as a text and a text as a number.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::ApiError;

/// A property that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// It has to be there.
    #[error("the parameter {path} is required")]
    Missing {
        /// Where, `MetricData.member.1.MetricName` for example.
        path: String,
    },
    /// It is there but cannot be read, or is out of bounds.
    #[error("the value {value} for parameter {path} is invalid: {wanted} expected")]
    Invalid {
        /// Where it is.
        path: String,
        /// What it is.
        value: String,
        /// What would be right.
        wanted: String,
    },
}

impl From<PropertyError> for ApiError {
    fn from(error: PropertyError) -> Self {
        let code = match error {
            PropertyError::Missing { .. } => "MissingParameter",
            PropertyError::Invalid { .. } => "InvalidParameterValue",
        };
        Self::new(code, 400, sentence(&error))
    }
}

/// AWS's messages are sentences, our errors are fragments.
fn sentence(error: &PropertyError) -> String {
    let mut text = error.to_string();
    text[..1].make_ascii_uppercase();
    text.push('.');
    text
}

/// One structure of a property tree and the path that led to it.
#[derive(Debug, Clone)]
pub struct Properties<'a> {
    path: String,
    members: Option<&'a Map<String, Value>>,
}

impl<'a> Properties<'a> {
    /// The root of a tree. Whatever is no structure reads as one without members.
    pub fn root(value: &'a Value) -> Self {
        Self { path: String::new(), members: value.as_object() }
    }

    /// The full path of a member.
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The member as it is; null counts as absent.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    /// Whether the member is there.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// An error about a member's value.
    pub fn invalid(&self, name: &str, wanted: impl Into<String>) -> PropertyError {
        let value = match self.value(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "(none)".to_owned(),
        };
        PropertyError::Invalid { path: self.path(name), value, wanted: wanted.into() }
    }

    /// The value, or an error that says that the member has to be there.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, PropertyError> {
        value.ok_or_else(|| PropertyError::Missing { path: self.path(name) })
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<String>, PropertyError> {
        self.value(name)
            .map(|value| text_of(value).ok_or_else(|| self.invalid(name, "a text")))
            .transpose()
    }

    /// A text that has to be there and not be empty.
    pub fn needed_text(&self, name: &str) -> Result<String, PropertyError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        self.required(name, text)
    }

    /// A text that a type can be parsed from.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        wanted: &str,
    ) -> Result<Option<T>, PropertyError> {
        self.text(name)?
            .map(|text| text.parse().map_err(|_| self.invalid(name, wanted)))
            .transpose()
    }

    /// A number; NaN and the infinities, which JSON cannot hold, come as texts.
    pub fn number(&self, name: &str) -> Result<Option<f64>, PropertyError> {
        self.value(name)
            .map(|value| number_of(value).ok_or_else(|| self.invalid(name, "a number")))
            .transpose()
    }

    /// A whole number of at least one.
    pub fn count(&self, name: &str) -> Result<Option<u32>, PropertyError> {
        self.parsed(name, "a whole number of at least 1")?
            .map(|count| match count {
                0 => Err(self.invalid(name, "a whole number of at least 1")),
                count => Ok(count),
            })
            .transpose()
    }

    /// A time: ISO 8601, or seconds since 1970.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, PropertyError> {
        self.value(name)
            .map(|value| time_of(value).ok_or_else(|| self.invalid(name, "a time")))
            .transpose()
    }

    /// A structure; one without members when absent.
    #[must_use]
    pub fn structure(&self, name: &str) -> Self {
        Self { path: self.path(name), members: self.value(name).and_then(Value::as_object) }
    }

    /// A list of structures; empty when absent.
    pub fn structures(&self, name: &str) -> Result<Vec<Self>, PropertyError> {
        let members = self.list(name)?.iter().enumerate().map(|(index, value)| Self {
            path: format!("{}.member.{}", self.path(name), index + 1),
            members: value.as_object(),
        });
        Ok(members.collect())
    }

    /// A list of texts; empty when absent.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, PropertyError> {
        let texts = self.list(name)?.iter().map(text_of).collect::<Option<_>>();
        texts.ok_or_else(|| self.invalid(name, "a list of texts"))
    }

    /// A list of numbers; empty when absent.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, PropertyError> {
        let numbers = self.list(name)?.iter().map(number_of).collect::<Option<_>>();
        numbers.ok_or_else(|| self.invalid(name, "a list of numbers"))
    }

    /// A list; a form writes an empty one as an empty text.
    fn list(&self, name: &str) -> Result<&'a [Value], PropertyError> {
        match self.value(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(Value::String(text)) if text.is_empty() => Ok(&[]),
            Some(_) => Err(self.invalid(name, "a list")),
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => from_seconds(number.as_f64()?),
        _ => None,
    }
}

/// The time that many seconds after 1970, to the millisecond.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float saturates, and the range is checked after"
)]
fn from_seconds(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_read_leniently() {
        let tree = json!({"a": "12", "b": 12, "c": "NaN", "d": true, "e": null, "f": []});
        let root = Properties::root(&tree);
        assert_eq!(root.number("a"), Ok(Some(12.0)));
        assert_eq!(root.text("b"), Ok(Some("12".to_owned())));
        assert_eq!(root.count("b"), Ok(Some(12)));
        assert!(root.number("c").is_ok_and(|c| c.is_some_and(f64::is_nan)));
        assert_eq!(root.text("d"), Ok(Some("true".to_owned())));
        assert_eq!(root.text("e"), Ok(None));
        assert!(root.text("f").is_err());
    }

    #[test]
    fn times_read_as_iso_and_as_seconds() {
        let tree = json!({"a": "2019-10-02T17:04:40Z", "b": 1_570_035_880, "c": 1_570_035_880.25, "d": "x", "e": 1e300});
        let root = Properties::root(&tree);
        assert_eq!(root.time("a"), root.time("b"));
        let quarter = root.time("c").expect("a time").expect("there");
        assert_eq!(quarter.as_millisecond(), 1_570_035_880_250);
        assert!(root.time("d").is_err());
        assert!(root.time("e").is_err());
    }

    #[test]
    fn errors_name_the_path() {
        let tree = json!({"L": [{"N": "x"}, {}], "T": "", "C": 0});
        let root = Properties::root(&tree);
        let members = root.structures("L").expect("a list");
        let error = members[1].needed_text("N").expect_err("not there");
        assert_eq!(error.to_string(), "the parameter L.member.2.N is required");
        let error = members[0].number("N").expect_err("no number");
        assert_eq!(
            error.to_string(),
            "the value x for parameter L.member.1.N is invalid: a number expected"
        );
        assert!(root.structures("T").is_ok_and(|list| list.is_empty()));
        assert!(root.needed_text("T").is_err());
        assert!(root.count("C").is_err());
    }
}

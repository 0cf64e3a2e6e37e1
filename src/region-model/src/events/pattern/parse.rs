//! Reads event patterns from JSON.

use serde_json::{Map, Value};

use super::matcher::{Bound, Glob, Matcher, Text};
use super::{Fields, Node, PatternError};

type Result<T> = std::result::Result<T, PatternError>;

fn error<T>(path: &str, fault: impl Into<String>) -> Result<T> {
    Err(PatternError { path: path.to_owned(), fault: fault.into() })
}

/// Reads the pattern of a structure.
pub fn fields(source: &Value, path: &str) -> Result<Fields> {
    let Some(members) = source.as_object() else {
        return error(path, "an object expected");
    };
    if members.is_empty() {
        return error(path, "empty objects are not allowed");
    }
    let mut fields = Fields::default();
    for (name, value) in members {
        let path = if path == "$" { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Array(alternatives) if name == "$or" => fields.any = or(alternatives, &path)?,
            Value::Array(matchers) => {
                fields.all.insert(name.clone(), Node::Leaf(leaf(matchers, &path)?));
            }
            Value::Object(_) => {
                fields.all.insert(name.clone(), Node::Structure(self::fields(value, &path)?));
            }
            _ => return error(&path, "an object or an array expected"),
        }
    }
    Ok(fields)
}

fn or(alternatives: &[Value], path: &str) -> Result<Vec<Fields>> {
    if alternatives.len() < 2 {
        return error(path, "at least two alternatives expected");
    }
    alternatives.iter().map(|alternative| fields(alternative, path)).collect()
}

fn leaf(matchers: &[Value], path: &str) -> Result<Vec<Matcher>> {
    if matchers.is_empty() {
        return error(path, "empty arrays are not allowed");
    }
    matchers.iter().map(|value| matcher(value, path)).collect()
}

fn matcher(value: &Value, path: &str) -> Result<Matcher> {
    match value {
        Value::Object(members) => {
            let (name, argument) = only_member(members, path)?;
            operator(name, argument, path)
        }
        Value::Array(_) => error(path, "a scalar or an operator expected"),
        scalar => Ok(Matcher::Exactly(scalar.clone())),
    }
}

fn only_member<'a>(members: &'a Map<String, Value>, path: &str) -> Result<(&'a str, &'a Value)> {
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => error(path, "exactly one operator expected"),
    }
}

fn operator(name: &str, argument: &Value, path: &str) -> Result<Matcher> {
    match (name, argument) {
        ("exists", Value::Bool(true)) => Ok(Matcher::Present),
        ("exists", Value::Bool(false)) => Ok(Matcher::Absent),
        ("numeric", Value::Array(bounds)) => numeric(bounds, path).map(Matcher::Numeric),
        ("anything-but", argument) => anything_but(argument, path).map(Matcher::AnythingBut),
        _ => textual(name, argument, path),
    }
}

/// The operators on texts, which may also stand under `anything-but`.
fn textual(name: &str, argument: &Value, path: &str) -> Result<Matcher> {
    match (name, argument) {
        ("prefix", argument) => text(argument, path).map(Matcher::Prefix),
        ("suffix", argument) => text(argument, path).map(Matcher::Suffix),
        ("equals-ignore-case", Value::String(text)) => {
            Ok(Matcher::IgnoringCase(text.to_lowercase()))
        }
        ("wildcard", Value::String(form)) => wildcard(form, path).map(Matcher::Wildcard),
        _ => error(path, format!("operator `{name}` is unknown or has a wrong argument")),
    }
}

fn text(argument: &Value, path: &str) -> Result<Text> {
    let (text, exact) = match argument {
        Value::String(text) => (text.clone(), true),
        Value::Object(members) => match only_member(members, path)? {
            ("equals-ignore-case", Value::String(text)) => (text.to_lowercase(), false),
            _ => return error(path, "a text or equals-ignore-case expected"),
        },
        _ => return error(path, "a text or equals-ignore-case expected"),
    };
    Ok(Text { text, exact })
}

fn anything_but(argument: &Value, path: &str) -> Result<Vec<Matcher>> {
    match argument {
        Value::Object(members) => {
            let (name, argument) = only_member(members, path)?;
            match argument {
                Value::Array(list) if !list.is_empty() => {
                    list.iter().map(|argument| textual(name, argument, path)).collect()
                }
                argument => Ok(vec![textual(name, argument, path)?]),
            }
        }
        Value::Array(scalars) if !scalars.is_empty() => {
            scalars.iter().map(|scalar| plain(scalar, path)).collect()
        }
        scalar => Ok(vec![plain(scalar, path)?]),
    }
}

fn plain(scalar: &Value, path: &str) -> Result<Matcher> {
    match scalar {
        Value::String(_) | Value::Number(_) => Ok(Matcher::Exactly(scalar.clone())),
        _ => error(path, "anything-but takes texts, numbers or an operator on texts"),
    }
}

fn numeric(bounds: &[Value], path: &str) -> Result<Vec<(Bound, f64)>> {
    let (pairs, rest) = bounds.as_chunks::<2>();
    if pairs.is_empty() || pairs.len() > 2 || !rest.is_empty() {
        return error(path, "numeric takes one or two pairs of operator and number");
    }
    pairs
        .iter()
        .map(|[operator, limit]| {
            let bound = match operator.as_str() {
                Some("=") => Bound::Equal,
                Some("<") => Bound::Below,
                Some("<=") => Bound::AtMost,
                Some(">") => Bound::Above,
                Some(">=") => Bound::AtLeast,
                _ => return error(path, "unknown numeric operator"),
            };
            let Some(limit) = limit.as_f64() else {
                return error(path, "a number expected after a numeric operator");
            };
            Ok((bound, limit))
        })
        .collect()
}

fn wildcard(form: &str, path: &str) -> Result<Vec<Glob>> {
    let mut steps = Vec::new();
    let mut characters = form.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' if steps.last() == Some(&Glob::Any) => {
                return error(path, "consecutive wildcards are not allowed");
            }
            '*' => steps.push(Glob::Any),
            '\\' => match characters.next() {
                Some(escaped @ ('*' | '\\')) => steps.push(Glob::Is(escaped)),
                _ => return error(path, "only `*` and a backslash can be escaped"),
            },
            character => steps.push(Glob::Is(character)),
        }
    }
    Ok(steps)
}

//! Writes JSON trees as YAML that people like to read and every YAML parser understands.
//!
//! No crate does: people review the template, so a thing's type comes before its properties, short
//! lists stay on their line, and nothing is quoted that needs no quotes in YAML 1.1 or 1.2.

use std::cmp::Reverse;

use serde_json::{Map, Value};

/// Keys that come first in a map, whatever the alphabet says: what a thing is, then what it allows.
const FIRST: [&str; 8] =
    ["Version", "Type", "Description", "Sid", "Effect", "Principal", "Action", "Resource"];

/// The longest list that stays on its key's line.
const WIDEST_LIST: usize = 72;

/// Words that YAML 1.1 or 1.2 reads as something other than a text.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Appends `key: value` with its line ends, `indent` spaces from the left.
pub fn write_entry(out: &mut String, indent: usize, key: &str, value: &Value) {
    pad(out, indent);
    out.push_str(&text(key));
    out.push(':');
    if let Some(inline) = inline(value) {
        out.push(' ');
        out.push_str(&inline);
        out.push('\n');
    } else {
        out.push('\n');
        write_block(out, indent + 2, value);
    }
}

/// What fits on one line: scalars, empty things and short lists of scalars.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(string) => Some(text(string)),
        Value::Array(items) => {
            let scalars = items.iter().filter(|item| !item.is_array()).map(inline);
            let list = format!("[{}]", scalars.collect::<Option<Vec<_>>>()?.join(", "));
            let all = items.iter().all(|item| !item.is_array());
            (all && list.len() <= WIDEST_LIST).then_some(list)
        }
        Value::Object(map) => map.is_empty().then(|| "{}".to_owned()),
    }
}

fn write_block(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in in_order(map) {
                write_entry(out, indent, key, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                write_item(out, indent, item);
            }
        }
        scalar => {
            pad(out, indent);
            out.push_str(&scalar.to_string());
            out.push('\n');
        }
    }
}

fn write_item(out: &mut String, indent: usize, item: &Value) {
    if let Some(inline) = inline(item) {
        pad(out, indent);
        out.push_str("- ");
        out.push_str(&inline);
        out.push('\n');
    } else {
        // The dash stands in the indent of the item's first line.
        let dash = out.len() + indent;
        write_block(out, indent + 2, item);
        out.replace_range(dash..=dash, "-");
    }
}

fn in_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |key: &str| FIRST.iter().rev().position(|first| *first == key);
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| (Reverse(rank(key)), *key));
    entries
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// The text as it is where YAML can take it for nothing else, in double quotes otherwise (JSON's
/// escapes are YAML's too).
fn text(string: &str) -> String {
    let plain = string.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && string.chars().all(|c| c.is_ascii_alphanumeric() || " _./:@-".contains(c))
        && !string.contains(": ")
        && !string.ends_with([':', ' '])
        && !RESERVED.contains(&string.to_ascii_lowercase().as_str());
    if plain { string.to_owned() } else { Value::from(string).to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        write_entry(&mut out, 0, "Root", value);
        out
    }

    #[test]
    fn what_a_thing_is_comes_first_and_short_lists_stay_on_the_line() {
        let tree = json!({
            "Properties": {"B": [1, 2], "A": "x"},
            "Type": "AWS::SNS::Topic",
            "List": [{"Value": 1, "Effect": "Allow"}, [["deep"]]],
            "Empty": {},
        });
        let expected = "\
Root:
  Type: AWS::SNS::Topic
  Empty: {}
  List:
    - Effect: Allow
      Value: 1
    - - [deep]
  Properties:
    A: x
    B: [1, 2]
";
        assert_eq!(written(&tree), expected);
    }

    #[test]
    fn what_yaml_would_misread_is_quoted() {
        let cases = [
            ("no", "\"no\""),
            ("Yes", "\"Yes\""),
            ("2012-10-17", "\"2012-10-17\""),
            ("", "\"\""),
            ("*", "\"*\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("${A}", "\"${A}\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("rate(1 minute)", "\"rate(1 minute)\""),
            ("AWS::Lambda::Function", "AWS::Lambda::Function"),
            ("/opt/vipward.toml", "/opt/vipward.toml"),
        ];
        for (string, expected) in cases {
            assert_eq!(text(string), expected);
        }
    }

    fn trees() -> impl Strategy<Value = Value> {
        let scalars = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~éß→\n\t]{0,12}".prop_map(Value::from),
            prop::sample::select(&RESERVED[..]).prop_map(Value::from),
        ];
        scalars.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_yaml_parser_reads_back_what_was_written(tree in trees()) {
            let read: Value = serde_saphyr::from_str(&written(&tree)).expect("it is YAML");
            prop_assert_eq!(read, json!({"Root": tree}));
        }
    }
}

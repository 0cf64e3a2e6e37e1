//! AWS Query: a form in, XML out, `member` around what is in lists.

use serde_json::{Map, Value};

use super::answer::Answer;
use crate::wire::ApiError;
use crate::wire::xml::Xml;

const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// Names longer than this are no parameter of any operation; it bounds the depth of the tree.
const DEEPEST: usize = 12;

/// Reads a form into the operation and a tree of texts: `A.B=x` is a structure, `A.member.1=x` a
/// list.
pub fn decode(body: &[u8]) -> Result<(String, Value), String> {
    let mut tree = Map::new();
    let mut operation = String::new();
    for (name, value) in form_urlencoded::parse(body) {
        let steps: Vec<&str> = name.split('.').collect();
        match steps[..] {
            ["Action"] => operation = value.into_owned(),
            ["Version"] => {}
            _ if steps.len() > DEEPEST => {
                return Err(format!("parameter {name} is nested too deeply"));
            }
            _ => insert(&mut tree, &steps, value.into_owned()),
        }
    }
    let members = tree.into_iter().map(|(name, value)| (name, gather(value)));
    Ok((operation, Value::Object(members.collect())))
}

fn insert(tree: &mut Map<String, Value>, steps: &[&str], value: String) {
    let [step, rest @ ..] = steps else { return };
    if rest.is_empty() {
        tree.insert((*step).to_owned(), Value::String(value));
        return;
    }
    let below = tree.entry(*step).or_insert_with(|| Value::Object(Map::new()));
    if let Some(below) = below.as_object_mut() {
        insert(below, rest, value);
    }
}

/// Turns structures of the form `{member: {1: a, 2: b}}` into lists, by number.
fn gather(value: Value) -> Value {
    let Value::Object(mut members) = value else {
        return value;
    };
    if let (1, Some(Value::Object(numbered))) = (members.len(), members.get_mut("member")) {
        let mut numbered: Vec<(u32, Value)> = std::mem::take(numbered)
            .into_iter()
            .filter_map(|(number, value)| Some((number.parse().ok()?, gather(value))))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        return numbered.into_iter().map(|(_, value)| value).collect();
    }
    Value::Object(members.into_iter().map(|(name, value)| (name, gather(value))).collect())
}

pub fn encode(operation: &str, answer: Option<&Answer>, request_id: &str) -> String {
    Xml::document(&format!("{operation}Response"), Some(NAMESPACE), |xml| {
        if let Some(answer) = answer {
            write(xml, &format!("{operation}Result"), answer);
        }
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    })
}

pub fn encode_error(error: &ApiError, request_id: &str) -> String {
    Xml::document("ErrorResponse", Some(NAMESPACE), |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", if error.status < 500 { "Sender" } else { "Receiver" });
            xml.text("Code", &error.code);
            xml.text("Message", &error.message);
        });
        xml.text("RequestId", request_id);
    })
}

fn write(xml: &mut Xml, name: &str, answer: &Answer) {
    match answer {
        Answer::Text(text) => xml.text(name, text),
        Answer::Whole(number) => xml.text(name, number),
        Answer::Number(number) => xml.text(name, format_args!("{number:?}")),
        Answer::Flag(flag) => xml.text(name, flag),
        Answer::Time(at) => xml.text(name, at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")),
        Answer::List(values) => xml.element(name, |xml| {
            for value in values {
                write(xml, "member", value);
            }
        }),
        Answer::Structure(members) => xml.element(name, |xml| {
            for (name, value) in members {
                write(xml, name, value);
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_reads_as_a_tree() {
        let body = b"Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.2.MetricName=b\
            &MetricData.member.1.MetricName=a&MetricData.member.10.MetricName=c\
            &MetricData.member.1.Dimensions.member.1.Name=S&MetricData.member.1.StatisticValues.Sum=2&Empty=";
        let (operation, tree) = decode(body).expect("a form");
        assert_eq!(operation, "PutMetricData");
        let first = json!({
            "MetricName": "a", "Dimensions": [{"Name": "S"}], "StatisticValues": {"Sum": "2"},
        });
        let data = json!([first, {"MetricName": "b"}, {"MetricName": "c"}]);
        assert_eq!(tree, json!({"Namespace": "N", "MetricData": data, "Empty": ""}));
    }

    #[test]
    fn forms_that_contradict_themselves_do_no_harm() {
        let (_, tree) = decode(b"A=x&A.B=y&L.member.x=1&L.member.2=2&member=3").expect("a form");
        assert_eq!(tree, json!({"A": "x", "L": ["2"], "member": "3"}));
        assert!(decode("a.".repeat(100).as_bytes()).is_err());
    }

    #[test]
    fn answers_and_errors_have_the_shape_of_aws() {
        let answer = Answer::Structure(vec![("Values", Answer::List(vec![Answer::Number(1.0)]))]);
        let text = encode("GetX", Some(&answer), "r");
        assert!(text.ends_with(
            "<GetXResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetXResult><Values><member>1.0\
             </member></Values></GetXResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetXResponse>"
        ));
        let text = encode_error(&ApiError::new("InvalidParameterValue", 400, "no"), "r");
        assert!(text.ends_with(
            "<Error><Type>Sender</Type><Code>InvalidParameterValue</Code><Message>no</Message></Error>\
             <RequestId>r</RequestId></ErrorResponse>"
        ));
    }
}

//! Smithy's RPC v2 CBOR, which the AWS SDKs speak: `POST /service/<Service>/operation/<Operation>`.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use super::answer::{Answer, epoch_seconds};

/// The tag of a time in seconds since 1970.
const EPOCH: u64 = 1;

/// Reads a request's body; an empty one is a structure without members.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value: Cbor = ciborium::from_reader(body).map_err(|error| error.to_string())?;
    to_json(value)
}

fn to_json(value: Cbor) -> Result<Value, String> {
    Ok(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Text(text) => Value::String(text),
        Cbor::Integer(number) => i64::try_from(i128::from(number))
            .map(Value::from)
            .map_err(|_| "integer out of range".to_owned())?,
        // JSON has no NaN and no infinity; a reader of numbers takes them from a text.
        Cbor::Float(number) => Number::from_f64(number)
            .map_or_else(|| Value::String(number.to_string()), Value::Number),
        Cbor::Tag(EPOCH, seconds) => to_json(*seconds)?,
        Cbor::Array(values) => {
            Value::Array(values.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        Cbor::Map(members) => {
            let members = members.into_iter().map(|(name, value)| match name {
                Cbor::Text(name) => Ok((name, to_json(value)?)),
                _ => Err("a member's name is no text".to_owned()),
            });
            Value::Object(members.collect::<Result<_, String>>()?)
        }
        _ => return Err("a type that no operation takes".to_owned()),
    })
}

pub fn encode(answer: &Answer) -> Vec<u8> {
    let mut body = Vec::new();
    ciborium::into_writer(&from_answer(answer), &mut body).expect("a vector takes every write");
    body
}

fn from_answer(answer: &Answer) -> Cbor {
    match answer {
        Answer::Text(text) => Cbor::Text(text.clone()),
        Answer::Whole(number) => Cbor::Integer((*number).into()),
        Answer::Number(number) => Cbor::Float(*number),
        Answer::Flag(flag) => Cbor::Bool(*flag),
        Answer::Time(at) => Cbor::Tag(EPOCH, Box::new(Cbor::Float(epoch_seconds(*at)))),
        Answer::List(values) => Cbor::Array(values.iter().map(from_answer).collect()),
        Answer::Structure(members) => {
            let members = members.iter();
            Cbor::Map(
                members
                    .map(|(name, value)| (Cbor::Text((*name).to_owned()), from_answer(value)))
                    .collect(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_and_odd_numbers_read_as_json_can_hold_them() {
        let time = Cbor::Tag(1, Box::new(Cbor::Float(1.5)));
        let mut body = Vec::new();
        let members = [
            ("At", time),
            ("Value", Cbor::Float(f64::NAN)),
            ("Many", Cbor::Array(vec![Cbor::from(3)])),
        ];
        let members = members.map(|(name, value)| (Cbor::Text(name.to_owned()), value));
        ciborium::into_writer(&Cbor::Map(members.into()), &mut body).expect("writes");
        assert_eq!(decode(&body), Ok(json!({"At": 1.5, "Value": "NaN", "Many": [3]})));
        assert_eq!(decode(&[]), Ok(json!({})));
    }

    #[test]
    fn an_indefinite_map_as_the_sdk_sends_it_is_read() {
        let body = b"\xbf\x69Namespace\x61N\xff";
        assert_eq!(decode(body), Ok(json!({"Namespace": "N"})));
    }

    #[test]
    fn bodies_that_are_no_requests_are_refused() {
        for body in [
            &b"\xbf"[..],
            b"\xa1\x01\x02",
            b"\x41x",
            b"\xc0\x61x",
            b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(decode(body).is_err(), "{body:x?}");
        }
    }

    #[test]
    fn times_are_tagged_and_wholes_are_whole() {
        let at = "1970-01-01T00:00:02.5Z".parse().expect("a time");
        let body =
            encode(&Answer::Structure(vec![("T", Answer::Time(at)), ("P", Answer::Whole(10))]));
        assert_eq!(body, b"\xa2\x61T\xc1\xf9\x41\x00\x61P\x0a");
    }
}

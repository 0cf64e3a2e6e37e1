//! AWS JSON 1.0: the operation in `X-Amz-Target`, the rest in the body.

use serde_json::{Map, Value, json};

use super::answer::{Answer, epoch_seconds};

/// Reads a request's body; an empty one is a structure without members.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

pub fn encode(answer: &Answer) -> Vec<u8> {
    from_answer(answer).to_string().into_bytes()
}

fn from_answer(answer: &Answer) -> Value {
    match answer {
        Answer::Text(text) => json!(text),
        Answer::Whole(number) => json!(number),
        Answer::Number(number) => json!(number),
        Answer::Flag(flag) => json!(flag),
        Answer::Time(at) => json!(epoch_seconds(*at)),
        Answer::List(values) => values.iter().map(from_answer).collect(),
        Answer::Structure(members) => Value::Object(
            members.iter().map(|(name, value)| ((*name).to_owned(), from_answer(value))).collect(),
        ),
    }
}

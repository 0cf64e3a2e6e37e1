//! One thing that happened, whoever told it: the entries of the merged log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The lab's own records.
pub const LAB: &str = "lab";
/// The region's journal.
pub const REGION: &str = "region";
/// The client's observations.
pub const CLIENT: &str = "client";

/// Fields of structured logs that say nothing to people.
const UNTOLD: [&str; 2] = ["level", "target"];

/// One entry of the merged log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened, by the clock that all parts share.
    pub at: Timestamp,
    /// Who told it: `lab`, `region`, `client`, `agent node-1`, `alias node-1`, `service redis
    /// node-1`.
    pub by: String,
    /// What happened: a journal's `event`, a log's `message`, or `said` for plain text.
    pub what: String,
    /// Everything else that was told.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl Record {
    /// A record of the lab itself; `fields` is a JSON object.
    pub fn of_lab(at: Timestamp, what: &str, fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Self { at, by: LAB.to_owned(), what: what.to_owned(), fields }
    }

    /// Reads a line that a part wrote: a journal line (`at`, `event`), a structured log line
    /// (`timestamp`, `message`) or plain text, which gets the time of its arrival.
    pub fn parse(by: &str, line: &str, arrived: Timestamp) -> Self {
        let by = by.to_owned();
        let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
            let fields = Map::from_iter([("line".to_owned(), Value::from(line))]);
            return Self { at: arrived, by, what: "said".to_owned(), fields };
        };
        let mut take = |keys: [&str; 2]| {
            keys.into_iter().find_map(|key| match fields.remove(key) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            })
        };
        let at = take(["at", "timestamp"]).and_then(|at| at.parse().ok()).unwrap_or(arrived);
        let what = take(["event", "message"]).unwrap_or_else(|| "said".to_owned());
        Self { at, by, what, fields }
    }

    pub fn is(&self, by: &str, what: &str) -> bool {
        self.by == by && self.what == what
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(Value::as_str)
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.fields.get(key).and_then(Value::as_u64)
    }

    /// What a function wrote as one JSON object of that kind (`decision`, `stage`).
    pub fn function_record(&self, kind: &str) -> Option<Value> {
        if !self.is(REGION, "function-log") {
            return None;
        }
        let said: Value = serde_json::from_str(self.text("line")?).ok()?;
        (said.get("record")?.as_str() == Some(kind)).then_some(said)
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = self.at.strftime("%H:%M:%S.%3f");
        write!(f, "{time} {:<16} {}", self.by, self.what)?;
        if let Some(decision) = self.function_record("decision") {
            for key in ["service", "wake", "outcome", "choice", "judgements"] {
                write!(f, " {key}={}", decision[key])?;
            }
            return Ok(());
        }
        for (key, value) in self.fields.iter().filter(|(key, _)| !UNTOLD.contains(&key.as_str())) {
            match value {
                Value::String(text) => write!(f, " {key}={text}")?,
                other => write!(f, " {key}={other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVED: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn journals_logs_and_plain_text_become_records_alike() {
        for (line, what, at) in [
            (r#"{"at":"2026-01-01T00:00:01Z","event":"assigned","eni":"e"}"#, "assigned", 1),
            (r#"{"timestamp":"2026-01-01T00:00:02Z","message":"hint sent"}"#, "hint sent", 2),
        ] {
            let record = Record::parse("x", line, ARRIVED);
            assert_eq!(record.what, what);
            assert_eq!(record.at.as_second() % 60, at);
        }
        let plain = Record::parse("x", "panicked [", ARRIVED);
        assert_eq!((plain.text("line"), plain.at), (Some("panicked ["), ARRIVED));
    }

    #[test]
    fn a_function_record_is_found_by_its_kind() {
        let line = r#"{"event":"function-log","function":"f","line":"{\"record\":\"stage\",\"stage\":\"proven\"}"}"#;
        let record = Record::parse(REGION, line, ARRIVED);
        assert_eq!(record.function_record("decision"), None);
        assert_eq!(record.function_record("stage").expect("is one")["stage"], "proven");
    }
}

//! What the merged log says about the cluster: who holds what, who answers, what was decided.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::Value;
use vipward_core::NodeName;
use vipward_core::telemetry::FUNCTION_SOURCE;

use crate::record::{CLIENT, LAB, REGION, Record};

/// How many lines of a process that ended by itself are shown.
const LAST_LINES: usize = 5;

/// A VIP came to an interface that did not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub index: usize,
    /// When EC2 took the call.
    pub at: Timestamp,
    pub eni: String,
}

/// Every time that `vip` came to an interface that did not have it, in order.
///
/// A call that is repeated because its answer was lost brings the VIP to where it is: that is no
/// move.
pub fn moves(records: &[Record], vip: Ipv4Addr) -> Vec<Move> {
    let vip = vip.to_string();
    let (mut moves, mut holder) = (Vec::new(), None);
    for (index, record) in records.iter().enumerate().filter(|(_, record)| mentions(record, &vip)) {
        let now = record.text("eni").filter(|_| record.what != "unassigned");
        if let Some(eni) = now.filter(|_| record.is(REGION, "assigned") && now != holder) {
            moves.push(Move { index, at: record.at, eni: eni.to_owned() });
        }
        holder = now;
    }
    moves
}

pub fn mentions(record: &Record, address: &str) -> bool {
    let addresses = record.fields.get("addresses").and_then(Value::as_array);
    addresses.is_some_and(|addresses| addresses.iter().any(|one| one.as_str() == Some(address)))
}

/// The interface that holds each VIP: as it was given at the start, and moved since.
pub fn holders(records: &[Record]) -> BTreeMap<String, String> {
    let mut holders = BTreeMap::new();
    for record in records {
        let addresses = record.fields.get("addresses").and_then(Value::as_array);
        let addresses = addresses.into_iter().flatten().filter_map(Value::as_str);
        match (record.by.as_str(), record.what.as_str(), record.text("eni")) {
            (LAB, "holder given", Some(eni)) | (REGION, "assigned", Some(eni)) => {
                holders.extend(addresses.map(|one| (one.to_owned(), eni.to_owned())));
            }
            (REGION, "unassigned", _) => addresses.for_each(|one| {
                holders.remove(one);
            }),
            _ => {}
        }
    }
    holders
}

/// What clients of a service last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Served(String),
    Lost(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Served(node) => write!(f, "{node} answers"),
            Self::Lost(cause) => write!(f, "nobody answers: {cause}"),
        }
    }
}

/// The last word of the client on a service.
pub fn answer(records: &[Record], service: &str) -> Option<Answer> {
    let about = |record: &&Record| record.by == CLIENT && record.text("service") == Some(service);
    let last = records.iter().rev().find(about)?;
    match last.what.as_str() {
        "served" => last.text("node").map(|node| Answer::Served(node.to_owned())),
        _ => Some(Answer::Lost(last.text("cause").unwrap_or("no answer").to_owned())),
    }
}

/// A decision of the function about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When the function told it.
    pub at: Timestamp,
    /// `moved`, `held`, `observed`, `overtaken`, `failed` or `unproven`.
    pub outcome: String,
    pub hold: Option<String>,
    pub record: Value,
}

impl Decision {
    /// What the function knew a node to say of its own service: `healthy`, `unhealthy`, `unknown`.
    pub fn self_observation(&self, node: &NodeName) -> Option<&str> {
        let is = |one: &&Value, key: &str| one[key] == node.as_str();
        let known = self.record["evidence"]["words"].as_array()?;
        let own = known.iter().find(|one| is(one, "observer") && is(one, "subject"))?;
        own["verdict"].as_str()
    }
}

/// The decisions about a service, in order.
pub fn decisions(records: &[Record], service: &str) -> Vec<Decision> {
    let told =
        records.iter().filter_map(|entry| Some((entry.at, entry.function_record("decision")?)));
    told.filter(|(_, record)| record["service"] == service)
        .map(|(at, record)| Decision {
            at,
            outcome: text(&record["outcome"]).unwrap_or_default(),
            hold: text(&record["choice"]["hold"]["reason"]),
            record,
        })
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

/// How often an injected fault took effect.
pub fn faults(records: &[Record], on: &str, kind: &str) -> usize {
    let took_effect = |record: &&Record| {
        record.is(REGION, "fault")
            && record.text("on") == Some(on)
            && record.text("kind") == Some(kind)
    };
    records.iter().filter(took_effect).count()
}

/// How many events of a detail type the function put.
pub fn notices(records: &[Record], kind: &str) -> usize {
    put(records).filter(|record| record.text("detail_type") == Some(kind)).count()
}

/// The kinds of the alerts that the function put, in order.
pub fn alerts(records: &[Record]) -> Vec<String> {
    put(records).filter_map(|record| record.text("alert")).map(ToOwned::to_owned).collect()
}

/// The function's events.
fn put(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| {
        record.is(REGION, "event-put") && record.text("source") == Some(FUNCTION_SOURCE)
    })
}

/// What IAM refused: the caller's access key and the action, each as often as it happened.
pub fn denials(records: &[Record]) -> Vec<(String, String)> {
    let denied = records.iter().filter(|record| record.is(REGION, "denied"));
    let told = denied.filter_map(|record| {
        Some((record.text("principal")?.to_owned(), record.text("action")?.to_owned()))
    });
    told.collect()
}

/// The process that ended although nobody killed it, how, and its last words.
pub fn crashed(records: &[Record]) -> Option<String> {
    let fell = records.iter().find(|record| record.is(LAB, "process ended by itself"))?;
    let (process, status) = (fell.text("process")?, fell.text("status").unwrap_or_default());
    let said = records.iter().rev().filter(|record| record.is(process, "said"));
    let mut told = vec![format!("{process} ended by itself: {status}")];
    let said: Vec<&str> = said.filter_map(|record| record.text("line")).take(LAST_LINES).collect();
    told.extend(said.into_iter().rev().map(ToOwned::to_owned));
    Some(told.join("\n    "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 201);

    fn record(by: &str, what: &str, fields: Value) -> Record {
        let mut record = Record::of_lab(Timestamp::UNIX_EPOCH, what, fields);
        record.by = by.to_owned();
        record
    }

    fn assigned(eni: &str, from: &Value) -> Record {
        record(REGION, "assigned", json!({"eni": eni, "addresses": [VIP], "from": from}))
    }

    #[test]
    fn only_a_change_of_hands_is_a_move() {
        let given = record(LAB, "holder given", json!({"eni": "eni-1", "addresses": [VIP]}));
        let again = assigned("eni-2", &json!({}));
        let records = [given, assigned("eni-1", &json!({})), again.clone(), again];
        let told: Vec<_> =
            moves(&records, VIP).into_iter().map(|one| (one.index, one.eni)).collect();
        assert_eq!(told, [(2, "eni-2".to_owned())]);
        assert_eq!(moves(&records, Ipv4Addr::LOCALHOST), []);
    }

    #[test]
    fn the_holder_is_the_last_to_be_given_the_vip() {
        let given = record(LAB, "holder given", json!({"eni": "eni-1", "addresses": [VIP]}));
        let gone = record(REGION, "unassigned", json!({"eni": "eni-2", "addresses": [VIP]}));
        let mut records = vec![given];
        assert_eq!(holders(&records)["172.31.0.201"], "eni-1");
        records.push(assigned("eni-2", &json!({"172.31.0.201": "eni-1"})));
        assert_eq!(holders(&records)["172.31.0.201"], "eni-2");
        records.push(gone);
        assert!(holders(&records).is_empty());
    }

    #[test]
    fn the_clients_last_word_on_a_service_counts() {
        let records = [
            record(CLIENT, "served", json!({"service": "a", "node": "node-1"})),
            record(CLIENT, "lost", json!({"service": "b", "cause": "refused"})),
        ];
        assert_eq!(answer(&records, "a"), Some(Answer::Served("node-1".into())));
        assert_eq!(answer(&records, "b"), Some(Answer::Lost("refused".into())));
        assert_eq!(answer(&records, "c"), None);
    }

    #[test]
    fn faults_count_by_place_and_kind() {
        let fault = |kind: &str| record(REGION, "fault", json!({"on": "ec2:X", "kind": kind}));
        let records = [fault("error"), fault("stale"), fault("error")];
        assert_eq!(faults(&records, "ec2:X", "error"), 2);
        assert_eq!(faults(&records, "ec2:Y", "error"), 0);
    }

    #[test]
    fn only_what_the_function_puts_is_a_notice() {
        let put = |source: &str, kind: &str| {
            record(REGION, "event-put", json!({"source": source, "detail_type": kind}))
        };
        let records = [
            put("vipward.function", "Vipward Move"),
            put("vipward.agent.lab.node-1", "Vipward Alert"),
            put("vipward.function", "Vipward Alert"),
        ];
        assert_eq!(notices(&records, "Vipward Move"), 1);
        assert_eq!(notices(&records, "Vipward Alert"), 1);
    }

    #[test]
    fn alerts_are_told_by_their_kind() {
        let put = |source: &str| {
            let kind = "Vipward Alert";
            let fields = json!({"source": source, "detail_type": kind, "alert": "no-standby"});
            record(REGION, "event-put", fields)
        };
        let records = [put("vipward.function"), put("vipward.agent.lab.node-1")];
        assert_eq!(alerts(&records), ["no-standby"]);
    }

    #[test]
    fn denials_are_told_with_caller_and_action() {
        let fields = json!({"action": "events:PutEvents", "principal": "A", "resource": "*"});
        let records =
            [record(REGION, "denied", fields.clone()), record("agent node-1", "denied", fields)];
        assert_eq!(denials(&records), [("A".to_owned(), "events:PutEvents".to_owned())]);
    }

    #[test]
    fn decisions_are_read_from_the_functions_log() {
        let line = json!({
            "record": "decision", "service": "svc", "outcome": "held",
            "choice": {"hold": {"reason": "no-candidate"}},
        });
        let records = [record(REGION, "function-log", json!({"line": line.to_string()}))];
        let decided = decisions(&records, "svc");
        assert_eq!(decided[0].hold.as_deref(), Some("no-candidate"));
        assert_eq!(decided[0].outcome, "held");
        assert!(decisions(&records, "other").is_empty());
    }

    #[test]
    fn who_ended_by_itself_is_told_with_its_last_words() {
        assert_eq!(crashed(&[]), None);
        let said = |line: &str| record("alias node-1", "said", json!({ "line": line }));
        let fell = json!({"process": "alias node-1", "status": "exit status: 3"});
        let records = [
            said("error: no such"),
            said("hint: look"),
            record(LAB, "process ended by itself", fell),
        ];
        let told = crashed(&records).expect("is told");
        assert_eq!(
            told,
            "alias node-1 ended by itself: exit status: 3\n    error: no such\n    hint: look"
        );
    }
}

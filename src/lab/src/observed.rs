//! What the merged log says about the cluster: who holds what, who answers, what was decided.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde_json::Value;

use crate::record::{CLIENT, LAB, REGION, Record};

/// A VIP came to an interface that did not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// When EC2 took the call.
    pub at: Timestamp,
    /// The interface that has it now.
    pub eni: String,
}

/// Every time that `vip` changed hands, in order.
pub fn moves(records: &[Record], vip: Ipv4Addr) -> Vec<Move> {
    let vip = vip.to_string();
    let assigned = records
        .iter()
        .filter(|record| record.is(REGION, "assigned"));
    assigned
        .filter(|record| names(record, &vip))
        .filter_map(|record| {
            let eni = record.text("eni")?;
            let from = record.fields.get("from").and_then(|from| from.get(&vip));
            let changed = from.and_then(Value::as_str) != Some(eni);
            changed.then(|| Move {
                at: record.at,
                eni: eni.to_owned(),
            })
        })
        .collect()
}

/// Whether a record of the region is about an address.
pub fn names(record: &Record, address: &str) -> bool {
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
    /// That node answers.
    Served(String),
    /// Nobody does.
    Lost(String),
}

/// The last word of the client on a service.
pub fn answer(records: &[Record], service: &str) -> Option<Answer> {
    let about = |record: &&Record| record.by == CLIENT && record.text("service") == Some(service);
    let last = records.iter().rev().find(about)?;
    match last.what.as_str() {
        "served" => last
            .text("node")
            .map(|node| Answer::Served(node.to_owned())),
        _ => Some(Answer::Lost(
            last.text("cause").unwrap_or("no answer").to_owned(),
        )),
    }
}

/// A decision of the function about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// When the function told it.
    pub at: Timestamp,
    /// `moved`, `held`, `observed`, `overtaken`, `failed` or `unproven`.
    pub outcome: String,
    /// Why it held.
    pub hold: Option<String>,
    /// The whole record.
    pub record: Value,
}

/// The decisions about a service, in order.
pub fn decisions(records: &[Record], service: &str) -> Vec<Decided> {
    let told = records
        .iter()
        .filter_map(|entry| Some((entry.at, entry.function_record("decision")?)));
    told.filter(|(_, record)| record["service"] == service)
        .map(|(at, record)| Decided {
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

/// The process that ended although nobody killed it, and how.
pub fn fallen(records: &[Record]) -> Option<String> {
    let fell = records
        .iter()
        .find(|record| record.is(LAB, "process ended by itself"))?;
    let (process, status) = (
        fell.text("process")?,
        fell.text("status").unwrap_or_default(),
    );
    Some(format!("{process} ended by itself: {status}"))
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
        record(
            REGION,
            "assigned",
            json!({"eni": eni, "addresses": [VIP], "from": from}),
        )
    }

    #[test]
    fn only_a_change_of_hands_is_a_move() {
        let records = [
            assigned("eni-1", &json!({})),
            assigned("eni-1", &json!({"172.31.0.201": "eni-1"})),
            assigned("eni-2", &json!({"172.31.0.201": "eni-1"})),
        ];
        let enis: Vec<_> = moves(&records, VIP)
            .into_iter()
            .map(|one| one.eni)
            .collect();
        assert_eq!(enis, ["eni-1", "eni-2"]);
        assert_eq!(moves(&records, Ipv4Addr::LOCALHOST), []);
    }

    #[test]
    fn the_holder_is_the_last_to_be_given_the_vip() {
        let given = record(
            LAB,
            "holder given",
            json!({"eni": "eni-1", "addresses": [VIP]}),
        );
        let gone = record(
            REGION,
            "unassigned",
            json!({"eni": "eni-2", "addresses": [VIP]}),
        );
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
    fn decisions_are_read_from_the_functions_log() {
        let line = json!({
            "record": "decision", "service": "svc", "outcome": "held",
            "choice": {"hold": {"reason": "no-candidate"}},
        });
        let records = [record(
            REGION,
            "function-log",
            json!({"line": line.to_string()}),
        )];
        let decided = decisions(&records, "svc");
        assert_eq!(decided[0].hold.as_deref(), Some("no-candidate"));
        assert_eq!(decided[0].outcome, "held");
        assert!(decisions(&records, "other").is_empty());
    }
}

//! When a cluster is ready to be broken.

use std::collections::BTreeSet;

use serde_json::Value;
use vipward_core::telemetry::AlarmName;

use crate::layout::{HostKind, Layout, ServicePlan};
use crate::observed::{self, Answer};
use crate::record::{REGION, Record};

/// What a cluster still lacks; empty when it is ready.
pub fn missing(records: &[Record], layout: &Layout) -> Vec<String> {
    let mut missing = Vec::new();
    for host in layout.hosts.iter().filter(|host| host.kind != HostKind::Client) {
        let agent = format!("agent {}", host.name);
        if !records.iter().any(|record| record.is(&agent, "agent started")) {
            missing.push(agent);
        }
    }
    let alarms = layout.alarms();
    let ok = alarms.iter().filter(|alarm| state(records, alarm) == Some("OK")).count();
    if ok < alarms.len() {
        missing.push(format!("{} of {} alarms to be OK", alarms.len() - ok, alarms.len()));
    }
    if !at_rest(records) {
        missing.push("the first events to be handled".to_owned());
    }
    let holders = observed::holders(records);
    let decides =
        |service: &ServicePlan| !observed::decisions(records, service.name.as_str()).is_empty();
    if !layout.services.iter().all(decides) {
        missing.push("a decision of the function".to_owned());
    }
    for service in &layout.services {
        if !holders.contains_key(&service.vip.to_string()) {
            missing.push(format!("a holder of {}", service.name));
        } else if !matches!(
            observed::answer(records, service.name.as_str()),
            Some(Answer::Served(_))
        ) {
            missing.push(format!("an answer of {}", service.name));
        }
    }
    missing
}

/// Whether the function is through with what the alarms' changes have brought it: otherwise it
/// would be busy with the past when something breaks.
fn at_rest(records: &[Record]) -> bool {
    let of_region = |what: &'static str| records.iter().filter(move |r| r.is(REGION, what));
    let ours = |record: &&Record| {
        record.text("alarm").is_some_and(|name| name.parse::<AlarmName>().is_ok())
    };
    let to_function =
        |record: &&Record| record.text("function").is_some_and(|name| !name.contains(':'));
    let changes = of_region("alarm-state").filter(ours).count();
    let deliveries = of_region("event-delivered").filter(to_function).count();
    let answered =
        |record: &&Record| record.fields.get("ok").and_then(Value::as_bool) == Some(true);
    let done =
        of_region("invocation-ended").filter(answered).chain(of_region("invocation-dropped"));
    let done: BTreeSet<_> = done.filter_map(|record| record.text("request_id")).collect();
    deliveries >= changes && done.len() >= deliveries
}

/// The state that an alarm last changed to.
fn state<'r>(records: &'r [Record], alarm: &str) -> Option<&'r str> {
    let changes = records.iter().rev().filter(|record| record.is(REGION, "alarm-state"));
    changes
        .filter(|change| change.text("alarm") == Some(alarm))
        .find_map(|change| change.text("to"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::fabric_kind::FabricKind;
    use crate::layout::ClusterSpec;

    fn record(by: &str, what: &str, fields: Value) -> Record {
        let mut record = Record::of_lab(Timestamp::UNIX_EPOCH, what, fields);
        record.by = by.to_owned();
        record
    }

    #[test]
    fn ready_is_when_agents_run_alarms_are_ok_vips_are_held_and_clients_are_served() {
        let layout = Layout::new(ClusterSpec::default(), FabricKind::Namespaces);
        let mut records = vec![
            record("agent node-1", "agent started", json!({})),
            record("agent node-2", "agent started", json!({})),
        ];
        let lacks = ["2 of 2 alarms to be OK", "a decision of the function", "a holder of svc"];
        assert_eq!(missing(&records, &layout), lacks);
        let line = r#"{"record":"decision","service":"svc","outcome":"held"}"#;
        records.push(record(REGION, "function-log", json!({ "line": line })));
        for (n, alarm) in layout.alarms().into_iter().enumerate() {
            let (id, function) = (n.to_string(), "failover");
            records.push(record(REGION, "alarm-state", json!({"alarm": alarm, "to": "OK"})));
            records.push(record(REGION, "event-delivered", json!({ "function": function })));
            records.push(record(REGION, "invocation-ended", json!({"request_id": id, "ok": true})));
        }
        let given = json!({"eni": "eni-1", "addresses": ["172.31.0.201"]});
        records.push(record("lab", "holder given", given));
        assert_eq!(missing(&records, &layout), ["an answer of svc"]);
        records.push(record("client", "served", json!({"service": "svc", "node": "node-1"})));
        assert_eq!(missing(&records, &layout), Vec::<String>::new());
    }

    #[test]
    fn a_function_that_still_has_an_event_to_answer_is_not_at_rest() {
        let mut records = Vec::new();
        let mut then = |what: &str, fields: Value| {
            records.push(record(REGION, what, fields));
            at_rest(&records)
        };
        assert!(then("alarm-state", json!({"alarm": "of-others"})));
        assert!(!then("alarm-state", json!({"alarm": "vipward/lab/svc/node-1/self"})));
        assert!(!then("event-delivered", json!({"function": "arn:aws:sns:r:a:alerts"})));
        assert!(!then("event-delivered", json!({"function": "failover"})));
        assert!(!then("invocation-ended", json!({"request_id": "1", "ok": false})));
        assert!(then("invocation-ended", json!({"request_id": "1", "ok": true})));
    }
}

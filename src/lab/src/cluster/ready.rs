//! When a cluster is ready to be broken.

use crate::layout::{Layout, Role, ServicePlan};
use crate::observed::{self, Answer};
use crate::record::{REGION, Record};

/// What a cluster still lacks; empty when it is ready.
pub fn missing(records: &[Record], layout: &Layout) -> Vec<String> {
    let mut missing = Vec::new();
    for host in layout.hosts.iter().filter(|host| host.role != Role::Client) {
        let agent = format!("agent {}", host.name);
        if !records
            .iter()
            .any(|record| record.is(&agent, "agent started"))
        {
            missing.push(agent);
        }
    }
    let alarms = layout.alarms();
    let ok = alarms
        .iter()
        .filter(|alarm| state(records, alarm) == Some("OK"))
        .count();
    if ok < alarms.len() {
        missing.push(format!(
            "{} of {} alarms OK",
            alarms.len() - ok,
            alarms.len()
        ));
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

/// The state that an alarm last changed to.
fn state<'r>(records: &'r [Record], alarm: &str) -> Option<&'r str> {
    let changes = records
        .iter()
        .rev()
        .filter(|record| record.is(REGION, "alarm-state"));
    changes
        .filter(|change| change.text("alarm") == Some(alarm))
        .find_map(|change| change.text("to"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::fabric::FabricKind;
    use crate::layout::Wish;

    fn record(by: &str, what: &str, fields: Value) -> Record {
        let mut record = Record::of_lab(Timestamp::UNIX_EPOCH, what, fields);
        record.by = by.to_owned();
        record
    }

    #[test]
    fn ready_is_when_agents_run_alarms_are_ok_vips_are_held_and_clients_are_served() {
        let layout = Layout::new(Wish::default(), FabricKind::Namespaces);
        let mut records = vec![
            record("agent node-1", "agent started", json!({})),
            record("agent node-2", "agent started", json!({})),
        ];
        assert_eq!(
            missing(&records, &layout),
            ["2 of 2 alarms OK", "a holder of svc"]
        );
        for alarm in layout.alarms() {
            records.push(record(
                REGION,
                "alarm-state",
                json!({"alarm": alarm, "to": "ALARM"}),
            ));
            records.push(record(
                REGION,
                "alarm-state",
                json!({"alarm": alarm, "to": "OK"}),
            ));
        }
        let given = json!({"eni": "eni-1", "addresses": ["172.31.0.201"]});
        records.push(record("lab", "holder given", given));
        assert_eq!(missing(&records, &layout), ["an answer of svc"]);
        records.push(record(
            "client",
            "served",
            json!({"service": "svc", "node": "node-1"}),
        ));
        assert_eq!(missing(&records, &layout), Vec::<String>::new());
    }
}

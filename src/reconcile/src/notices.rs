//! What people's own rules hear: moves, and what is worth a look and news. One event for each kind
//! of news in an invocation, however many services it is about: the death of a node pages once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_core::Config;
use vipward_core::telemetry::{
    ALERT_DETAIL_TYPE, DIM_CLUSTER, MOVE_DETAIL_TYPE, NOTICES_LOST, function_namespace,
};

use crate::backoff::bounded;
use crate::concern::Concern;
use crate::memory::{Memory, locked};
use crate::notice::{Alert, Notice};
use crate::ports::{PortError, Ports};
use crate::record::Record;

/// What people should hear of these records.
pub fn notices(
    config: &Config,
    memory: &Mutex<Memory>,
    records: &[Record],
    now: Timestamp,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let moved: Vec<_> = records.iter().filter(|record| record.proof().is_some()).collect();
    if !moved.is_empty() {
        let detail = detail(config, None, &moved);
        notices.push(Notice { alerts: Vec::new(), detail_type: MOVE_DETAIL_TYPE, detail });
    }
    for (kind, told) in news(config, memory, records, now) {
        let (subjects, records): (BTreeSet<_>, Vec<_>) = told.into_iter().unzip();
        let alert = |subject| Alert { subject, kind: kind.clone() };
        let alerts = subjects.into_iter().map(alert).collect();
        let detail = detail(config, Some(&kind), &records);
        notices.push(Notice { alerts, detail_type: ALERT_DETAIL_TYPE, detail });
    }
    notices
}

/// By kind: of what people have not heard yet and that has lasted long enough, the subject and the
/// record.
fn news<'r>(
    config: &Config,
    memory: &Mutex<Memory>,
    records: &'r [Record],
    now: Timestamp,
) -> BTreeMap<String, Vec<(String, &'r Record)>> {
    let mut memory = locked(memory);
    let mut news: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let concerns = |record: &'r Record| {
        let concerns = record.concerns(config).into_iter();
        concerns.map(move |concern| (record, concern))
    };
    for (record, Concern { subject, alert, patience }) in records.iter().flat_map(concerns) {
        let lasted = memory.waiting(&subject, patience, now);
        let kind = alert.filter(|_| lasted >= patience);
        memory.alerted.settle(&subject, kind.as_deref().as_slice(), now);
        let Some(kind) = kind else { continue };
        let alert = Alert { subject, kind };
        if memory.alerted.is_news(&alert, now) {
            news.entry(alert.kind).or_default().push((alert.subject, record));
        }
    }
    news
}

fn detail(config: &Config, alert: Option<&str>, records: &[&Record]) -> Value {
    let services: BTreeSet<_> = records.iter().map(|record| &record.decision.service).collect();
    let mut detail = json!({
        "cluster": config.cluster,
        "config_digest": config.digest(),
        "services": services,
        "records": records.iter().map(|record| record.detail(config)).collect::<Vec<_>>(),
    });
    if let Some(alert) = alert {
        detail["alert"] = json!(alert);
    }
    detail
}

/// Tells people's own rules, all at the same time, so that none waits for another. The errors of
/// those that could not be told: each is news the next time, too.
pub async fn announce(
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    notices: &[Notice],
    deadline: Timestamp,
) -> Vec<PortError> {
    let tell = async |notice: &Notice| {
        bounded(ports, deadline, ports.announce(notice)).await.err().or_else(|| {
            let now = ports.now();
            for alert in &notice.alerts {
                locked(memory).alerted.told(alert, now);
            }
            None
        })
    };
    join_all(notices.iter().map(tell)).await.into_iter().flatten().collect()
}

/// The log line, with its metric, about the notices that could not be sent, if any.
pub fn notices_lost(config: &Config, errors: &[PortError], now: Timestamp) -> Option<Value> {
    let first = errors.first()?;
    Some(json!({
        "record": "notices-lost",
        "error": first.to_string(),
        NOTICES_LOST: errors.len(),
        DIM_CLUSTER: config.cluster,
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": function_namespace(&config.cluster),
                "Dimensions": [[DIM_CLUSTER]],
                "Metrics": [{ "Name": NOTICES_LOST, "Unit": "Count" }],
            }],
        },
    }))
}

//! What people's own rules hear: moves, and what is worth a look and news. One event for each kind
//! of news in an invocation, however many services it is about: the death of a node pages once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_core::Config;
use vipward_core::telemetry::{ALERT_DETAIL_TYPE, MOVE_DETAIL_TYPE};

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
        let Some(kind) = alert.filter(|_| lasted >= patience) else {
            memory.settle(&subject);
            continue;
        };
        if memory.is_news(&subject, &kind, now) {
            news.entry(kind).or_default().push((subject, record));
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

/// Tells people's own rules; what could not be told is news the next time, too.
///
/// # Errors
/// When EventBridge did not take them all.
pub async fn announce(
    ports: &impl Ports,
    memory: &Mutex<Memory>,
    notices: &[Notice],
    deadline: Timestamp,
) -> Result<(), PortError> {
    if notices.is_empty() {
        return Ok(());
    }
    bounded(ports, deadline, ports.announce(notices)).await?;
    let now = ports.now();
    for alert in notices.iter().flat_map(|notice| &notice.alerts) {
        locked(memory).told(&alert.subject, &alert.kind, now);
    }
    Ok(())
}

/// The log line, with its metric, about `count` notices that could not be sent.
pub fn notices_lost(config: &Config, count: usize, error: &PortError, now: Timestamp) -> Value {
    json!({
        "record": "notices-lost",
        "error": error.to_string(),
        "NoticesLost": count,
        "Cluster": config.cluster,
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": format!("Vipward/{}", config.cluster),
                "Dimensions": [["Cluster"]],
                "Metrics": [{ "Name": "NoticesLost", "Unit": "Count" }],
            }],
        },
    })
}

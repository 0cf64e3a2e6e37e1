//! What people hear of an agent by its own hints: its file means something else than the
//! function's, or nobody takes its metrics.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use vipward_core::Config;
use vipward_core::telemetry::ALERT_DETAIL_TYPE;

use crate::memory::{Memory, locked};
use crate::notice::{Alert, Notice};
use crate::wake::HeardHint;

/// Record and alert about an agent whose file means something else than the function's.
pub const MISMATCH: &str = "config-mismatch";
/// Record and alert about an agent that cannot publish its metrics.
pub const METRICS_FAILING: &str = "metrics-failing";

/// How long its metrics have to fail before a person should look: throttling passes sooner.
const FAILING_FOR: Duration = Duration::from_mins(1);

/// A record for each thing that is amiss with the agent that has sent the hint.
pub fn records(config: &Config, heard: &HeardHint) -> Vec<Value> {
    let record = |kind: &str| {
        json!({
            "record": kind,
            "alert": kind,
            "cluster": config.cluster,
            "observer": heard.observer,
        })
    };
    let ours = config.digest();
    let mismatch = (heard.hint.config_digest != ours).then(|| {
        let mut record = record(MISMATCH);
        record["theirs"] = json!(heard.hint.config_digest);
        record["ours"] = json!(ours);
        record
    });
    let lasted =
        heard.hint.metrics_failing_ms.filter(|ms| u128::from(*ms) >= FAILING_FOR.as_millis());
    let failing = lasted.map(|ms| {
        let mut record = record(METRICS_FAILING);
        record["metrics_failing_ms"] = json!(ms);
        record
    });
    [mismatch, failing].into_iter().flatten().collect()
}

/// What people should hear of these records, and have not heard yet.
pub fn notices(
    memory: &Mutex<Memory>,
    heard: &HeardHint,
    records: Vec<Value>,
    now: Timestamp,
) -> Vec<Notice> {
    let subject = format!("agent {}", heard.observer);
    let kinds: Vec<_> = records.iter().filter_map(|record| record["alert"].as_str()).collect();
    let alerted = &mut locked(memory).alerted;
    alerted.settle(&subject, &kinds, now);
    let alerts: Vec<_> = kinds
        .into_iter()
        .map(|kind| Alert { subject: subject.clone(), kind: kind.to_owned() })
        .collect();
    let notices = records.into_iter().zip(alerts).filter_map(|(detail, alert)| {
        let is_news = alerted.is_news(&alert, now);
        let alerts = vec![alert];
        is_news.then_some(Notice { alerts, detail_type: ALERT_DETAIL_TYPE, detail })
    });
    notices.collect()
}

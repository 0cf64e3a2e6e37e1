//! What this host's alias unit reports, added to the metrics.
//!
//! The unit has the rights to change addresses and speaks to nobody; the agent speaks and may
//! change nothing. A file is all that they share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use vipward_core::alias_report::{AliasReport, AliasState, VERSION};
use vipward_core::telemetry::{ALIAS_DRIFT, ALIAS_REPAIRS};
use vipward_core::{Hint, NodeName};
use vipward_observe::datum::Datum;
use vipward_observe::ports::{Outlet, SendError};
use vipward_observe::readiness::AliasUnit;
use vipward_observe::troubles::{Troubles, with_host};

use crate::host::clock::wall;

/// The unit writes at least once a minute while it runs.
const FRESH: SignedDuration = SignedDuration::from_mins(3);

/// An outlet whose metrics tell of the aliases too.
pub struct WithAliases<O> {
    outlet: O,
    me: NodeName,
    path: PathBuf,
    troubles: Mutex<Troubles>,
}

impl<O> WithAliases<O> {
    /// Adds what the report at `path` says of the node `me`.
    pub fn new(outlet: O, me: &NodeName, path: &Path) -> Self {
        Self { outlet, me: me.clone(), path: path.to_owned(), troubles: Mutex::default() }
    }
}

impl<O> WithAliases<O> {
    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Outlet> Outlet for WithAliases<O> {
    async fn publish(&self, data: &[Datum]) -> Result<(), SendError> {
        let aliases = read(&self.path, &self.me, wall());
        let aliases = self.troubles().to_tell(aliases);
        self.outlet.publish(&[data, &aliases].concat()).await?;
        self.troubles().told(&aliases);
        Ok(())
    }

    async fn hint(&self, hint: &Hint) -> Result<(), SendError> {
        self.outlet.hint(hint).await
    }
}

/// What the host's alias unit does, by the report at `path` about the node `me`. A report that is
/// not understood, as between two versions, says nothing.
pub fn alias_unit(path: &Path, me: &NodeName, now: Timestamp) -> AliasUnit {
    match report(path, me) {
        None => AliasUnit::Unknown,
        Some((written, report)) if is_fresh(written, now) && report.interface.is_some() => {
            AliasUnit::Works
        }
        Some(_) => AliasUnit::Fails,
    }
}

/// Drift and repairs of each service, and whether there is drift at all: also where a unit has
/// stopped reporting, for nobody keeps the aliases then. Nothing where none ever ran, or one for
/// another node: silence is not health.
fn read(path: &Path, me: &NodeName, now: Timestamp) -> Vec<Datum> {
    let Some((written, AliasReport { aliases, .. })) = report(path, me) else { return Vec::new() };
    if !is_fresh(written, now) {
        return vec![Datum::trouble(ALIAS_DRIFT, None, true)];
    }
    let drift = aliases.iter().map(|alias| (alias.service.clone(), alias.drift.is_some()));
    let drift = with_host(ALIAS_DRIFT, drift.collect());
    drift.into_iter().chain(aliases.iter().map(repairs)).collect()
}

/// The last report about this node, and when it was written.
fn report(path: &Path, me: &NodeName) -> Option<(Timestamp, AliasReport)> {
    let written = Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()?;
    let report: AliasReport = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let ours = report.node.as_ref().is_none_or(|node| node == me);
    (report.version == VERSION && ours).then_some((written, report))
}

/// Whether a unit that runs has written it.
fn is_fresh(written: Timestamp, now: Timestamp) -> bool {
    now.duration_since(written) < FRESH
}

fn repairs(alias: &AliasState) -> Datum {
    #[expect(clippy::cast_precision_loss, reason = "nobody repairs 2^53 times")]
    let value = alias.repairs as f64;
    let service = Some(alias.service.clone());
    Datum { metric: ALIAS_REPAIRS, service, subject: None, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"version":1,"node":"a","interface":"ens5","trouble":null,"aliases":[
        {"service":"mysql","vip":"172.31.0.201","mode":"static","ec2":"not-asked","present":true,
         "drift":null,"repairs":3},
        {"service":"redis","vip":"172.31.0.202","mode":"follow","ec2":"not-held","present":true,
         "drift":"stale","repairs":0}]}"#;

    fn told(name: &str, text: &str, me: &str, age: SignedDuration) -> Vec<(String, String, f64)> {
        let own = format!("vipward-agent-aliases-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(own);
        fs::write(&path, text).expect("a writable temporary directory");
        let data = read(&path, &me.parse().expect("a name"), wall() + age);
        fs::remove_file(&path).expect("it was ours");
        data.into_iter()
            .map(|datum| {
                let service = datum.service.map(|service| service.to_string());
                (datum.metric.to_owned(), service.unwrap_or_default(), datum.value)
            })
            .collect()
    }

    #[test]
    fn a_unit_works_or_has_stopped_reporting_and_what_is_not_understood_says_nothing() {
        let path = std::env::temp_dir().join(format!("vipward-agent-unit-{}", std::process::id()));
        let me = "a".parse().expect("a name");
        let unit = |text: &str, age| {
            fs::write(&path, text).expect("a writable temporary directory");
            alias_unit(&path, &me, wall() + age)
        };
        let minutes = SignedDuration::from_mins;
        let bare = REPORT.replace("\"ens5\"", "null");
        let newer = REPORT.replace("\"version\":1", "\"version\":2");
        let of_another = REPORT.replace("\"node\":\"a\"", "\"node\":\"b\"");
        assert_eq!(unit(REPORT, minutes(2)), AliasUnit::Works);
        assert_eq!(unit(REPORT, minutes(4)), AliasUnit::Fails, "it no longer runs");
        assert_eq!(unit(&bare, minutes(0)), AliasUnit::Fails, "it has no interface");
        for text in [newer.as_str(), of_another.as_str(), "{", ""] {
            assert_eq!(unit(text, minutes(4)), AliasUnit::Unknown, "{text}");
        }
        fs::remove_file(&path).expect("it was ours");
        assert_eq!(alias_unit(&path, &me, wall()), AliasUnit::Unknown, "none ever ran");
    }

    #[test]
    fn drift_and_repairs_of_each_service() {
        let tell = |metric: &str, service: &str, value| (metric.into(), service.into(), value);
        let want = [
            tell("AliasDrift", "mysql", 0.0),
            tell("AliasDrift", "redis", 1.0),
            tell("AliasDrift", "", 1.0),
            tell("AliasRepairs", "mysql", 3.0),
            tell("AliasRepairs", "redis", 0.0),
        ];
        assert_eq!(told("well", REPORT, "a", SignedDuration::from_mins(2)), want);
    }

    /// Keeps what it is to publish.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<Datum>>);

    impl Outlet for Recorder {
        async fn publish(&self, data: &[Datum]) -> Result<(), SendError> {
            self.0.lock().expect("no panic there").extend_from_slice(data);
            Ok(())
        }

        async fn hint(&self, _: &Hint) -> Result<(), SendError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_aliases_go_with_the_metrics_in_one_request() {
        let path = std::env::temp_dir().join(format!("vipward-agent-with-{}", std::process::id()));
        let me: NodeName = "a".parse().expect("a name");
        let outlet = WithAliases::new(Recorder::default(), &me, &path);
        let health = Datum::peer_health(
            "mysql".parse().expect("a name"),
            "b".parse().expect("a name"),
            true,
        );
        let publish = async |report: &str| {
            fs::write(&path, report).expect("a writable temporary directory");
            outlet.publish(std::slice::from_ref(&health)).await.expect("it is recorded");
            let published = std::mem::take(&mut *outlet.outlet.0.lock().expect("no panic there"));
            assert_eq!(published[0], health);
            published[1..].iter().map(|datum| (datum.metric, datum.value)).collect::<Vec<_>>()
        };
        let ill = [("AliasDrift", 1.0), ("AliasDrift", 1.0), ("AliasRepairs", 3.0)];
        assert_eq!(publish(REPORT).await, ill, "of the service, and of the host");
        let mended = REPORT.replace("\"stale\"", "null");
        let well = [("AliasDrift", 0.0), ("AliasDrift", 0.0), ("AliasRepairs", 3.0)];
        assert_eq!(publish(&mended).await, well, "that it is over is told once");
        assert_eq!(publish(&mended).await, [("AliasRepairs", 3.0)]);
        fs::remove_file(&path).expect("it was ours");
    }

    #[test]
    fn a_unit_that_no_longer_reports_is_trouble() {
        let old = told("old", REPORT, "a", SignedDuration::from_mins(4));
        assert_eq!(old, [("AliasDrift".to_owned(), String::new(), 1.0)]);
    }

    #[test]
    fn what_is_another_s_or_not_understood_is_silence() {
        let now = SignedDuration::ZERO;
        let newer = REPORT.replace("\"version\":1", "\"version\":2");
        for (name, text, me, age) in [
            ("another", REPORT, "b", now),
            ("newer", newer.as_str(), "a", now),
            ("half", &REPORT[..40], "a", now),
            ("empty", "", "a", now),
        ] {
            assert_eq!(told(name, text, me, age), [], "{name}");
        }
        let me = "a".parse().expect("a name");
        assert_eq!(read(Path::new("/nowhere/alias.json"), &me, wall()), []);
    }
}

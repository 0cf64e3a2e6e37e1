use super::*;
use crate::hooks::Occasion;
use crate::readiness::Lack;
use crate::send_stats::Failure;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn target(subject: &str, verdict: Verdict, since: u64, cause: Option<&str>) -> TargetStatus {
    TargetStatus {
        subject: subject.parse().expect("a name"),
        service: "redis".parse().expect("a name"),
        own: subject == "resource-01",
        verdict,
        since: at(since),
        cause: cause.map(str::to_owned),
        probe_us: Some(1500),
    }
}

pub(crate) fn status(own: Verdict, other: Verdict) -> Status {
    let failure = Failure { at: at(30), error: "no AWS region".to_owned() };
    Status {
        node: "resource-01".parse().expect("a name"),
        cluster: "prod-db".parse().expect("a name"),
        config_digest: "0123456789abcdef".to_owned(),
        started: at(0),
        now: at(100),
        targets: vec![
            target("resource-01", own, 1, None),
            target("resource-02", other, 98, Some("refused")),
        ],
        metrics: Tally { sent: 12, last_sent: Some(at(96)), ..Tally::default() },
        hints: Tally { failed: 3, last_failure: Some(failure), ..Tally::default() },
        leaving: Vec::new(),
        unready: Vec::new(),
        vips: Vec::new(),
        hooks: Vec::new(),
    }
}

/// The same, of a node that leaves and has a hook that failed.
fn busy() -> Status {
    let service: ServiceName = "redis".parse().expect("a name");
    let departure = Departure { since: at(97), reason: "upgrade".to_owned() };
    let failure = Some("exit code 1: no".to_owned());
    let last = Some(LastRun { occasion: Occasion::Acquire, ended: at(60), failure });
    let vip = "172.31.0.202".parse().expect("an address");
    Status {
        leaving: vec![LeavingStatus { service: service.clone(), departure }],
        unready: vec![UnreadyStatus {
            service: service.clone(),
            since: at(60),
            cause: Lack::Acquire.to_string(),
        }],
        vips: vec![VipStatus {
            service: service.clone(),
            unit: None,
            vip,
            here: Some(true),
            looked: Some(at(99)),
        }],
        hooks: vec![HookStatus { service, running: None, last }],
        ..status(Verdict::Healthy, Verdict::Healthy)
    }
}

#[test]
fn what_leaves_and_what_hooks_did_is_told() {
    let text = busy().text();
    let told = text.split_once("\n\n").expect("a table").1.split_once("\n\n").expect("more").1;
    let expected = "\
LEAVING  SINCE      REASON
redis    3.0 s ago  upgrade

UNREADY  SINCE     CAUSE
redis    40 s ago  the last on_acquire failed

VIP           SERVICE  HERE  LOOKED
172.31.0.202  redis    yes   1.0 s ago

HOOKS  RUNNING  LAST     ENDED     RESULT
redis  -        acquire  40 s ago  exit code 1: no
";
    assert_eq!(told, expected);
    assert!(busy().degraded(), "the hook failed");
}

#[test]
fn a_service_that_could_not_be_served_at_its_vip_degrades_its_node() {
    let unready = busy().unready;
    let status = Status { unready, ..status(Verdict::Healthy, Verdict::Healthy) };
    assert!(status.degraded());
}

#[test]
fn text_tells_everything_with_its_age() {
    let text = "\
resource-01 of cluster prod-db, running for 100 s, configuration 0123456789ab
metrics  12 sent, last 4.0 s ago  none failed
hints    none sent                3 failed, last 70 s ago: no AWS region

SUBJECT            SERVICE  VERDICT    SINCE      CAUSE
resource-01 (own)  redis    healthy    99 s ago   -
resource-02        redis    unhealthy  2.0 s ago  refused
";
    assert_eq!(status(Verdict::Healthy, Verdict::Unhealthy).text(), text);
}

#[test]
fn only_own_services_degrade_the_node() {
    use Verdict::{Healthy, Unhealthy, Unknown};
    for (own, other, degraded) in [
        (Healthy, Healthy, false),
        (Healthy, Unhealthy, false),
        (Unhealthy, Healthy, true),
        (Unknown, Healthy, true),
    ] {
        assert_eq!(status(own, other).degraded(), degraded, "{own:?} {other:?}");
    }
}

#[test]
fn the_document_is_read_as_it_was_written() {
    let status = status(Verdict::Healthy, Verdict::Unknown);
    let text = serde_json::to_string(&status).expect("plain data");
    assert_eq!(serde_json::from_str::<Status>(&text).expect("our own"), status);
}

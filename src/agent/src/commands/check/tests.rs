use vipward_core::outcome::Pass;
use vipward_observe::hooks::Occasion;

use super::*;
use crate::driver::tests::config;

fn probed(index: usize, outcome: &Outcome, took: u64) -> Probed {
    let target = targets(&config(4242), &"a".parse().expect("a name")).remove(index);
    Probed::new(target, index == 0, outcome, Duration::from_millis(took))
}

#[test]
fn the_table_says_what_each_probe_saw() {
    let lag = Some(Lag::Behind(Duration::from_millis(2340)));
    let report = Report {
        cluster: "lab".parse().expect("a name"),
        node: "a".parse().expect("a name"),
        probes: vec![
            probed(0, &Ok(Pass { role: Some(Replication::Replica), lag }), 3),
            probed(1, &Err(ProbeFailure::TimedOut("no reply within 800 ms".to_owned())), 801),
        ],
        hooks: vec![Readiness {
            service: "web".parse().expect("a name"),
            occasion: Occasion::Acquire,
            program: "/bin/up".to_owned(),
            user: Some("mysql".to_owned()),
            obstacle: Some("there is no /bin/up".to_owned()),
        }],
    };
    let expected = "\
a of cluster lab: probes 1 own and 1 other services

SUBJECT  SERVICE  KIND  RESULT   ROLE     LAG    TIME    CAUSE
a (own)  web      tcp   pass     replica  2.3 s  3 ms    -
b        web      tcp   timeout  -        -      801 ms  no reply within 800 ms

HOOK     OF   PROGRAM  USER   CAUSE
acquire  web  /bin/up  mysql  there is no /bin/up
";
    assert_eq!(text(&report), expected);
    let json: serde_json::Value =
        serde_json::from_str(&json(&report).expect("plain data")).expect("JSON");
    assert_eq!(json["probes"][0]["role"], "replica");
    assert_eq!(json["probes"][0]["lag"], "2.3 s");
    assert_eq!(json["probes"][1]["cause"], "no reply within 800 ms");
}

#[test]
fn a_lag_is_seconds_or_a_word() {
    assert_eq!(shown(Lag::Severed), "severed");
    assert_eq!(shown(Lag::NotReplicating), "not replicating");
}

#[test]
fn results_are_told_apart() {
    let cause = || "cause".to_owned();
    for (outcome, result) in [
        (Ok(Pass { role: None, lag: None }), "pass"),
        (Err(ProbeFailure::Failed(cause())), "fail"),
        (Err(ProbeFailure::TimedOut(cause())), "timeout"),
        (Err(ProbeFailure::Inconclusive(cause())), "error"),
    ] {
        assert_eq!(probed(0, &outcome, 0).result, result);
    }
}

//! The table of docs/guarantees.md on what each way of the news does alone: hints, alarms or the
//! schedule, with the others out. Each figure is an upper bound; where the table says no, the VIP
//! stays.

use std::time::Duration;

use crate::history::cluster::named;
use crate::history::concurrency::Concurrency;
use crate::history::fault::{Fault, FaultKind, WakingRule};
use crate::history::host_fault::HostFault;
use crate::history::scenario::Scenario;
use crate::world::World;

const TEXT: &str = include_str!("../../../docs/guarantees.md");
const HEADING: &str = "| what happens |";

/// Moments of the failure that are tried, spread over every rhythm: that of the look into all
/// metrics is a quarter of an hour.
const MOMENTS: u64 = 20;
/// From one to the next, in milliseconds.
const STEP: u64 = 47_237;
/// For how long it lasts: longer than any way takes.
const LASTS: u64 = 1_200_000;

/// A way, and what is out besides it.
fn others_out(way: &str) -> Vec<FaultKind> {
    let rules = |rules: &[WakingRule]| {
        rules.iter().map(|rule| FaultKind::RuleDisabled { rule: *rule }).collect::<Vec<_>>()
    };
    match way {
        "hints alone" => {
            let rules = rules(&[WakingRule::Alarm, WakingRule::Instance, WakingRule::Schedule]);
            rules.into_iter().chain([FaultKind::MetricsLost]).collect()
        }
        "alarms alone" => rules(&[WakingRule::Hint, WakingRule::Instance, WakingRule::Schedule]),
        "schedule alone" => rules(&[WakingRule::Hint, WakingRule::Instance, WakingRule::Alarm]),
        other => panic!("no such way: {other}"),
    }
}

/// What happens, whether there is a witness, and the service's check.
fn event(what: &str) -> (Vec<FaultKind>, bool, &'static str) {
    let (node, service) = (|| named("a"), || named("svc"));
    let tcp = "{ kind = \"tcp\", port = 7001 }";
    let on_host = |fault| FaultKind::OnHost { host: named("a"), fault };
    match what {
        "the service crashes" => {
            (vec![FaultKind::ServiceCrash { node: node(), service: service() }], false, tcp)
        }
        "the service hangs" => {
            (vec![FaultKind::ServiceHang { node: node(), service: service() }], false, tcp)
        }
        "the host dies, one observer" => (vec![FaultKind::HostCrash { host: node() }], false, tcp),
        "the host dies, two observers" => (vec![FaultKind::HostCrash { host: node() }], true, tcp),
        "the host says it is well, two observers cannot reach it" => {
            (vec![FaultKind::Partition { side: vec![node()] }], true, tcp)
        }
        "the instance stops" => (vec![FaultKind::InstanceStopped { node: node() }], false, tcp),
        "the service leaves" => {
            (vec![FaultKind::Leave { node: node(), service: None }], false, tcp)
        }
        "the host lacks the VIP's address" => {
            let removed = HostFault::AliasRemoved { service: service() };
            (vec![on_host(HostFault::UnitCrash), on_host(removed)], false, tcp)
        }
        "another node becomes the primary" => {
            let moves = FaultKind::PrimaryMoves { service: service(), to: named("b") };
            (vec![moves], false, "{ kind = \"mongodb\", port = 27017 }\nrole = \"primary\"")
        }
        other => panic!("no such event: {other}"),
    }
}

fn scenario(what: &str, way: &str, moment: u64) -> Scenario {
    let (kinds, is_watched, check) = event(what);
    let witness =
        if is_watched { "[[witness]]\nname = \"w\"\naddress = \"10.0.0.30\"\n" } else { "" };
    let at_ms = 300_000 + moment * STEP;
    // A hand-over is soon over; all else lasts.
    let lasts = |kind: &FaultKind| match kind {
        FaultKind::PrimaryMoves { .. } => 2_000,
        _ => LASTS,
    };
    let happens = kinds.into_iter().map(|what| Fault { at_ms, for_ms: lasts(&what), what });
    let out = others_out(way).into_iter().map(|what| Fault {
        at_ms: 200_000,
        for_ms: MOMENTS * STEP + 2 * LASTS,
        what,
    });
    Scenario {
        seed: moment,
        calm_ms: 0,
        unplaced: false,
        concurrency: Concurrency::Deployed,
        describe_lag_ms: 0,
        moves: None,
        leaves_within_ms: None,
        cluster: format!(
            "cluster = \"sim\"\nsubnet = \"10.0.0.0/24\"\n\
             [[node]]\nname = \"a\"\naddress = \"10.0.0.10\"\neni = \"eni-00000000\"\npriority = 100\n\
             [[node]]\nname = \"b\"\naddress = \"10.0.0.11\"\neni = \"eni-00000001\"\n{witness}\
             [[service]]\nname = \"svc\"\nvip = \"10.0.0.201\"\ncheck = {check}\n",
        ),
        faults: happens.chain(out).collect(),
    }
}

/// How long the VIP takes to leave, at worst; `None` where it stays.
fn worst(what: &str, way: &str) -> Option<Duration> {
    let took = (0..MOMENTS).map(|moment| {
        let scenario = scenario(what, way, moment);
        let begins = scenario.faults[0].begins();
        let auditor = World::new(scenario, false).expect("it can be deployed").play();
        let last = auditor.book.last(&named("svc")).filter(|change| change.at > begins)?;
        last.at.checked_sub(begins)
    });
    // One moment at which it stays is one too many.
    took.collect::<Option<Vec<_>>>()?.into_iter().max()
}

#[test]
fn each_way_alone_decides_each_row_within_its_bound_or_the_table_says_no() {
    let mut lines = TEXT.lines().skip_while(|line| !line.starts_with(HEADING));
    let cells = |line: &'static str| -> Vec<&str> {
        line.trim_matches('|').split('|').map(str::trim).collect()
    };
    let ways = cells(lines.next().expect("the table is there"));
    let rows: Vec<_> = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert_eq!((ways.len(), rows.len()), (4, 9), "the whole table");
    let mut wrong = Vec::new();
    for row in rows {
        for (way, told) in ways.iter().zip(&row).skip(1) {
            let took = worst(row[0], way);
            let is_right = match (*told, took) {
                ("no", None) => true,
                ("no", Some(_)) | (_, None) => false,
                (bound, Some(took)) => {
                    let bound = bound.trim_end_matches(" s").parse().expect("whole seconds");
                    let generous = took + took / 5 + Duration::from_secs(20);
                    took <= Duration::from_secs(bound) && Duration::from_secs(bound) < generous
                }
            };
            if !is_right {
                wrong.push(format!("{}, {way}: {told}, and it took {took:?}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The figures of docs/guarantees.md on how long a failover takes: each is an upper bound, and
//! holds whenever within the agents' and the alarms' rhythm the failure comes.

use std::time::Duration;

use crate::history::cluster::named;
use crate::history::concurrency::Concurrency;
use crate::history::fault::{Fault, FaultKind};
use crate::history::scenario::Scenario;
use crate::world::World;

const TEXT: &str = include_str!("../../../docs/guarantees.md");

/// Moments of the failure that are tried, spread over more than any rhythm.
const MOMENTS: u64 = 40;

/// One row of the table: failure, observers, what wakes the function, publish interval, how long
/// EC2 takes to answer, bound.
fn rows() -> Vec<[String; 6]> {
    let table = TEXT.lines().skip_while(|line| !line.starts_with("| failure |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap_or_else(|cells| panic!("six cells, not {cells:?}"))
    };
    rows.map(cells).collect()
}

fn scenario(row: &[String; 6], moment: u64) -> Scenario {
    let [failure, observers, wake, interval, ec2, _] = row;
    let witness = match observers.as_str() {
        "one" => "",
        "two" => "[[witness]]\nname = \"w\"\naddress = \"10.0.0.30\"\n",
        other => panic!("no such observers: {other}"),
    };
    let hints = match wake.as_str() {
        "hints" => "true",
        "alarms alone" => "false",
        other => panic!("nothing wakes by {other}"),
    };
    let (node, service) = ("a", "svc");
    let what = match failure.as_str() {
        "service crashes" => FaultKind::ServiceCrash { node: named(node), service: named(service) },
        "service hangs" => FaultKind::ServiceHang { node: named(node), service: named(service) },
        "host dies" => FaultKind::HostCrash { host: named(node) },
        other => panic!("no such failure: {other}"),
    };
    let at_ms = 180_000 + moment * 1_637;
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
             [policy]\nhints = {hints}\npublish_interval = \"{}s\"\n\
             [[node]]\nname = \"a\"\naddress = \"10.0.0.10\"\neni = \"eni-00000000\"\npriority = 100\n\
             [[node]]\nname = \"b\"\naddress = \"10.0.0.11\"\neni = \"eni-00000001\"\n{witness}\
             [[service]]\nname = \"svc\"\nvip = \"10.0.0.201\"\ncheck = {{ kind = \"tcp\", port = 7001 }}\n",
            interval.trim_end_matches(" s"),
        ),
        faults: std::iter::once(Fault { at_ms, for_ms: 200_000, what }).chain(slow(ec2)).collect(),
    }
}

/// EC2 is as slow as the row says, all the time: as a rule it answers within the 25 ms of a trip.
fn slow(answers_in: &str) -> Option<Fault> {
    let ms = match answers_in {
        "25 ms" => return None,
        "0.4 s" => 400,
        "1.9 s" => 1_900,
        other => panic!("EC2 does not answer in {other}"),
    };
    let text = format!(r#"{{"on":"ec2:*","kind":"delay","ms":{ms}}}"#);
    let fault = serde_json::from_str(&text).expect("it is a fault");
    Some(Fault { at_ms: 1, for_ms: 600_000, what: FaultKind::Aws { fault } })
}

#[test]
fn each_figure_of_the_failover_time_is_an_upper_bound() {
    let rows = rows();
    assert_eq!(rows.len(), 17, "the table is there");
    for row in rows {
        let bound: u64 = row[5].trim_end_matches(" s").parse().expect("whole seconds");
        let took = (0..MOMENTS).map(|moment| {
            let scenario = scenario(&row, moment);
            let begins = scenario.faults[0].begins();
            let auditor = World::new(scenario, false).expect("it can be deployed").play();
            let moved =
                auditor.book.last(&named("svc")).unwrap_or_else(|| panic!("{row:?}: no move"));
            moved.at.checked_sub(begins).expect("nothing moves before")
        });
        let longest = took.max().expect("moments");
        assert!(longest <= Duration::from_secs(bound), "{row:?}: it took {longest:?}");
        let generous = longest + Duration::from_secs(20);
        assert!(Duration::from_secs(bound) < generous, "{row:?} is far from {longest:?}");
    }
}

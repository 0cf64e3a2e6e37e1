//! Each rule about moves catches who breaks it.

use super::*;
use crate::fault::Fault;

const SECOND: Duration = Duration::from_secs(1);

fn config() -> Config {
    let text = r#"
cluster = "sim"
subnet = "10.0.0.0/24"
[[node]]
name = "a"
address = "10.0.0.10"
eni = "eni-0000000a"
priority = 100
[[node]]
name = "b"
address = "10.0.0.11"
eni = "eni-0000000b"
[[service]]
name = "svc"
vip = "10.0.0.201"
check = { kind = "tcp", port = 7001 }
"#;
    Config::parse("sim", text).expect("it is right")
}

fn change(at: u64, from: &str, to: &str) -> Change {
    Change {
        at: SECOND * u32::try_from(at).expect("small"),
        service: "svc".to_owned(),
        from: Some(from.to_owned()),
        to: to.to_owned(),
    }
}

/// The service crashes there at these seconds, for a minute each.
fn crashes(at: &[(u64, &str)]) -> Truth {
    let fault = |(at, node): &(u64, &str)| Fault {
        at_ms: at * 1_000,
        for_ms: 60_000,
        what: What::ServiceCrash { node: (*node).to_owned(), service: "svc".to_owned() },
    };
    Truth::of(&at.iter().map(fault).collect::<Vec<_>>())
}

const A: &str = "eni-0000000a";
const B: &str = "eni-0000000b";

fn judged(truth: &Truth, before: &[Change], change: &Change) -> Option<&'static str> {
    let config = config();
    let mut book = Book::new(&config, false);
    for earlier in before {
        book.enter(earlier.clone());
    }
    book.judge(&config, truth, change).map(|(rule, _)| rule)
}

#[test]
fn a_failover_with_a_cause_breaks_no_rule() {
    assert_eq!(judged(&crashes(&[(999, "a")]), &[], &change(1_000, A, B)), None);
}

#[test]
fn each_rule_has_its_breaker() {
    let calm = crashes(&[]);
    let ill = crashes(&[(999, "a")]);
    let of_a_and_b = crashes(&[(900, "a"), (901, "b")]);
    for (truth, before, moved, rule) in [
        (&calm, vec![], change(1_000, A, B), "a holder that is up and reachable keeps its VIP"),
        (&ill, vec![], change(1_000, A, FOREIGN_ENI), "only what the file names is touched"),
        (&ill, vec![], change(1_000, FOREIGN_ENI, B), "a foreign holder is never robbed"),
        (&of_a_and_b, vec![], change(950, A, B), "a VIP goes to a node that was well"),
        (
            &ill,
            vec![change(1_100, A, B)],
            change(1_110, B, A),
            "a holder that is up and reachable keeps its VIP",
        ),
    ] {
        assert_eq!(judged(truth, &before, &moved), Some(rule), "{moved:?}");
    }
}

#[test]
fn moves_beyond_the_budget_have_to_have_waited() {
    let often = crashes(&[(1_000, "a"), (1_100, "b"), (1_200, "a"), (1_300, "b")]);
    let before = [change(1_001, A, B), change(1_101, B, A), change(1_270, A, B)];
    let rule = Some("moves beyond the budget wait");
    assert_eq!(judged(&often, &before, &change(1_301, B, A)), rule);
    assert_eq!(judged(&often, &before, &change(1_340, B, A)), None, "it waited a minute");
}

#[test]
fn a_service_follows_its_group_and_nothing_else() {
    let text = "cluster = \"sim\"\nsubnet = \"10.0.0.0/24\"\n".to_owned()
        + "[[node]]\nname = \"a\"\naddress = \"10.0.0.10\"\neni = \"eni-0000000a\"\n"
        + "[[node]]\nname = \"b\"\naddress = \"10.0.0.11\"\neni = \"eni-0000000b\"\n";
    let service = |name: &str, vip: &str| {
        format!("[[service]]\nname = \"{name}\"\nvip = \"{vip}\"\ngroup = \"db\"\n")
            + "check = { kind = \"tcp\", port = 7001 }\n"
    };
    let text = text + &service("svc", "10.0.0.201") + &service("other", "10.0.0.202");
    let config = Config::parse("sim", &text).expect("it is right");
    let judged = |truth: &Truth, before: &[Change]| {
        let mut book = Book::new(&config, false);
        for earlier in before {
            book.enter(earlier.clone());
        }
        let other = Change { service: "other".to_owned(), ..change(600, A, B) };
        book.judge(&config, truth, &other).map(|(rule, _)| rule)
    };
    let causeless = Some("a holder that is up and reachable keeps its VIP");
    assert_eq!(judged(&crashes(&[]), &[]), causeless);
    assert_eq!(judged(&crashes(&[(590, "a")]), &[]), None, "another of its group is ill there");
    assert_eq!(judged(&crashes(&[]), &[change(599, A, B)]), None, "another of its group has gone");
}

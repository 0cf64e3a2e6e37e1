//! Each rule about the ledger and about drained nodes catches who breaks it.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::history::cluster::named;

fn config() -> Config {
    let text = include_str!("../../../fixtures/pair.toml");
    Config::parse("sim", text).expect("it is right")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("within range")
}

fn look(ledgers: &[Remembered]) -> Look {
    Look { ledgers: BTreeMap::from([(named("svc"), ledgers.to_vec())]), ..Look::default() }
}

fn ledger(unplanned: &[i64]) -> Remembered {
    Remembered { last: *unplanned.last().unwrap_or(&0), unplanned: unplanned.to_vec() }
}

fn moved(kind: &str, second: i64) -> Decided {
    let line = json!({
        "service": "svc",
        "outcome": "moved",
        "decided": at(second),
        "assigned": at(second),
        "choice": { "move": { "to": "b", "kind": kind } },
    });
    Decided::read(&line).expect("a move")
}

/// What the invocation that saw `looks` and wrote `text` is accused of.
fn judged(decided: &Decided, looks: &[Look], text: &str) -> Option<Rule> {
    let key = "vipward:sim:svc".to_owned();
    let call_log = CallLog {
        looks: looks.iter().map(|look| (at(0), look.clone())).collect(),
        tags: vec![("eni-0000000b".to_owned(), BTreeMap::from([(key, text.to_owned())]))],
        ..CallLog::default()
    };
    decided.judge(&config(), &call_log).map(|(rule, _)| rule)
}

#[test]
fn a_hold_and_what_was_not_tried_are_no_moves() {
    let line = |outcome: &str, choice: Value| {
        let line = json!({
            "service": "svc", "outcome": outcome, "decided": at(1), "choice": choice,
        });
        Decided::read(&line)
    };
    let to_b = json!({ "move": { "to": "b", "kind": "failover" } });
    assert!(line("held", json!({ "hold": { "reason": "holder-up" } })).is_none());
    assert!(line("observed", to_b.clone()).is_none() && line("overtaken", to_b.clone()).is_none());
    assert!(line("failed", to_b).is_some());
}

#[test]
fn moves_beyond_the_budget_have_to_have_waited() {
    let rule = Some(Rule::Budget);
    let spent = ledger(&[1_000, 1_010, 1_020]);
    for (kind, before, second, expected) in [
        ("failover", &spent, 1_079, rule),
        ("placement", &spent, 1_021, None),
        ("failover", &spent, 1_080, None),
        ("vacate", &spent, 1_030, None),
        ("failover", &ledger(&[1_000, 1_010]), 1_020, None),
        ("failover", &ledger(&[1_000, 1_010, 1_020, 1_080]), 1_199, rule),
        ("failover", &ledger(&[1_000, 1_010, 1_020, 1_080]), 1_200, None),
        // Of one an hour ago the budget knows nothing any more.
        ("failover", &ledger(&[1_000, 4_590, 4_595]), 4_600, None),
    ] {
        let decided = moved(kind, second);
        let after = decided.after(&config(), before, at(second));
        let text = format!("moved={} moves={}", after.last, listed(&after.unplanned));
        assert_eq!(
            judged(&decided, &[look(std::slice::from_ref(before))], &text),
            expected,
            "{kind} {second}"
        );
    }
}

fn listed(seconds: &[i64]) -> String {
    seconds.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn a_holder_that_ec2_says_is_gone_may_be_left_beyond_the_budget() {
    let spent = ledger(&[1_000, 1_010, 1_020]);
    let holders = BTreeMap::from([(named("svc"), "eni-0000000a".to_owned())]);
    let judged = |gone: &str| {
        let look = Look { holders: holders.clone(), ..look(std::slice::from_ref(&spent)) };
        let text = "moved=1030 moves=1000,1010,1020,1030".to_owned();
        let tags = BTreeMap::from([("vipward:sim:svc".to_owned(), text)]);
        let call_log = CallLog {
            looks: vec![(at(0), look)],
            gone: [gone.to_owned()].into(),
            tags: vec![("eni-0000000b".to_owned(), tags)],
            ..CallLog::default()
        };
        moved("failover", 1_030).judge(&config(), &call_log).map(|(rule, _)| rule)
    };
    assert_eq!(judged("eni-0000000a"), None);
    assert_eq!(judged("eni-0000000b"), Some(Rule::Budget), "somebody else");
}

#[test]
fn of_two_ledgers_of_one_second_either_may_be_believed() {
    let (spent, other) = (ledger(&[1_000, 1_010, 1_020]), ledger(&[1_020]));
    let decided = moved("failover", 1_030);
    let text = "moved=1030 moves=1020,1030";
    assert_eq!(judged(&decided, &[look(&[spent, other])], text), None);
}

#[test]
fn a_move_has_to_be_written_down_with_those_before_it() {
    let rule = Some(Rule::MoveIsRecorded);
    let before = [look(&[ledger(&[1_000])])];
    for (kind, text, expected) in [
        ("failover", "moved=1500 moves=1000,1500", None),
        ("failover", "moved=1500 moves=1500", rule),
        ("failover", "moved=1500 moves=1000", rule),
        ("failover", "moved=1499 moves=1000,1499", rule),
        ("failover", "something else", rule),
        ("vacate", "moved=1500 moves=1000", None),
        ("vacate", "moved=1500 moves=1000,1500", rule),
    ] {
        assert_eq!(judged(&moved(kind, 1_500), &before, text), expected, "{kind}: {text}");
    }
}

#[test]
fn a_drained_node_is_not_to_get_a_vip() {
    let until =
        |second| Look { drains: BTreeMap::from([(named("b"), at(second))]), ..Look::default() };
    let text = "moved=1500 moves=1500";
    let decided = moved("failover", 1_500);
    let rule = Some(Rule::DrainedNodeGetsNone);
    assert_eq!(judged(&decided, &[until(1_501)], text), rule);
    assert_eq!(judged(&decided, &[until(1_500)], text), None, "its time is over");
}

#[test]
fn what_an_order_wrote_in_this_invocation_counts_before_it_shows() {
    let drained = Look { drains: BTreeMap::from([(named("b"), at(1_600))]), ..Look::default() };
    let spent = look(&[ledger(&[1_000, 1_480, 1_490])]);
    let judged = |looks: &Look, orders: &[(&str, &str, &str)], moved: &Decided| {
        let tag = |(eni, key, text): &(&str, &str, &str)| {
            ((*eni).to_owned(), BTreeMap::from([((*key).to_owned(), (*text).to_owned())]))
        };
        let call_log = CallLog {
            looks: vec![(at(0), looks.clone())],
            tags: orders.iter().map(tag).collect(),
            ..CallLog::default()
        };
        moved.judge(&config(), &call_log).map(|(rule, _)| rule)
    };
    let decided = moved("failover", 1_500);
    let after = ("eni-0000000b", "vipward:sim:svc", "moved=1500 moves=1500");
    let (key, text) = (Drain::tag_key(&config().cluster), "until=1499 by= why=resumed");
    assert_eq!(judged(&drained, &[("eni-0000000b", &key, text), after], &decided), None);
    let rule = Some(Rule::DrainedNodeGetsNone);
    assert_eq!(judged(&drained, &[("eni-0000000a", &key, text), after], &decided), rule);
    let unfrozen = ("eni-0000000a", "vipward:sim:svc", "moved=1490 moves=");
    assert_eq!(judged(&spent, &[unfrozen, after], &decided), None);
    assert_eq!(judged(&spent, &[after], &decided), Some(Rule::Budget));
}

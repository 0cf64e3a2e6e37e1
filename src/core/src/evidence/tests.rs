//! What counts of all that is heard and seen.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::ledger::Ledger;
use crate::name::EniId;
use crate::observed::Observed;
use crate::scene::{FOREIGN, Scene, VIP, node};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("within range")
}

fn service() -> ServiceName {
    "svc".parse().expect("a name")
}

/// The tags of the interface of `name`.
fn tags<'s>(scene: &'s mut Scene, name: &str) -> &'s mut BTreeMap<String, String> {
    let eni = scene.config.node(&node(name)).expect("in the scene").eni.clone();
    &mut scene.evidence.inventory.enis.get_mut(&eni).expect("there").tags
}

fn foreign(addresses: Vec<Ipv4Addr>) -> (EniId, Eni) {
    let eni =
        Eni { subnet: "subnet-1".to_owned(), instance: None, addresses, tags: BTreeMap::new() };
    ("eni-ffffffff".parse().expect("an id"), eni)
}

#[test]
fn the_newest_word_counts_in_whatever_order_and_of_one_moment_the_first() {
    // A hint is heard before the metrics, and knows more than they do of its second.
    let heard = |words: [(i64, u64); 2]| {
        let mut observations = Observations::default();
        for (second, lag) in words {
            let lag = Observed { value: Duration::from_secs(lag), at: at(second) };
            observations.add_lag(node("a"), service(), lag);
        }
        observations.lag(&node("a"), &service()).map(|lag| lag.value.as_secs())
    };
    assert_eq!(heard([(1, 7), (2, 8)]), Some(8));
    assert_eq!(heard([(2, 8), (1, 7)]), Some(8));
    assert_eq!(heard([(1, 7), (1, 8)]), Some(7));
}

#[test]
fn of_several_ledgers_the_newest_counts_and_none_of_others() {
    let mut scene = Scene::new(3, 0, "").moved("a", &[90]).moved("b", &[60]);
    tags(&mut scene, "c").insert("vipward:test:svc".to_owned(), "somebody's".to_owned());
    let (id, mut theirs) = foreign(Vec::new());
    theirs
        .tags
        .insert("vipward:test:svc".to_owned(), format!("moved={} moves=", at(0).as_second()));
    scene.evidence.inventory.enis.insert(id, theirs);
    let inventory = &scene.evidence.inventory;
    let ledger = inventory.ledger(&scene.config, &service());
    assert_eq!(ledger.last_move(), Some(scene.now - SignedDuration::from_secs(60)));
    let keeper = inventory.ledger_keeper(&scene.config, &service());
    assert_eq!(keeper, Some(&scene.config.nodes[1].eni));
    let other = "other".parse().expect("a name");
    assert_eq!(inventory.ledger(&scene.config, &other), Ledger::default());
    assert_eq!(inventory.ledger_keeper(&scene.config, &other), None);
}

#[test]
fn of_two_interfaces_that_show_an_address_neither_is_preferred_but_a_foreign_one() {
    let holder = |scene: &Scene| scene.evidence.inventory.holder(&scene.config, VIP);
    let mut scene = Scene::new(3, 0, "").held_by("b");
    assert_eq!(holder(&scene), Holder::Node(node("b")));
    scene = scene.held_by("c");
    assert_eq!(holder(&scene), Holder::Several(vec![node("b"), node("c")]));
    scene = scene.held_by_a_foreign_interface();
    assert_eq!(holder(&scene), Holder::Foreign(FOREIGN.parse().expect("an id")));
}

#[test]
fn a_drain_is_read_from_its_own_tag_and_other_text_is_none() {
    let drained = |key: &str, text: &str| {
        let mut scene = Scene::new(2, 0, "");
        tags(&mut scene, "a").insert(key.to_owned(), text.to_owned());
        let now = scene.now;
        ["a", "b"].map(|name| Snapshot { now, ..scene.snapshot() }.is_drained(&node(name)))
    };
    let until = |second| format!("until={} by=anna why=kernel update", at(second).as_second());
    assert_eq!(drained("vipward:test:node:drain", &until(60)), [true, false]);
    assert_eq!(drained("vipward:test:node:drain", &until(0)), [false, false], "it is over");
    assert_eq!(drained("vipward:test:node:drain", "yes"), [false, false]);
    assert_eq!(drained("vipward:other:node:drain", &until(60)), [false, false]);
}

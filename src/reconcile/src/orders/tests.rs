//! Orders, and what refuses them.

use super::*;
use crate::fake::{World, config, config_with_policy};
use crate::memory::Memory;
use crate::record::Outcome;
use crate::wake::WakeKind;
use std::sync::Mutex;
use vipward_core::Config;
use vipward_core::Verdict::{Healthy, Unhealthy};

fn both_well() -> World {
    World::new().with(|state| {
        for node in ["a", "b"] {
            state.says(node, node, "redis", Healthy);
            state.says(node, node, "mysql", Healthy);
        }
    })
}

fn invocation<'i>(
    world: &'i World,
    config: &'i Config,
    memory: &'i Mutex<Memory>,
) -> Invocation<'i, World> {
    let (wake, woken, deadline) = (WakeKind::Command, world.now(), world.deadline());
    Invocation {
        config,
        ports: world,
        memory,
        wake,
        woken,
        brings_news: wake == WakeKind::Hint,
        deadline,
    }
}

async fn outcome(world: &World, config: &Config, order: serde_json::Value) -> OrderOutcome {
    let command: Command = serde_json::from_value(order).expect("it is a command");
    let memory = Mutex::default();
    run_order(&invocation(world, config, &memory), &command).await.expect("AWS answers")
}

fn outcomes(outcome: &OrderOutcome) -> Vec<(String, Outcome)> {
    let OrderOutcome::Done { records, .. } = outcome else { panic!("{outcome:?}") };
    let outcome = |record: &Record| (record.decision.service.to_string(), record.outcome());
    records.iter().map(outcome).collect()
}

fn refusal(outcome: &OrderOutcome) -> &str {
    let OrderOutcome::Refused(why) = outcome else { panic!("{outcome:?}") };
    why
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[tokio::test(start_paused = true)]
async fn a_switchover_moves_that_vip_and_no_other() {
    let world = both_well();
    let order = json(r#"{"command":"switchover","service":"redis","to":"b"}"#);
    let done = outcome(&world, &config(), order).await;
    assert_eq!(outcomes(&done), [("redis".to_owned(), Outcome::Moved)]);
    assert_eq!(world.state().holder("10.0.0.201"), ["eni-0000000b"]);
    assert_eq!(world.state().holder("10.0.0.202"), ["eni-0000000a"]);
}

#[tokio::test(start_paused = true)]
async fn a_switchover_that_is_ordered_twice_does_not_undo_itself() {
    let (world, config) = (both_well(), config_with_policy("stale_after = \"30m\""));
    let order = json(r#"{"command":"switchover","service":"redis"}"#);
    let done = outcome(&world, &config, order.clone()).await;
    assert_eq!(outcomes(&done), [("redis".to_owned(), Outcome::Moved)]);
    let again = outcome(&world, &config, order.clone()).await;
    assert!(matches!(again, OrderOutcome::Refused(_)), "{again:?}");
    let back = json(r#"{"command":"switchover","service":"redis","to":"a"}"#);
    assert_eq!(outcomes(&outcome(&world, &config, back).await)[0].1, Outcome::Moved);
    world.pause(REPEATED).await;
    let later = outcome(&world, &config, order).await;
    assert_eq!(outcomes(&later)[0].1, Outcome::Moved);
}

#[tokio::test(start_paused = true)]
async fn a_switchover_to_an_ill_node_is_refused() {
    let world = both_well().with(|state| state.says("b", "b", "redis", Unhealthy));
    let order = json(r#"{"command":"switchover","service":"redis"}"#);
    let ill = "b is down: its own agent reports it unhealthy";
    let nobody = format!("no other node can take the VIP: {ill}");
    assert_eq!(refusal(&outcome(&world, &config(), order).await), nobody);
    let order = json(r#"{"command":"switchover","service":"redis","to":"b"}"#);
    assert_eq!(refusal(&outcome(&world, &config(), order).await), ill);
    assert_eq!(world.state().assigns, []);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_observes_only_is_not_switched_over() {
    let order = json(r#"{"command":"switchover","service":"redis"}"#);
    let world = both_well();
    let refused = outcome(&world, &config_with_policy("mode = \"observe\""), order).await;
    let observes = "the configuration says mode = \"observe\": vipward moves nothing";
    assert_eq!(refusal(&refused), observes);
}

#[tokio::test(start_paused = true)]
async fn a_drained_node_loses_its_vips_at_once_and_gets_none_until_it_is_resumed() {
    let world = both_well();
    let order = json(
        r#"{"command":"drain","node":"a","seconds":3600,"owner":"anna","reason":"kernel update"}"#,
    );
    let done = outcome(&world, &config(), order).await;
    let moved = |service: &str| (service.to_owned(), Outcome::Moved);
    assert_eq!(outcomes(&done), [moved("redis"), moved("mysql")]);
    let OrderOutcome::Done { what, .. } = done else { panic!("{done:?}") };
    assert_eq!(what, "a is drained until 2026-09-21T15:13:20Z");
    let back = json(r#"{"command":"switchover","service":"redis","to":"a"}"#);
    assert_eq!(refusal(&outcome(&world, &config(), back.clone()).await), "a is drained");
    outcome(&world, &config(), json(r#"{"command":"resume","node":"a"}"#)).await;
    let done = outcome(&world, &config(), back).await;
    assert_eq!(outcomes(&done), [moved("redis")]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_ec2_does_not_show_yet_is_obeyed_at_once() {
    let world = both_well();
    let before = world.state().inventory.clone();
    world.state().stale = Some((before, world.now() + Duration::from_secs(3)));
    let order = json(
        r#"{"command":"drain","node":"a","seconds":3600,"owner":"anna","reason":"kernel update"}"#,
    );
    let done = outcome(&world, &config(), order).await;
    let moved = |service: &str| (service.to_owned(), Outcome::Moved);
    assert_eq!(outcomes(&done), [moved("redis"), moved("mysql")]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_would_be_forgotten_is_refused() {
    let world = both_well();
    for seconds in [0, 14 * 86_400 + 1, u32::MAX] {
        let order = serde_json::json!({
            "command": "drain", "node": "a", "seconds": seconds, "owner": "anna", "reason": "",
        });
        let refused = outcome(&world, &config(), order).await;
        assert!(matches!(refused, OrderOutcome::Refused(_)), "{seconds}: {refused:?}");
    }
    assert_eq!(world.state().assigns, []);
}

#[tokio::test(start_paused = true)]
async fn an_unfrozen_service_may_move_at_once() {
    let world = both_well().with(|state| state.ill_on_a("redis"));
    let config = config();
    let service: ServiceName = "redis".parse().expect("a name");
    let spent = (1..4).fold(Ledger::default(), |ledger, ago| {
        let at = world.now() - SignedDuration::from_secs(10 * (4 - ago));
        ledger.after_move(at, true, config.policy.move_budget.per)
    });
    let key = Ledger::tag_key(&config.cluster, &service);
    let eni = config.nodes[0].eni.clone();
    world.tag(&eni, &BTreeMap::from([(key, spent.to_string())])).await.expect("tagged");
    let memory = Mutex::default();
    let held = reconcile(&invocation(&world, &config, &memory)).await.expect("read");
    assert_eq!(held[0].outcome(), Outcome::Held, "its budget is spent");
    let spent = world.state().inventory.clone();
    world.state().stale = Some((spent, world.now() + Duration::from_secs(3)));
    let order = json(r#"{"command":"unfreeze","service":"redis"}"#);
    let done = outcome(&world, &config, order).await;
    assert_eq!(outcomes(&done)[0], ("redis".to_owned(), Outcome::Moved));
}

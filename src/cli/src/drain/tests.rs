//! Draining: what is waited for, and how the wait ends.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::invoke::InvokeFailure;

/// Replies in their turn, the last one for ever; and what was ordered.
struct Function(Mutex<(VecDeque<Option<Value>>, Vec<Value>)>);

impl Orders for Function {
    async fn give(&self, order: &Order<'_>) -> Result<Reply, Failure> {
        let (replies, ordered) = &mut *self.0.lock().expect("nobody panics with it");
        ordered.push(json!(order));
        let next = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
        match next.flatten() {
            Some(reply) => Ok(serde_json::from_value(reply).expect("a reply")),
            None => Err(Failure::Invoke(InvokeFailure::Failed {
                function: "vipward-no-failover".to_owned(),
                kind: "Throttled".to_owned(),
                message: "EC2 throttles".to_owned(),
            })),
        }
    }
}

/// What a drain of `a` says and tells, waiting for 10 s, and what was ordered meanwhile.
async fn drained(
    replies: impl IntoIterator<Item = Option<Value>>,
) -> (Result<Said, Failure>, Vec<String>, Vec<Value>) {
    drained_for(3600, replies).await
}

/// The same for so many seconds.
async fn drained_for(
    seconds: u32,
    replies: impl IntoIterator<Item = Option<Value>>,
) -> (Result<Said, Failure>, Vec<String>, Vec<Value>) {
    let function = Function(Mutex::new((replies.into_iter().collect(), Vec::new())));
    let node = "a".parse().expect("a name");
    let wait = Some(Duration::from_secs(10));
    let order = Drain { node: &node, seconds, owner: "anna", reason: "kernel", wait };
    let mut told = Vec::new();
    let said = drain(&function, order, &mut |line| told.push(line.to_owned())).await;
    let (_, ordered) = function.0.into_inner().expect("nobody panicked with it");
    (said, told, ordered)
}

fn reply(mode: &str, vips: &[Value]) -> Value {
    json!({ "done": "a is drained until noon", "mode": mode, "vips": vips })
}

fn stays() -> Value {
    json!({ "service": "redis", "holder": { "node": "a" }, "outcome": "held",
        "choice": { "hold": { "reason": "cannot-vacate" } }, "because": "b is down" })
}

fn moves(outcome: &str) -> Value {
    json!({ "service": "redis", "holder": { "node": "a" }, "outcome": outcome, "took_ms": 40,
        "choice": { "move": { "to": "b", "kind": "vacate" } }, "because": "a is drained" })
}

fn elsewhere() -> Value {
    json!({ "service": "mysql", "holder": { "node": "b" }, "outcome": "held",
        "choice": { "hold": { "reason": "holder-up" } }, "because": "the holder is up" })
}

const MOVED: &str = "a is drained until noon\n  redis: moved from a to b in 0.04 s, proven: EC2 names b\n\
                     a holds no VIP\n";

#[tokio::test(start_paused = true)]
async fn a_node_that_holds_nothing_is_drained_at_once() {
    for vips in [vec![], vec![elsewhere()]] {
        let (said, told, ordered) = drained([Some(reply("act", &vips))]).await;
        let data = "a is drained until noon\na holds no VIP\n".to_owned();
        assert_eq!(said.expect("done"), Said::data(data));
        assert_eq!((told.len(), ordered.len()), (0, 1));
    }
    let (said, _, _) = drained([Some(reply("act", &[moves("moved")]))]).await;
    assert_eq!(said.expect("done"), Said::data(MOVED.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn it_orders_again_until_the_vip_has_left_and_the_drain_ends_when_it_was_to_end() {
    let replies = [stays(), stays(), moves("moved")];
    let replies = replies.map(|vip| Some(reply("act", &[vip])));
    let (said, told, ordered) = drained(replies).await;
    assert_eq!(said.expect("done"), Said::data(MOVED.to_owned()));
    assert_eq!(told, ["waiting 10 s at most:\n  redis: stays on a: b is down\n"], "told once");
    let seconds: Vec<_> = ordered.iter().map(|order| order["seconds"].clone()).collect();
    assert_eq!(seconds, [3600, 3597, 3594]);
}

#[tokio::test(start_paused = true)]
async fn what_still_stays_when_the_wait_is_over_is_told_and_degraded() {
    for (vip, why) in [
        (stays(), "redis: stays on a: b is down"),
        (moves("overtaken"), "redis: not moved to b: somebody else moved it first"),
        (moves("failed"), "redis: not moved from a to b: EC2 did not accept it"),
        (moves("unproven"), "redis: EC2 accepted the move from a to b, and has not named b yet"),
    ] {
        let (said, _, ordered) = drained([Some(reply("act", &[vip]))]).await;
        let said = said.expect("the tag stands");
        assert_eq!((said.exit, said.data.as_str()), (Exit::Degraded, "a is drained until noon\n"));
        let talk = format!("a is not free of VIPs:\n  {why}\nhint: do not stop a yet");
        assert!(said.talk.starts_with(&talk), "{}", said.talk);
        assert_eq!(ordered.len(), 5, "at 0, 3, 6, 9 and 10 s");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_longer_than_the_drain_lasts() {
    let (said, _, ordered) = drained_for(5, [Some(reply("act", &[stays()]))]).await;
    assert_eq!(said.expect("the tag stands").exit, Exit::Degraded);
    let seconds: Vec<_> = ordered.iter().map(|order| order["seconds"].clone()).collect();
    assert_eq!(seconds, [5, 2, 1], "and it ends when it was to end");
}

#[tokio::test(start_paused = true)]
async fn while_vipward_only_observes_nothing_is_waited_for() {
    let (said, told, ordered) = drained([Some(reply("observe", &[moves("observed")]))]).await;
    let said = said.expect("the tag stands");
    assert_eq!((said.exit, told.len(), ordered.len()), (Exit::Degraded, 0, 1));
    assert!(said.talk.contains("redis: stays on a: mode = \"observe\" moves nothing"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_no_proof() {
    let mut unread = reply("act", &[]);
    unread["unread"] = "DescribeNetworkInterfaces failed for now: throttled".into();
    let (said, _, _) = drained([Some(unread.clone())]).await;
    let said = said.expect("the tag stands");
    let talk = "not known whether a holds a VIP: DescribeNetworkInterfaces failed for now";
    assert!(said.exit == Exit::Degraded && said.talk.contains(talk), "{said:?}");
    let (said, _, _) = drained([Some(unread), Some(reply("act", &[elsewhere()]))]).await;
    assert_eq!(said.expect("it is read again").exit, Exit::Fine);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_fails_meanwhile_is_asked_again_and_one_that_fails_at_first_is_a_failure() {
    let (said, _, _) = drained([Some(reply("act", &[stays()])), None]).await;
    let said = said.expect("the tag stands");
    assert!(said.talk.contains("vipward-no-failover failed: Throttled: EC2 throttles"), "{said:?}");
    assert_eq!(said.exit, Exit::Degraded);
    let again = [Some(reply("act", &[stays()])), None, Some(reply("act", &[moves("moved")]))];
    assert_eq!(drained(again).await.0.expect("done").exit, Exit::Fine);
    let (said, _, ordered) = drained([None]).await;
    assert_eq!(said.expect_err("it may not be drained").exit(), Exit::Failed);
    assert_eq!(ordered.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_is_told_what_stays_and_is_fine() {
    let replies = [Some(reply("act", &[stays(), elsewhere()]))];
    let function = Function(Mutex::new((replies.into(), Vec::new())));
    let node = "a".parse().expect("a name");
    let order = Drain { node: &node, seconds: 60, owner: "anna", reason: "", wait: None };
    let said = drain(&function, order, &mut |_| {}).await.expect("done");
    let data = "a is drained until noon\n  redis: stays on a: b is down\n";
    assert_eq!(said, Said::data(data.to_owned()));
}

//! Both roles, from event to answer and log.

use super::*;
use crate::agents::{METRICS_FAILING, MISMATCH};
use crate::fake::{World, config, denied};
use vipward_core::Verdict::{Healthy, Unhealthy};

async fn handled(
    role: Role,
    world: World,
    event: Value,
) -> (Result<Value, String>, Vec<Value>, Function<World>) {
    let deadline = world.deadline();
    let function = Function::new(config(), world, role);
    let mut lines = Vec::new();
    let mut log = |line: &Value| lines.push(line.clone());
    let answer = function.handle(&event, deadline, &mut log).await;
    (answer.map_err(|error| chain(&error)), lines, function)
}

fn scheduled() -> Value {
    json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} })
}

fn hint_from_a() -> Value {
    let said = |subject: &str, verdict: &str| json!({ "subject": subject, "service": "redis", "verdict": verdict, "held_ms": 0 });
    json!({
        "source": "vipward.agent.test.a", "detail-type": "Vipward Observation",
        "time": "2026-09-21T14:13:20Z",
        "detail": { "version": 1, "cluster": "test", "start_id": "s", "sequence": 1,
            "config_digest": "another", "observations": [said("a", "unhealthy"), said("b", "healthy")] },
    })
}

#[tokio::test(start_paused = true)]
async fn each_vip_has_one_line_that_is_record_and_metric() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let (answer, lines, _) = handled(Role::Failover, world, scheduled()).await;
    assert_eq!(answer.expect("handled")["outcomes"], json!({ "redis": "moved", "mysql": "held" }));
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["record"], "decision");
    assert_eq!(lines[0]["Moves"], 1);
    assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Vipward/test");
    assert_eq!(lines[1]["Reason"], "holder-up");
    for line in &lines {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let metrics = directive["Metrics"].as_array().expect("metrics");
        let names = metrics.iter().map(|metric| &metric["Name"]);
        let dimensions = directive["Dimensions"][0].as_array().expect("dimensions").iter();
        for name in names.chain(dimensions) {
            let name = name.as_str().expect("a name");
            assert!(line.get(name).is_some(), "{name} is defined and not given");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_from_before_the_function_started_is_none() {
    let function = Function::new(config(), World::new(), Role::Failover);
    let now = function.ports.now();
    let of_cargo_lambda = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(10);
    assert_eq!(function.credible(of_cargo_lambda), now + USUAL_TIMEOUT);
    for soon in [now, now + SignedDuration::from_secs(3)] {
        assert_eq!(function.credible(soon), soon);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_evidence_where_the_metrics_lag() {
    let world = World::new().with(|state| state.says("b", "b", "redis", Healthy));
    let (answer, lines, function) = handled(Role::Failover, world, hint_from_a()).await;
    assert_eq!(answer.expect("handled")["outcomes"]["redis"], "moved");
    assert_eq!(lines[0]["record"], "config-mismatch");
    let state = function.ports.state();
    let told = state.notices.iter().map(|notice| notice.detail_type).collect::<Vec<_>>();
    assert_eq!(told, ["Vipward Move", "Vipward Alert"]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_comes_too_late_moves_nothing() {
    for (seconds, outcome) in [(13, "moved"), (15, "held"), (3_600, "held")] {
        let world = World::new().with(|state| state.says("b", "b", "redis", Healthy));
        world.pause(std::time::Duration::from_secs(seconds)).await;
        let (answer, _, function) = handled(Role::Failover, world, hint_from_a()).await;
        assert_eq!(answer.expect("handled")["outcomes"]["redis"], outcome, "{seconds} s");
        assert_eq!(function.ports.state().assigns.is_empty(), outcome == "held");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_with_another_file_is_heard_and_told_of_once() {
    let world = World::new().with(|state| state.says("b", "b", "redis", Healthy));
    let (answer, _, function) = handled(Role::Failover, world, hint_from_a()).await;
    assert_eq!(answer.expect("handled")["outcomes"]["redis"], "moved", "its word counts");
    let (deadline, mut lines) = (function.ports.deadline(), Vec::new());
    let mut log = |line: &Value| lines.push(line.clone());
    function.handle(&hint_from_a(), deadline, &mut log).await.expect("handled");
    assert_eq!(lines[0]["record"], "config-mismatch", "the log has it each time");
    let state = function.ports.state();
    let alerts = state.notices.iter().filter(|notice| notice.detail["alert"] == MISMATCH);
    assert_eq!(alerts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_metrics_fail_for_long_alerts_once() {
    let mut hint = hint_from_a();
    hint["detail"]["config_digest"] = json!(config().digest());
    hint["detail"]["metrics_failing_ms"] = json!(59_999);
    let (_, _, function) = handled(Role::Failover, World::new(), hint.clone()).await;
    let alerts = || {
        let state = function.ports.state();
        let agents = state.notices.iter().filter(|notice| notice.detail["observer"] == "a");
        agents.map(|notice| notice.detail["alert"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(alerts(), Vec::<Value>::new(), "it may pass");
    let mut log = |_: &Value| {};
    for sequence in 2..5 {
        hint["detail"]["metrics_failing_ms"] = json!(sequence * 60_000);
        hint["detail"]["sequence"] = json!(sequence);
        function.handle(&hint, function.ports.deadline(), &mut log).await.expect("handled");
    }
    assert_eq!(alerts(), [METRICS_FAILING]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_logged_and_reads_nothing() {
    let foreign = json!({ "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "detail": { "alarmName": "cpu" } });
    let (answer, lines, function) = handled(Role::Failover, World::new(), foreign).await;
    assert_eq!(answer.expect("no error: it would come again")["record"], "refused");
    assert!(lines[0]["reason"].as_str().expect("a reason").contains("cpu"));
    assert_eq!(function.ports.state().reads, 0);
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_others_costs_no_pass_once_ours_are_known() {
    let changed = |id: &str| {
        json!({ "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
            "detail": { "instance-id": id, "state": "stopped" } })
    };
    let (_, _, function) = handled(Role::Failover, World::new(), changed("i-other")).await;
    let cold = function.ports.state().reads;
    assert_eq!(cold, 1, "a cold function knows no instance and looks");
    let deadline = function.ports.deadline();
    let mut log = |_: &Value| {};
    let refused = function.handle(&changed("i-other"), deadline, &mut log).await;
    assert_eq!(refused.expect("no error")["record"], "refused");
    assert_eq!(function.ports.state().reads, cold);
    function.handle(&changed("i-10.0.0.10"), deadline, &mut log).await.expect("handled");
    assert_eq!(function.ports.state().reads, cold + 1);
}

#[tokio::test(start_paused = true)]
async fn notices_that_are_lost_leave_a_line_and_a_metric() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.failing.insert("PutEvents");
    });
    let (answer, lines, _) = handled(Role::Failover, world, scheduled()).await;
    assert_eq!(answer.expect("the move stands")["outcomes"]["redis"], "moved");
    let last = lines.last().expect("a line");
    assert_eq!((&last["record"], &last["NoticesLost"]), (&json!("notices-lost"), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_nobody_takes_keeps_no_other_from_being_told() {
    let world = World::new().with(|state| {
        state.says("b", "b", "redis", Healthy);
        state.hanging.insert("Vipward Alert");
    });
    let (answer, lines, function) = handled(Role::Failover, world, hint_from_a()).await;
    assert_eq!(answer.expect("handled")["outcomes"]["redis"], "moved");
    assert_eq!(lines.last().expect("a line")["NoticesLost"], 1);
    let (deadline, mut log) = (function.ports.deadline(), |_: &Value| {});
    function.ports.state().hanging.clear();
    function.handle(&hint_from_a(), deadline, &mut log).await.expect("handled");
    let state = function.ports.state();
    let told = state.notices.iter().map(|notice| notice.detail_type).collect::<Vec<_>>();
    assert_eq!(told, ["Vipward Move", "Vipward Alert"], "each once, the alert when it could be");
}

#[tokio::test(start_paused = true)]
async fn what_a_hint_carries_makes_no_notice_too_large() {
    let world = World::new().with(|state| state.says("b", "b", "redis", Healthy));
    let mut hint = hint_from_a();
    hint["detail"]["config_digest"] = json!("d".repeat(260_000));
    let (answer, _, function) = handled(Role::Failover, world, hint).await;
    assert_eq!(answer.expect("handled")["outcomes"]["redis"], "moved");
    let state = function.ports.state();
    let told = state.notices.iter().map(|notice| notice.detail_type).collect::<Vec<_>>();
    assert_eq!(told, ["Vipward Move", "Vipward Alert"]);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_ec2_is_an_error() {
    let world = World::new().with(|state| {
        state.inventory_faults.push_back(denied("DescribeNetworkInterfaces"));
    });
    let (answer, _, _) = handled(Role::Failover, world, scheduled()).await;
    assert!(answer.expect_err("it failed").contains("DescribeNetworkInterfaces was refused"));
}

#[tokio::test(start_paused = true)]
async fn status_says_who_holds_and_how_each_node_is_judged() {
    let world = World::new().with(|state| {
        state.ill_on_a("redis");
        state.says("a", "a", "mysql", Healthy);
        state.says("b", "a", "mysql", Unhealthy);
    });
    let (answer, _, function) = handled(Role::Query, world, json!({ "command": "status" })).await;
    let answer = answer.expect("answered");
    let [redis, mysql] = answer["services"].as_array().expect("services").as_slice() else {
        panic!("{answer}")
    };
    assert_eq!(redis["holder"], json!({ "node": "a" }));
    assert_eq!(redis["choice"]["move"], json!({ "to": "b", "kind": "failover" }));
    assert_eq!(redis["judgements"]["a"], json!({ "down": "own-word" }));
    assert_eq!(mysql["judgements"], json!({ "a": { "up": "suspect" }, "b": "unknown" }));
    assert_eq!(mysql["choice"]["hold"]["reason"], "holder-suspect", "status looks closer");
    assert!(redis.get("evidence").is_none());
    assert!(function.ports.state().assigns.is_empty(), "looking moves nothing");
}

#[tokio::test(start_paused = true)]
async fn status_never_calls_a_holder_up_for_which_only_peers_speak() {
    let world = World::new().with(|state| state.says("b", "a", "redis", Healthy));
    let (answer, _, _) = handled(Role::Query, world, json!({ "command": "explain" })).await;
    let answer = answer.expect("answered");
    let [redis, mysql] = answer["services"].as_array().expect("services").as_slice() else {
        panic!("{answer}")
    };
    assert_eq!(redis["judgements"]["a"], json!({ "up": "peers-only" }));
    assert_eq!(redis["choice"]["hold"]["reason"], "agent-silent");
    assert_eq!(mysql["judgements"], json!({ "a": "unknown", "b": "unknown" }), "all are silent");
    assert_eq!(mysql["choice"]["hold"]["reason"], "awaiting-evidence");
    let because = "nobody can tell yet whether a, the holder, is up or down";
    assert_eq!(mysql["because"], because);
}

#[tokio::test(start_paused = true)]
async fn an_order_is_answered_with_what_came_of_each_vip() {
    let world = World::new().with(|state| {
        for node in ["a", "b"] {
            state.says(node, node, "redis", Healthy);
        }
        state.says("a", "a", "mysql", Healthy);
        state.says("b", "b", "mysql", Unhealthy);
    });
    let order =
        json!({ "command": "drain", "node": "a", "seconds": 60, "owner": "anna", "reason": "" });
    let (answer, _, _) = handled(Role::Failover, world, order).await;
    let answer = answer.expect("answered");
    assert_eq!(answer["done"], "a is drained until 2026-09-21T14:14:20Z");
    assert_eq!((&answer["mode"], answer.get("unread")), (&json!("act"), None));
    let redis = json!({
        "service": "redis", "vip": "10.0.0.201", "holder": { "node": "a" }, "outcome": "moved",
        "choice": { "move": { "to": "b", "kind": "vacate" } }, "took_ms": 0,
        "because": "the holder is drained, and another node can take over",
    });
    let mysql = json!({
        "service": "mysql", "vip": "10.0.0.202", "holder": { "node": "a" }, "outcome": "held",
        "choice": { "hold": { "reason": "cannot-vacate" } },
        "because": "the holder is up and drained, but no other node can take over: \
                    b is down: its own agent reports it unhealthy",
    });
    assert_eq!(answer["vips"], json!([redis, mysql]));
}

#[tokio::test(start_paused = true)]
async fn a_drain_after_which_ec2_cannot_be_read_says_so() {
    let world = World::new().with(|state| {
        state.inventory_faults.push_back(denied("DescribeNetworkInterfaces"));
    });
    let order =
        json!({ "command": "drain", "node": "a", "seconds": 60, "owner": "anna", "reason": "" });
    let (answer, _, _) = handled(Role::Failover, world, order).await;
    let answer = answer.expect("the tag stands");
    assert_eq!(answer["vips"], json!([]));
    let unread = "DescribeNetworkInterfaces was refused: UnauthorizedOperation";
    assert_eq!(answer["unread"], unread);
}

#[tokio::test(start_paused = true)]
async fn explain_adds_the_evidence() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let command = json!({ "command": "explain", "service": "redis" });
    let (answer, _, _) = handled(Role::Query, world, command).await;
    let answer = answer.expect("answered");
    assert_eq!(answer["services"].as_array().expect("services").len(), 1);
    let redis = &answer["services"][0];
    assert_eq!(redis["because"], "the holder is down and another node is up");
    assert_eq!(redis["alarms"], json!(["vipward/test/redis/a/self"]));
    assert_eq!(
        redis["evidence"][0],
        json!({ "observer": "a", "subject": "a",
        "verdict": "unhealthy", "age_ms": 1_000, "held_ms": 0 })
    );
}

#[tokio::test(start_paused = true)]
async fn each_role_does_only_its_own() {
    for (role, event, said) in [
        (Role::Query, scheduled(), "the Query function"),
        (Role::Failover, json!({ "command": "status" }), "for the query function"),
        (Role::Query, json!({ "command": "resume", "node": "a" }), "for the failover function"),
        (Role::Failover, json!({ "command": "resume", "node": "z" }), "node z is not in"),
        (
            Role::Query,
            json!({ "command": "sing" }),
            "neither an event nor a command: unknown variant `sing`",
        ),
        (Role::Query, json!({ "command": "explain", "service": "x" }), "service x is not in"),
    ] {
        let (answer, _, function) = handled(role, World::new(), event).await;
        let error = answer.expect_err("it is refused");
        assert!(error.contains(said), "expected {said:?} in {error:?}");
        assert_eq!(function.ports.state().reads, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_arrival_of_a_moved_vip_is_told_once() {
    let world = World::new().with(|state| state.ill_on_a("redis"));
    let (_, lines, function) = handled(Role::Failover, world, scheduled()).await;
    assert_eq!(lines[0]["outcome"], "moved");
    let world = function.ports();
    world.pause(Duration::from_millis(2_500)).await;
    let mut stages = Vec::new();
    for _ in 0..2 {
        let said = [("b", Healthy, 600_000), ("a", Unhealthy, 5_000)];
        let mut heard = crate::fake::hint(world, "b", &said);
        heard.hint.observations[0].arrived = Some(true);
        heard.hint.observations[0].arrived_ms = Some(500);
        let event = json!({
            "source": "vipward.agent.test.b", "detail-type": "Vipward Observation",
            "time": heard.at.to_string(), "detail": heard.hint,
        });
        let mut log = |line: &Value| {
            stages.extend((line["record"] == "stage").then(|| line.clone()));
        };
        function.handle(&event, world.deadline(), &mut log).await.expect("handled");
        world.pause(Duration::from_millis(100)).await;
    }
    assert_eq!(stages.len(), 1);
    assert_eq!(stages[0]["stage"], "arrived");
    assert_eq!((&stages[0]["service"], &stages[0]["node"]), (&json!("redis"), &json!("b")));
    let took = stages[0]["milliseconds"].as_i64().expect("a number");
    assert!((1_000..4_000).contains(&took), "the ledger knows the second: {took}");
}

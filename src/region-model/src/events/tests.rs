use super::*;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:failover";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("in range")
}

fn bus() -> EventBridge {
    EventBridge::new(Settings {
        place: Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() },
        event_delivery: SignedDuration::from_millis(80),
    })
}

fn rule(name: &str, mut properties: Value) -> RuleSpec {
    properties["Targets"] = json!([{"Id": "F", "Arn": FUNCTION}]);
    RuleSpec::from_cfn(name, &properties).expect("well formed")
}

#[test]
fn an_event_goes_to_the_rules_that_match() {
    let mut bus = bus();
    bus.put_rule(rule("yes", json!({"EventPattern": {"source": ["a"]}})), at(0));
    bus.put_rule(rule("no", json!({"EventPattern": {"source": ["b"]}})), at(0));
    bus.put_rule(
        rule("off", json!({"EventPattern": {"source": ["a"]}, "State": "DISABLED"})),
        at(0),
    );
    let event = json!({"id": "1", "source": "a", "detail-type": "T"});
    bus.offer(&event, at(5));
    let mut faults = Faults::default();
    assert_eq!(bus.next_deadline(), Some(at(85)));
    assert!(bus.advance(at(84), &mut faults).is_empty());
    let arrived = bus.advance(at(85), &mut faults);
    assert_eq!(
        arrived,
        [Delivery {
            rule: "yes".to_owned(),
            target_arn: FUNCTION.to_owned(),
            event,
            id: "1".to_owned(),
        }]
    );
    assert_eq!(bus.next_deadline(), None);
    assert_eq!(
        bus.journal,
        [
            JournalEvent::EventPut {
                source: "a".to_owned(),
                detail_type: "T".to_owned(),
                alert: None,
            },
            JournalEvent::EventDelivered {
                rule: "yes".to_owned(),
                function: "failover".to_owned(),
                id: "1".to_owned(),
            },
        ]
    );
}

#[test]
fn a_schedule_makes_its_own_events() {
    let mut bus = bus();
    let mut faults = Faults::default();
    bus.put_rule(rule("minute", json!({"ScheduleExpression": "rate(1 minute)"})), at(500));
    assert_eq!(bus.next_deadline(), Some(at(60_500)));
    assert!(bus.advance(at(60_500), &mut faults).is_empty());
    assert_eq!(bus.next_deadline(), Some(at(60_580)));
    let arrived = bus.advance(at(60_580), &mut faults);
    let arn = "arn:aws:events:us-east-1:123456789012:rule/minute";
    assert_eq!(
        arrived[0].event,
        json!({
            "version": "0", "id": arrived[0].id, "detail-type": "Scheduled Event", "source": "aws.events",
            "account": "123456789012", "time": "1970-01-01T00:01:00Z", "region": "us-east-1",
            "resources": [arn], "detail": {},
        })
    );
    assert_eq!(bus.next_deadline(), Some(at(120_500)));
}

#[test]
fn a_late_driver_makes_up_for_one_tick() {
    let mut bus = bus();
    let mut faults = Faults::default();
    bus.put_rule(rule("minute", json!({"ScheduleExpression": "rate(1 minute)"})), at(0));
    bus.advance(at(600_000), &mut faults);
    assert_eq!(bus.advance(at(600_080), &mut faults).len(), 1);
    assert_eq!(bus.next_deadline(), Some(at(660_000)));
}

#[test]
fn a_rule_put_again_keeps_its_other_targets() {
    let mut bus = bus();
    let pattern = json!({"EventPattern": {"source": ["a"]}});
    bus.put_rule(rule("r", pattern.clone()), at(0));
    let targets = bus.targets_mut("r").expect("there");
    targets.push(Target { id: "G".to_owned(), arn: "g".to_owned() });
    bus.put_rule(rule("r", pattern), at(1));
    let ids: Vec<&str> =
        bus.rule("r").expect("there").targets.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["F", "G"]);
    assert!(bus.remove_rule("r") && !bus.remove_rule("r"));
}

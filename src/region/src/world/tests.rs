//! The services together: from a metric's silence or an instance's end to an invocation.

use jiff::{SignedDuration, Timestamp};

use vipward_region_model::ec2::inventory::InstanceState;
use vipward_region_model::journal::JournalEvent;
use vipward_region_model::lambda::{self, Answer};
use vipward_region_model::{Effect, Region};

use super::World;

const WORLD: &str = concat!(
    "listen = \"127.0.0.1:0\"\n",
    "template = \"",
    env!("CARGO_MANIFEST_DIR"),
    "/../region-model/fixtures/template.yaml\"\n",
    r#"
[lambda]
bootstrap = "never-started"
[[subnet]]
id = "subnet-0a"
cidr = "10.0.0.0/24"
[[instance]]
id = "i-01"
eni = "eni-01"
mac = "02:00:00:00:00:01"
subnet = "subnet-0a"
address = "10.0.0.11"
secondaries = ["10.0.0.100"]
"#
);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

fn region() -> Region {
    let world: World = toml::from_str(WORLD).expect("a world");
    world.build(at(0)).expect("begins").region
}

/// Runs in virtual time to a moment: each invocation succeeds at once.
fn run(region: &mut Region, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, JournalEvent)> {
    let (mut now, mut told) = (from, Vec::new());
    loop {
        for effect in region.advance(now) {
            match effect {
                Effect::Tell(entry) => told.push((entry.at, entry.event)),
                Effect::Lambda(lambda::Effect::Hand { environment, invocation }) => {
                    region.lambda.began(environment, now).expect("handed");
                    let done = Answer::ok(b"{}".to_vec());
                    assert!(region.lambda.ended(environment, &invocation.request_id, done, now));
                }
                Effect::Lambda(_) => {}
            }
        }
        let next = region.next_deadline().expect("a schedule never ends");
        if next > to {
            return told;
        }
        assert!(next > now, "what is due is done by one advance");
        now = next;
    }
}

#[test]
fn a_silent_metric_brings_its_alarm_and_the_alarm_an_invocation() {
    let mut region = region();
    let told = run(&mut region, at(0), at(59));
    let alarm = told
        .iter()
        .find(|(_, event)| matches!(event, JournalEvent::AlarmState { to, .. } if to == "ALARM"));
    let (alarmed, _) = alarm.expect("missing data is breaching");
    let invoked = told.iter().find(|(_, event)| matches!(event, JournalEvent::Invoked { .. }));
    let (invoked, _) = invoked.expect("the rule's target is the function");
    assert_eq!(invoked.duration_since(*alarmed), SignedDuration::from_millis(80));
}

#[test]
fn an_instances_end_is_told_to_the_function() {
    let mut region = region();
    region.set_instance_state("i-01", InstanceState::Terminated, at(1)).expect("exists");
    let told = run(&mut region, at(1), at(2));
    let delivered = |event: &JournalEvent| match event {
        JournalEvent::EventDelivered { rule, .. } => Some(rule.clone()),
        _ => None,
    };
    let rules: Vec<_> = told.iter().filter_map(|(_, event)| delivered(event)).collect();
    assert_eq!(rules, ["OnInstance"]);
    assert!(region.ec2.present().interfaces.is_empty());
}

#[test]
fn the_schedule_wakes_the_function_once_a_minute() {
    let mut region = region();
    let told = run(&mut region, at(0), at(200));
    let ticks = told.iter().filter(|(_, event)| {
        matches!(event, JournalEvent::EventDelivered { rule, .. } if rule == "EachMinute")
    });
    assert_eq!(ticks.count(), 3);
}

use super::*;

/// The merged logs of two real runs, without what no stage comes from.
const CRASH: &str = include_str!("crash.jsonl");
const DEATH: &str = include_str!("death.jsonl");

fn records(text: &str) -> Vec<Record> {
    text.lines().map(|line| serde_json::from_str(line).expect("is a record")).collect()
}

fn read(records: &[Record]) -> Timeline {
    let struck = records.iter().find(|record| record.what == "fault injected");
    let struck = struck.expect("something was broken");
    let subject = Subject {
        service: "builtin".parse().expect("is a name"),
        vip: Ipv4Addr::new(172, 31, 0, 201),
        from: "node-1".parse().expect("is a name"),
        struck: struck.at,
        fault: struck.text("text").expect("is told").to_owned(),
    };
    Timeline::read(records, subject)
}

#[test]
fn a_crash_told_by_hints_shows_every_stage() {
    insta::assert_snapshot!(draw(&read(&records(CRASH))).join("\n"));
}

#[test]
fn a_death_told_by_an_alarm_shows_the_alarm() {
    insta::assert_snapshot!(draw(&read(&records(DEATH))).join("\n"));
}

#[test]
fn the_arrival_by_the_metadata_is_a_stage_of_its_own() {
    let mut records = records(CRASH);
    let served = records.pop().expect("there is one");
    let at = served.at;
    let told = |service: &str| {
        let line = serde_json::json!({
            "record": "stage", "stage": "arrived", "service": service, "node": "node-2",
            "arrived": at,
        });
        let fields = serde_json::Map::from_iter([("line".to_owned(), line.to_string().into())]);
        Record { at, by: REGION.to_owned(), what: "function-log".to_owned(), fields }
    };
    let subject = read(&records).subject;
    records.extend([told("another"), served]);
    let shows = |records: &[Record]| read(records).stages.iter().any(|one| one.name == "arrived");
    assert!(!shows(&records), "it is another's");
    records.push(told(subject.service.as_str()));
    assert!(shows(&records));
}

#[test]
fn what_nobody_told_is_left_out() {
    let silent =
        |record: &&Record| !record.by.starts_with("agent") && record.what != "function-log";
    let all = records(CRASH);
    let few: Vec<Record> = all.iter().filter(silent).cloned().collect();
    let names: Vec<&str> = read(&few).stages.iter().map(|stage| stage.name).collect();
    let left = [
        "fault",
        "event delivered",
        "function invoked",
        "assigned",
        "VIP delivered",
        "client served",
    ];
    assert_eq!(names, left);
}

#[test]
fn clients_that_are_not_served_again_make_no_outage() {
    let mut records = records(CRASH);
    let last = records.pop().expect("there is one");
    assert!(last.is(CLIENT, "served"));
    let timeline = read(&records);
    assert_eq!(timeline.outage, None);
    assert!(timeline.stages.iter().all(|stage| stage.name != "client served"));
}

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Template;
use crate::Place;

const FIXTURE: &str = include_str!("../../fixtures/template.yaml");

fn parse(text: &str) -> Result<Template, String> {
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    Template::parse(text, &place).map_err(|error| error.to_string())
}

#[test]
fn the_fixture_gives_its_functions_rules_and_alarms() {
    let template = parse(FIXTURE).expect("sound");
    let names: Vec<_> = template.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    let failover =
        template.functions.iter().find(|f| f.name == "vipward-failover").expect("named by Sub");
    assert_eq!(failover.arn, "arn:aws:lambda:us-east-1:123456789012:function:vipward-failover");
    assert_eq!(failover.timeout, SignedDuration::from_secs(2));
    assert_eq!(failover.memory_mb, 256);
    assert_eq!(failover.reserved, Some(1));
    assert_eq!(failover.max_event_age, SignedDuration::from_secs(60));
    assert_eq!(failover.max_retries, 1);
    let place = "us-east-1/123456789012/${literal}/arn:aws:iam::123456789012:role/Role";
    let wanted = [("BUDGET", "3"), ("PLACE", place), ("VIPWARD_CONFIG", "/opt/vipward.toml")];
    let wanted: BTreeMap<_, _> =
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(failover.environment, wanted);

    let mut rules: Vec<_> = template.rules.iter().map(|rule| rule.name.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["EachMinute", "OnAlarm", "OnInstance", "OnObservation"]);
    assert!(template.rules.iter().all(|rule| rule.targets[0].arn == failover.arn));
    let alarms: Vec<_> = template.alarms.iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(alarms, ["vipward/prod-db/redis/resource-01/self"]);
    assert_eq!(failover.role.as_deref(), Some("arn:aws:iam::123456789012:role/Role"));
    let mut arns: Vec<_> = template.roles.iter().map(|role| role.arn.as_str()).collect();
    arns.sort_unstable();
    assert_eq!(
        arns,
        ["OtherRole", "Role"].map(|id| format!("arn:aws:iam::123456789012:role/{id}"))
    );
    assert_eq!(template.ignored, BTreeMap::from([("AWS::SQS::Queue".to_owned(), 1)]));
}

#[test]
fn a_parameter_can_turn_the_reservation_off() {
    let text = FIXTURE.replace("Default: \"yes\"", "Default: \"no\"");
    let template = parse(&text).expect("sound");
    let reserved: Vec<_> =
        template.functions.iter().map(|f| (f.name.as_str(), f.reserved)).collect();
    assert!(reserved.contains(&("vipward-failover", None)), "{reserved:?}");
    assert!(reserved.contains(&("Left", None)), "its condition holds now: {reserved:?}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let function = |properties: &str| {
        format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {properties}\n"
        )
    };
    let table = [
        ("Resources: [".to_owned(), "the template is not YAML"),
        ("{}".to_owned(), "Resources: is not there"),
        ("Resources:\n  F: {}\n".to_owned(), "Resources.F: has no Type"),
        (function("{Timeout: soon}"), "Resources.F: Timeout is not a whole number"),
        (function("{Events: {E: {}}}"), "Resources.F: Events are not read"),
        (
            function("{Timeout: {Ref: Nobody}}"),
            "Resources.F.Properties.Timeout: nothing is named Nobody",
        ),
        (
            function("{Role: {Fn::Cidr: x}}"),
            "Resources.F.Properties.Role: the region does not know Fn::Cidr",
        ),
        (function("{Role: {Fn::GetAtt: [Nobody, Arn]}}"), "no resource is named Nobody"),
        (function("{Role: {Fn::Sub: \"${a\"}}"), "a ${ without its }"),
        (function("{Environment: {Variables: {A: [1]}}}"), "Environment.Variables.A is not a text"),
        (
            format!("Parameters: {{P: {{Type: String}}}}\n{}", function("{}")),
            "Parameters.P: has no Default",
        ),
    ];
    for (text, wanted) in table {
        let error = parse(&text).expect_err(wanted);
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn the_projects_own_template_is_understood() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let text = std::fs::read_to_string(path).expect("the template users deploy");
    let template = parse(&text).expect("sound");
    let functions = template.functions.iter();
    let roles: Vec<_> = functions.filter_map(|f| f.name.rsplit('-').next()).collect();
    assert_eq!(roles, ["failover", "query"]);
    let failover = &template.functions[0].arn;
    let targets = template.rules.iter().flat_map(|rule| &rule.targets);
    assert!(targets.filter(|target| target.arn == *failover).count() >= 3);
    assert!(!template.alarms.is_empty());
}

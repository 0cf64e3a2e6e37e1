//! `vipward render`: the template, whole, flat, and the same each time.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::running::{fixture, root, scratch, vipward};

fn rendered(file: &str) -> String {
    let run = vipward(&["render", file]);
    assert_eq!(run.exit_code, Some(0), "{}", run.stderr);
    run.stdout
}

fn parsed(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).expect("a plain YAML parser reads it")
}

#[test]
fn a_pair_renders_to_this() {
    insta::assert_snapshot!(rendered(&fixture("pair.toml")));
}

#[test]
fn the_committed_template_is_the_render_of_the_example() {
    let committed =
        fs::read_to_string(root().join("template.yaml")).expect("template.yaml is there");
    assert!(
        committed == rendered("infra/example/vipward.toml"),
        "template.yaml is out of date; refresh it, in the root of the repository, with:\n\
         cargo run -p vipward -- render infra/example/vipward.toml --output template.yaml"
    );
}

/// Every `Ref` and `Fn::GetAtt` of a tree.
fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("Ref").and_then(Value::as_str));
            found.extend(map.get("Fn::GetAtt").and_then(|attribute| attribute[0].as_str()));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_no_tag_is_used() {
    let text = rendered("infra/example/vipward.toml");
    assert!(!text.contains(" !"), "short forms need a template language");
    let template = parsed(&text);
    let mut found = BTreeSet::new();
    references(&template, &mut found);
    for name in found.into_iter().filter(|name| !name.starts_with("AWS::")) {
        let there =
            ["Resources", "Parameters"].iter().any(|section| template[section].get(name).is_some());
        assert!(there, "{name} is nowhere");
    }
}

fn resources_of(template: &Value, kind: &str) -> Vec<Value> {
    let resources = template["Resources"].as_object().expect("it has resources").values();
    resources.filter(|resource| resource["Type"] == kind).cloned().collect()
}

#[test]
fn the_policy_decides_on_peer_alarms_and_hints() {
    let pair = fs::read_to_string(root().join(fixture("pair.toml"))).expect("a fixture");
    let file = scratch("alarms-alone.toml");
    fs::write(&file, format!("{pair}[policy]\npeer_alarms = true\nhints = false\n"))
        .expect("written");
    let with_hints = parsed(&rendered(&fixture("pair.toml")));
    let alarms_alone = rendered(&file.display().to_string());
    assert!(!alarms_alone.contains("vipward.agent"), "nobody may hint");
    let alarms_alone = parsed(&alarms_alone);
    let count = |template: &Value, kind| resources_of(template, kind).len();
    let alarms = |template: &Value, kind: &str| {
        let alarms = resources_of(template, "AWS::CloudWatch::Alarm");
        let names = alarms.iter().filter_map(|alarm| alarm["Properties"]["AlarmName"].as_str());
        names.filter(|name| name.contains(kind)).count()
    };
    assert_eq!((alarms(&alarms_alone, "/peer/"), alarms(&alarms_alone, "/hints")), (2, 0));
    assert_eq!((alarms(&with_hints, "/peer/"), alarms(&with_hints, "/hints")), (0, 2));
    let rules = "AWS::Events::Rule";
    assert_eq!(count(&alarms_alone, rules) + 1, count(&with_hints, rules));
}

#[test]
fn no_role_but_the_failover_functions_may_change_ec2() {
    let template = parsed(&rendered("infra/example/vipward.toml"));
    for role in resources_of(&template, "AWS::IAM::Role") {
        let moves = role.to_string().contains("ec2:Assign");
        let is_failovers = role["Properties"]["Description"] == "Moves the VIPs of cluster prod-db";
        assert_eq!(moves, is_failovers, "{role}");
    }
}

#[test]
fn a_wake_up_that_expires_goes_nowhere_and_an_undelivered_event_is_kept() {
    let template = parsed(&rendered("infra/example/vipward.toml"));
    for function in resources_of(&template, "AWS::Serverless::Function") {
        assert!(function["Properties"]["EventInvokeConfig"]["DestinationConfig"].is_null());
    }
    for role in resources_of(&template, "AWS::IAM::Role") {
        assert!(!role.to_string().contains("sqs:"), "only rules fill the queue: {role}");
    }
    let rules = resources_of(&template, "AWS::Events::Rule");
    assert!(!rules.is_empty());
    for rule in rules {
        let kept = &rule["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0];
        assert_eq!(kept, "DeadLetters");
    }
}

#[test]
fn the_template_names_the_directory_from_where_it_lies() {
    let output = scratch("elsewhere.yaml").display().to_string();
    let run =
        vipward(&["render", &fixture("pair.toml"), "--output", &output, "--config-dir", "conf"]);
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("wrote "), "{}", run.stderr);
    assert!(
        run.stderr.contains("warning: the template has no functions/failover"),
        "{}",
        run.stderr
    );
    let template = parsed(&fs::read_to_string(output).expect("written"));
    let layer = &resources_of(&template, "AWS::Serverless::LayerVersion")[0];
    assert_eq!(layer["Properties"]["ContentUri"], "conf");
}

#[test]
fn what_would_ship_besides_the_file_is_named() {
    let run = vipward(&["render", &fixture("pair.toml")]);
    let warning = "ships with the functions, including ";
    assert!(run.stderr.contains(warning), "the fixtures lie beside each other: {}", run.stderr);
    let alone = vipward(&["render", "infra/example/vipward.toml"]);
    assert_eq!(alone.stderr, "");
}

#[test]
fn a_template_that_cannot_be_written_is_a_failure() {
    let run = vipward(&[
        "render",
        &fixture("pair.toml"),
        "--output",
        "nowhere/t.yaml",
        "--config-dir",
        ".",
    ]);
    assert_eq!(run.exit_code, Some(1));
    let said = "error: the directory nowhere does not exist\nhint: create it, or name another file with --output\n";
    assert_eq!(run.stderr, said);
    let run = vipward(&["render", &fixture("pair.toml"), "--output", "infra"]);
    assert_eq!((run.exit_code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("error: cannot write infra: "), "{}", run.stderr);
}

use super::*;

fn parse(text: &str) -> Result<Scenario, Faults> {
    let files = |path: &Path| match path.to_str() {
        Some("event.json") => Ok(r#"{"source": "x"}"#.to_owned()),
        Some("list.json") => Ok("[]".to_owned()),
        Some("text.json") => Ok("hello".to_owned()),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    Scenario::parse(Path::new("x.scenario"), text, &files)
}

#[test]
fn every_statement_is_understood() {
    let text = "\
# All of it
cluster nodes=3 witnesses=1 services=mysql,redis service=redis group=db hints=off
policy stale_after=20s peer_alarms=on
delays describe_lag=2s alarm_evaluation_range_extra=3
answers assigned_again=refused
start unplaced
kill service mysql on node-1    # a comment
kill agent on witness-1
kill alias unit on node-1
kill node node-3
cut node-2
restore node-2
instance node-1 stopped
delete alias redis on node-1
put event event.json
forge hint of node-1 by node-2
fault ec2:AssignPrivateIpAddresses error RequestLimitExceeded 503 times 2
fault ec2:DescribeNetworkInterfaces stale 3s for 20s
fault events:deliver duplicate
clear faults
expect holder mysql is node-1 within 30s
expect client of redis served by node-2 within 60s
expect alias redis on node-1 within 1s
expect no alias redis on node-1 within 1s
expect hold mysql reason no-candidate within 60s
expect observation mysql on node-2 is unhealthy within 60s
expect decision mysql outcome failed within 60s
expect fault ec2:AssignPrivateIpAddresses error times 2 within 5s
expect denied node-2 events:PutEvents within 5s
expect moves redis = 1
expect notices = 1
expect alerts = 0
expect alert no-standby within 5s
expect no move of redis for 20s
";
    let scenario = parse(text).expect("is right");
    assert_eq!(scenario.title, "All of it");
    assert_eq!(scenario.steps.len(), 28);
    assert!(!scenario.spec.placed && !scenario.spec.hints);
    let stale = serde_json::json!({
        "on": "ec2:DescribeNetworkInterfaces", "kind": "stale", "ms": 3000, "for_ms": 20000,
    });
    let faults = scenario.steps.iter().filter_map(|step| match &step.statement {
        Statement::Act(Action::Fault(fault)) => Some(fault),
        _ => None,
    });
    assert_eq!(faults.collect::<Vec<_>>()[1], &stale);
}

#[test]
fn every_wrong_line_is_told_with_its_cure() {
    let text = "\
cluster nodes=0
cluster noodles=2
cluster services=a,a
cluster group=db
delays nix=3s
delays describe_lag=3
answers nix=accepted
answers assigned_again=perhaps
kill service svc on node-1
start
kill service other on node-1
kill agent on node-9
kill everything
cut
fault ec2:X error Code
fault ec2:X hiccup
fault ec2:X stale soon
fault ecs:RunTask lost-reply
put event none.json
put event list.json
put event text.json
expect holder svc is node-1
expect hold svc reason tired within 1s
expect moves svc = 1 please
expect notices 1
expect silence
frobnicate
";
    insta::assert_snapshot!(parse(text).expect_err("is wrong").to_string());
}

#[test]
fn a_file_that_starts_nothing_is_told_so() {
    let told = parse("# Idle\ncluster nodes=2\n").expect_err("is wrong").to_string();
    assert_eq!(
        told,
        "x.scenario:1: the cluster is never started; write `start` after its description"
    );
}

#[test]
fn a_file_that_expects_nothing_shows_nothing() {
    let told = parse("# Idle\nstart\n").expect_err("is wrong").to_string();
    assert_eq!(told, "x.scenario:1: nothing is expected; say with `expect ...` what must be seen");
}

#[test]
fn what_vipward_toml_would_refuse_is_told_of_the_line_that_says_it() {
    let text = "\
# All of it
policy nix=3 cooldown=60s
cluster services=a
policy stale_after=soon
start
expect no move of a for 1s
";
    insta::assert_snapshot!(parse(text).expect_err("is wrong").to_string());
}

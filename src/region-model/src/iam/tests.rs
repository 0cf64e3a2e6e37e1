//! What the roles of the very template that users deploy allow, and what they do not.

use serde_json::{Value, json};

use super::*;
use crate::Place;
use crate::template::Template;

const NODE: &str = "AKIANODE";
const FUNCTION: &str = "AKIAFUNCTION";
const QUERY: &str = "AKIAQUERY";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-bus/default";
const ENI: &str = "arn:aws:ec2:us-east-1:123456789012:network-interface/eni-0a1b2c3d4e5f60001";
const OTHER_ENI: &str =
    "arn:aws:ec2:us-east-1:123456789012:network-interface/eni-0a1b2c3d4e5f60009";
const HINT: &str = "vipward.agent.prod-db.resource-01";
const TAG: &str = "vipward:prod-db:redis";

fn shipped() -> Iam {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let text = std::fs::read_to_string(path).expect("the template users deploy");
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let template = Template::parse(&text, &place).expect("sound");
    let mut iam = Iam::new(template.roles);
    for (key, function) in [(FUNCTION, &template.functions[0]), (QUERY, &template.functions[1])] {
        iam.bind(key, function.role.as_deref().expect("has a role"));
    }
    iam.bind(NODE, &template.host_roles["Instance profile for the host of resource-01"]);
    iam
}

fn ask(action: &str, resources: &[&str], key: &'static str, values: &[&str]) -> Ask {
    let said = (!key.is_empty()).then(|| (key, values.iter().map(ToString::to_string).collect()));
    Ask {
        action: action.to_owned(),
        resources: resources.iter().map(ToString::to_string).collect(),
        context: Context::from_iter(said),
    }
}

/// Whether it is allowed: action, resources, condition key and its values.
type Row<'a> = (bool, &'a str, &'a [&'a str], &'static str, &'a [&'a str]);

fn check(iam: &Iam, who: &str, table: &[Row<'_>]) {
    for (wanted, action, resources, key, values) in table {
        let decision = iam.authorize(who, &ask(action, resources, key, values));
        assert_eq!(decision.is_ok(), *wanted, "{who} {action} {resources:?} {key} {values:?}");
        if let Err(denied) = decision {
            assert_eq!(denied.unjudged, None, "the shipped roles are understood in full");
        }
    }
}

#[test]
fn a_node_speaks_for_itself_only() {
    let put = "events:PutEvents";
    let data = "cloudwatch:PutMetricData";
    let peer = "vipward.agent.prod-db.resource-02";
    check(
        &shipped(),
        NODE,
        &[
            (true, data, &["*"], NAMESPACE, &["Vipward/prod-db/resource-01"]),
            (false, data, &["*"], NAMESPACE, &["Vipward/prod-db/resource-02"]),
            (false, data, &["*"], NAMESPACE, &["vipward/prod-db/resource-01"]),
            (false, data, &["*"], "", &[]),
            (true, put, &[BUS], SOURCE, &[HINT]),
            (true, put, &[BUS, BUS], SOURCE, &[HINT, HINT]),
            (false, put, &[BUS], SOURCE, &[peer]),
            (false, put, &[BUS, BUS], SOURCE, &[HINT, peer]),
            (false, put, &[BUS, BUS], SOURCE, &[peer, HINT]),
            (false, put, &[BUS], SOURCE, &["vipward.function"]),
            (false, put, &[BUS], SOURCE, &[""]),
            (false, put, &[BUS], "", &[]),
            (false, put, &[&BUS.replace("default", "other")], SOURCE, &[HINT]),
            (false, put, &[BUS, &BUS.replace("default", "other")], SOURCE, &[HINT, HINT]),
            (false, "ec2:AssignPrivateIpAddresses", &[ENI], "", &[]),
            (false, "ec2:CreateTags", &[ENI], TAG_KEYS, &[TAG]),
            (false, "ec2:DescribeInstances", &["*"], "", &[]),
            (false, "events:PutRule", &["*"], "", &[]),
            (false, "cloudwatch:SetAlarmState", &["*"], "", &[]),
            (false, "lambda:InvokeFunction", &["*"], "", &[]),
        ],
    );
}

#[test]
fn the_functions_touch_this_clusters_interfaces_only_and_looking_changes_nothing() {
    let (assign, tags) = ("ec2:AssignPrivateIpAddresses", "ec2:CreateTags");
    let put = "events:PutEvents";
    let iam = shipped();
    check(
        &iam,
        FUNCTION,
        &[
            (true, "ec2:DescribeNetworkInterfaces", &["*"], "", &[]),
            (true, "EC2:describeinstances", &["*"], "", &[]),
            (true, assign, &[ENI], "", &[]),
            (false, assign, &[OTHER_ENI], "", &[]),
            (false, assign, &["*"], "", &[]),
            (false, "ec2:UnassignPrivateIpAddresses", &[ENI], "", &[]),
            (true, tags, &[ENI], TAG_KEYS, &[TAG, "vipward:prod-db:mysql"]),
            (false, tags, &[ENI], TAG_KEYS, &[TAG, "Name"]),
            (false, tags, &[ENI], TAG_KEYS, &["vipward:other:redis"]),
            (false, tags, &[ENI], "", &[]),
            (false, tags, &[ENI, OTHER_ENI], TAG_KEYS, &[TAG]),
            (false, "ec2:DeleteTags", &[ENI], TAG_KEYS, &[TAG]),
            (true, put, &[BUS], SOURCE, &["vipward.function"]),
            (false, put, &[BUS], SOURCE, &[HINT]),
            (
                false,
                "cloudwatch:PutMetricData",
                &["*"],
                NAMESPACE,
                &["Vipward/prod-db/resource-01"],
            ),
        ],
    );
    check(
        &iam,
        QUERY,
        &[
            (true, "cloudwatch:DescribeAlarms", &["*"], "", &[]),
            (false, assign, &[ENI], "", &[]),
            (false, tags, &[ENI], TAG_KEYS, &[TAG]),
            (false, put, &[BUS], SOURCE, &["vipward.function"]),
        ],
    );
}

#[test]
fn who_has_no_role_may_do_all_and_who_has_an_unknown_one_nothing() {
    let mut iam = shipped();
    let assign = ask("ec2:AssignPrivateIpAddresses", &[OTHER_ENI], "", &[]);
    assert_eq!(iam.authorize("AKIASOMEBODY", &assign), Ok(()));
    iam.bind("AKIASOMEBODY", "arn:aws:iam::123456789012:role/Gone");
    assert!(iam.authorize("AKIASOMEBODY", &assign).is_err());
}

fn one(statement: &Value) -> Iam {
    let statements = vec![Statement::read(statement).expect("is read")];
    let mut iam = Iam::new([Role { arn: "r".to_owned(), statements }]);
    iam.bind("k", "r");
    iam
}

#[test]
fn what_cannot_be_judged_is_refused_and_told() {
    for (condition, unjudged) in [
        (json!({"StringEqualsIfExists": {"events:source": "a"}}), "operator StringEqualsIfExists"),
        (json!({"StringEquals": {"events:detail-type": "a"}}), "key events:detail-type"),
        (json!({"StringEquals": {"events:source": "a", "aws:SourceIp": "a"}}), "key aws:SourceIp"),
    ] {
        let iam = one(&json!({
            "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition,
        }));
        let denied = iam.authorize("k", &ask("events:PutEvents", &[BUS], SOURCE, &["a"]));
        let told = denied.expect_err("is not allowed").unjudged.expect("is told");
        assert!(told.contains(unjudged), "{told}");
    }
}

#[test]
fn one_operator_alone_is_not_enough_which_is_why_the_template_has_two() {
    let with = |condition: Value| {
        one(&json!({
            "Effect": "Allow", "Action": "events:*", "Resource": "*", "Condition": condition,
        }))
    };
    let forged = ask("events:PutEvents", &[BUS], SOURCE, &["own", "forged"]);
    let silent = ask("events:PutEvents", &[BUS], "", &[]);
    let any = with(json!({"StringEquals": {"Events:Source": "own"}}));
    assert!(any.authorize("k", &forged).is_ok() && any.authorize("k", &silent).is_err());
    let all = with(json!({"ForAllValues:StringEquals": {"events:source": ["own"]}}));
    assert!(all.authorize("k", &forged).is_err() && all.authorize("k", &silent).is_ok());
    let absent = with(json!({"Null": {"events:source": true}}));
    assert!(absent.authorize("k", &forged).is_err() && absent.authorize("k", &silent).is_ok());
}

#[test]
fn a_statement_that_is_not_read_is_an_error() {
    for (statement, wanted) in [
        (json!({"Effect": "Deny", "Action": "*", "Resource": "*"}), StatementError::Effect),
        (json!(null), StatementError::Effect),
        (
            json!({"Effect": "Allow", "NotAction": "*", "Resource": "*"}),
            StatementError::Element("NotAction".to_owned()),
        ),
        (
            json!({"Effect": "Allow", "Action": "*", "Resource": {"Ref": "X"}}),
            StatementError::NotTexts("Resource"),
        ),
        (json!({"Effect": "Allow", "Resource": "*"}), StatementError::NotTexts("Action")),
        (
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"k": 1}}}),
            StatementError::NotTexts("Condition"),
        ),
    ] {
        assert_eq!(Statement::read(&statement), Err(wanted), "{statement}");
    }
}

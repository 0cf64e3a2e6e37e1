use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event() -> Value {
    json!({
        "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "resources": ["arn:1", "arn:2"],
        "detail": {
            "alarmName": "vipward/prod-db/redis/a/self", "count": 300, "ratio": 0.5, "empty": [], "nothing": null,
            "state": {"value": "ALARM"}, "flag": true,
            "nodes": [{"name": "a", "up": true}, {"name": "b", "up": false}],
        },
    })
}

#[test]
fn patterns_match_as_the_guide_says() {
    let table = [
        // exact, nested, lists
        (json!({"source": ["aws.cloudwatch"]}), true),
        (json!({"source": ["aws.ec2", "aws.cloudwatch"]}), true),
        (json!({"source": ["aws.ec2"]}), false),
        (json!({"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["OK"]}}}), false),
        (json!({"detail": {"state": {"value": ["ALARM"]}}}), true),
        (json!({"detail": {"flag": [true], "nothing": [null]}}), true),
        (json!({"detail": {"count": [300]}}), true),
        (json!({"detail": {"count": [300.0]}}), false),
        (json!({"resources": ["arn:2"]}), true),
        (json!({"resources": ["arn:3"]}), false),
        (json!({"detail": {"nodes": {"name": ["b"], "up": [false]}}}), true),
        (json!({"detail": {"nodes": {"name": ["a"], "up": [false]}}}), false),
        (json!({"detail": {"state": ["ALARM"]}}), false),
        (json!({"detail": {"count": {"deeper": [300]}}}), false),
        // texts
        (json!({"detail": {"alarmName": [{"prefix": "vipward/prod-db/"}]}}), true),
        (json!({"detail": {"alarmName": [{"prefix": "vipward/other/"}]}}), false),
        (json!({"detail": {"alarmName": [{"prefix": {"equals-ignore-case": "VIPWARD/"}}]}}), true),
        (json!({"detail": {"alarmName": [{"suffix": "/self"}]}}), true),
        (json!({"detail": {"alarmName": [{"suffix": {"equals-ignore-case": "/SELF"}}]}}), true),
        (json!({"detail": {"count": [{"prefix": "3"}]}}), false),
        (json!({"detail": {"state": {"value": [{"equals-ignore-case": "alarm"}]}}}), true),
        (json!({"detail": {"state": {"value": [{"equals-ignore-case": "ok"}]}}}), false),
        (json!({"detail": {"alarmName": [{"wildcard": "vipward/*/redis/*/self"}]}}), true),
        (json!({"detail": {"alarmName": [{"wildcard": "vipward/*/mysql/*"}]}}), false),
        (json!({"detail": {"alarmName": [{"wildcard": "*"}]}}), true),
        (json!({"detail": {"alarmName": [{"wildcard": "vipward\\*"}]}}), false),
        // anything-but
        (json!({"detail": {"state": {"value": [{"anything-but": "OK"}]}}}), true),
        (json!({"detail": {"state": {"value": [{"anything-but": ["OK", "ALARM"]}]}}}), false),
        (json!({"detail": {"count": [{"anything-but": 300}]}}), false),
        (json!({"detail": {"absent": [{"anything-but": "x"}]}}), false),
        (json!({"resources": [{"anything-but": ["arn:1"]}]}), true),
        (json!({"detail": {"alarmName": [{"anything-but": {"prefix": "vipward/"}}]}}), false),
        (
            json!({"detail": {"alarmName": [{"anything-but": {"suffix": ["/peer", "/none"]}}]}}),
            true,
        ),
        (json!({"detail": {"alarmName": [{"anything-but": {"wildcard": "*/redis/*"}}]}}), false),
        (
            json!({"detail": {"state": {"value": [{"anything-but": {"equals-ignore-case": ["ok", "alarm"]}}]}}}),
            false,
        ),
        // numeric
        (json!({"detail": {"count": [{"numeric": ["=", 300]}]}}), true),
        (json!({"detail": {"count": [{"numeric": [">", 0, "<=", 300]}]}}), true),
        (json!({"detail": {"count": [{"numeric": [">", 0, "<", 300]}]}}), false),
        (json!({"detail": {"ratio": [{"numeric": [">=", 0.5]}]}}), true),
        (json!({"source": [{"numeric": ["=", 1]}]}), false),
        // exists
        (json!({"detail": {"count": [{"exists": true}]}}), true),
        (json!({"detail": {"count": [{"exists": false}]}}), false),
        (json!({"detail": {"absent": [{"exists": false}]}}), true),
        (json!({"detail": {"absent": [{"exists": true}]}}), false),
        (json!({"detail": {"gone": {"deeper": [{"exists": false}]}}}), true),
        (json!({"detail": {"empty": [{"exists": true}]}}), false),
        (json!({"detail": {"state": [{"exists": true}]}}), false),
        (json!({"detail": {"nothing": [{"exists": true}]}}), true),
        (json!({"detail": {"absent": ["x", {"exists": false}]}}), true),
        // $or
        (json!({"$or": [{"source": ["x"]}, {"detail": {"count": [300]}}]}), true),
        (json!({"$or": [{"source": ["x"]}, {"source": ["y"]}]}), false),
        (
            json!({"source": ["x"], "$or": [{"source": ["aws.cloudwatch"]}, {"source": ["y"]}]}),
            false,
        ),
        (json!({"detail": {"$or": [{"count": [1]}, {"ratio": [{"numeric": ["<", 1]}]}]}}), true),
    ];
    for (pattern, expected) in table {
        let parsed = Pattern::parse(&pattern).expect("a sound pattern");
        assert_eq!(parsed.matches(&event()), expected, "{pattern}");
        assert_eq!(parsed.source(), &pattern);
    }
}

#[test]
fn unsound_patterns_are_refused_with_their_place() {
    for (pattern, path) in [
        (json!({}), "$"),
        (json!([]), "$"),
        (json!({"source": "aws.ec2"}), "source"),
        (json!({"source": []}), "source"),
        (json!({"source": [["a"]]}), "source"),
        (json!({"detail": {"a": {}}}), "detail.a"),
        (json!({"detail": {"a": [{"prefix": 1}]}}), "detail.a"),
        (json!({"detail": {"a": [{"prefix": "a", "suffix": "b"}]}}), "detail.a"),
        (json!({"detail": {"a": [{"like": "b"}]}}), "detail.a"),
        (json!({"detail": {"a": [{"exists": "true"}]}}), "detail.a"),
        (json!({"detail": {"a": [{"numeric": [">"]}]}}), "detail.a"),
        (json!({"detail": {"a": [{"numeric": []}]}}), "detail.a"),
        (json!({"detail": {"a": [{"numeric": ["~", 1]}]}}), "detail.a"),
        (json!({"detail": {"a": [{"numeric": [">", "1"]}]}}), "detail.a"),
        (json!({"detail": {"a": [{"wildcard": "a**b"}]}}), "detail.a"),
        (json!({"detail": {"a": [{"wildcard": "a\\b"}]}}), "detail.a"),
        (json!({"detail": {"a": [{"anything-but": true}]}}), "detail.a"),
        (json!({"detail": {"a": [{"anything-but": []}]}}), "detail.a"),
        (json!({"detail": {"a": [{"anything-but": {"numeric": ["=", 1]}}]}}), "detail.a"),
        (json!({"$or": [{"source": ["a"]}]}), "$or"),
    ] {
        let error = Pattern::parse(&pattern).expect_err("unsound");
        assert_eq!(error.path, path, "{pattern}");
    }
}

proptest! {
    #[test]
    fn a_form_made_from_a_text_takes_it(parts in proptest::collection::vec("[a-c]{0,3}", 1..5), between in "[a-c]{0,4}") {
        let form = json!({"source": [{"wildcard": parts.join("*").replace("**", "*").replace("**", "*")}]});
        let event = json!({"source": parts.join(&between)});
        let pattern = Pattern::parse(&form).expect("a sound pattern");
        prop_assert!(pattern.matches(&event), "{form} {event}");
    }

    #[test]
    fn anything_but_is_the_opposite_for_texts(text in "[a-c]{0,3}", prefix in "[a-c]{1,2}") {
        let event = json!({"source": text});
        let plain = Pattern::parse(&json!({"source": [{"prefix": prefix}]})).expect("sound");
        let opposite = Pattern::parse(&json!({"source": [{"anything-but": {"prefix": prefix}}]})).expect("sound");
        prop_assert_ne!(plain.matches(&event), opposite.matches(&event));
    }
}

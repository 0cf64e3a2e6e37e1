use proptest::prelude::*;

use super::*;

const ALARM: Option<StateValue> = Some(StateValue::Alarm);
const OK: Option<StateValue> = Some(StateValue::Ok);
const INSUFFICIENT: Option<StateValue> = Some(StateValue::InsufficientData);
const KEEP: Option<StateValue> = None;

fn range(text: &str) -> Vec<Bucket> {
    text.split_whitespace()
        .map(|word| match word {
            "0" => Bucket::Good,
            "X" => Bucket::Breaching,
            _ => Bucket::Missing,
        })
        .collect()
}

/// AWS's own worked examples ("Configuring how CloudWatch alarms treat missing data"), N = 3, E =
/// 5: range, M, then the outcome for missing, ignore, breaching and notBreaching.
#[test]
fn the_worked_table_of_aws() {
    let table = [
        ("0 - X - X", 3, [OK, OK, OK, OK]),
        ("0 - - - -", 3, [OK, OK, OK, OK]),
        ("- - - - -", 3, [INSUFFICIENT, KEEP, ALARM, OK]),
        ("0 X X - X", 3, [ALARM, ALARM, ALARM, ALARM]),
        ("- - X - -", 3, [ALARM, KEEP, ALARM, OK]),
        ("0 - X - X", 2, [ALARM, ALARM, ALARM, ALARM]),
        ("0 0 X 0 X", 2, [ALARM, ALARM, ALARM, ALARM]),
        ("0 - X - -", 2, [OK, OK, ALARM, OK]),
        ("- - - - 0", 2, [OK, OK, ALARM, OK]),
        ("- - - X -", 2, [ALARM, KEEP, ALARM, OK]),
    ];
    let policies = [
        MissingData::Missing,
        MissingData::Ignore,
        MissingData::Breaching,
        MissingData::NotBreaching,
    ];
    for (text, to_alarm, outcomes) in table {
        for (missing, expected) in policies.into_iter().zip(outcomes) {
            let criteria = Criteria { periods: 3, to_alarm, missing };
            assert_eq!(
                evaluate(criteria, &range(text)),
                expected,
                "{text} M={to_alarm} {missing:?}"
            );
        }
    }
}

/// The alarm that vipward sets on a node's own word: 1 of 2, missing is breaching, E = 4.
#[test]
fn a_published_zero_alarms_at_once_and_silence_after_three_buckets() {
    let criteria = Criteria { periods: 2, to_alarm: 1, missing: MissingData::Breaching };
    for (text, expected) in [
        ("0 0 0 X", ALARM),
        ("0 0 0 -", OK),
        ("0 0 - -", OK),
        ("0 - - -", ALARM),
        ("- - - -", ALARM),
        ("- - - 0", ALARM),
        ("- - 0 0", OK),
    ] {
        assert_eq!(evaluate(criteria, &range(text)), expected, "{text}");
    }
}

fn bucket() -> impl Strategy<Value = Bucket> {
    prop_oneof![Just(Bucket::Good), Just(Bucket::Breaching), Just(Bucket::Missing)]
}

fn case() -> impl Strategy<Value = (usize, usize, Vec<Bucket>)> {
    (1_usize..6).prop_flat_map(|periods| (Just(periods), 1..=periods, 0_usize..4)).prop_flat_map(
        |(periods, to_alarm, extra)| {
            (Just(periods), Just(to_alarm), proptest::collection::vec(bucket(), periods + extra))
        },
    )
}

proptest! {
    #[test]
    fn the_policy_is_not_consulted_with_enough_data((periods, to_alarm, range) in case()) {
        prop_assume!(range.iter().filter(|b| **b != Bucket::Missing).count() >= periods);
        let outcomes = MissingData::ALL.map(|missing| evaluate(Criteria { periods, to_alarm, missing }, &range));
        prop_assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0] && outcome.is_some()));
    }

    #[test]
    fn policies_are_ordered((periods, to_alarm, range) in case()) {
        let [breaching, not_breaching, ignore, missing] =
            MissingData::ALL.map(|missing| evaluate(Criteria { periods, to_alarm, missing }, &range));
        // Whoever alarms with the mildest policy alarms with all; with the strictest, nobody else
        // need.
        if not_breaching == ALARM {
            prop_assert_eq!([breaching, ignore, missing], [ALARM; 3]);
        }
        if breaching == OK {
            prop_assert!([not_breaching, ignore, missing].iter().all(|outcome| *outcome != ALARM));
        }
        // What `ignore` decides, `missing` decides alike; what it keeps, `missing` never calls
        // good.
        if ignore == KEEP {
            prop_assert!(missing == ALARM || missing == INSUFFICIENT);
        } else {
            prop_assert_eq!(ignore, missing);
        }
    }

    #[test]
    fn only_the_doubtful_policies_doubt((periods, to_alarm, range) in case()) {
        for missing in [MissingData::Breaching, MissingData::NotBreaching] {
            let outcome = evaluate(Criteria { periods, to_alarm, missing }, &range);
            prop_assert!(outcome == OK || outcome == ALARM);
        }
    }
}

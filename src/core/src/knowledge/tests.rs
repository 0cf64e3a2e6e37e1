//! Never on doubt: by table, and over random answers.

use proptest::prelude::*;

use super::*;

const OWN: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 11);
const VIP: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 201);
/// It begins like the VIP.
const SIMILAR: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 20);

fn named() -> Answer {
    Answer::Addresses([OWN, VIP].into())
}

fn not_named() -> Answer {
    Answer::Addresses([OWN, SIMILAR].into())
}

fn failed() -> Answer {
    Answer::Unknown("503".to_owned())
}

fn after(answers: &[Answer]) -> Holding {
    let mut knowledge = Knowledge::new(OWN, [VIP]);
    for answer in answers {
        knowledge.on_answer(answer);
    }
    knowledge.holding(VIP)
}

#[test]
fn one_answer_is_enough_to_have_it_and_two_in_a_row_to_be_without() {
    let empty = || Answer::Addresses(BTreeSet::new());
    let of_another = || Answer::Addresses([SIMILAR].into());
    let table = [
        ("nothing heard", vec![], Holding::Unknown),
        ("named", vec![named()], Holding::Held),
        ("not named once", vec![not_named()], Holding::Unknown),
        ("not named twice", vec![not_named(), not_named()], Holding::NotHeld),
        ("held, then not named once", vec![named(), not_named()], Holding::Held),
        ("held, then not named twice", vec![named(), not_named(), not_named()], Holding::NotHeld),
        ("held, then errors", vec![named(), failed(), failed(), failed()], Holding::Held),
        ("held, then empty answers", vec![named(), empty(), empty(), empty()], Holding::Held),
        ("held, then another's", vec![named(), of_another(), of_another()], Holding::Held),
        ("an error between", vec![not_named(), failed(), not_named()], Holding::Unknown),
        (
            "held, then not named in every second answer",
            vec![named(), not_named(), empty(), not_named(), failed(), not_named()],
            Holding::Held,
        ),
        ("confirmed, then an error", vec![not_named(), not_named(), failed()], Holding::Unknown),
        ("empty from the start", vec![empty(), empty(), empty()], Holding::Unknown),
        ("back again", vec![not_named(), not_named(), named()], Holding::Held),
    ];
    for (name, answers, want) in table {
        assert_eq!(after(&answers), want, "{name}");
    }
}

#[test]
fn only_news_wakes_the_unit() {
    let mut knowledge = Knowledge::new(OWN, [VIP]);
    let heard =
        [named(), named(), failed(), failed(), named(), not_named(), not_named(), not_named()]
            .map(|answer| knowledge.on_answer(&answer));
    assert_eq!(heard, [true, false, true, false, true, false, true, false]);
    assert_eq!(knowledge.trouble(), None);
    knowledge.on_answer(&failed());
    assert_eq!(knowledge.trouble(), Some("503"));
}

#[test]
fn another_interface_is_another_matter() {
    let mut knowledge = Knowledge::new(OWN, [VIP]);
    knowledge.on_answer(&named());
    knowledge.forget();
    assert_eq!(knowledge.holding(VIP), Holding::Unknown);
    assert_eq!(knowledge.holding(SIMILAR), Holding::NotAsked);
}

fn answer() -> impl Strategy<Value = Answer> {
    let address = prop_oneof![Just(OWN), Just(VIP), Just(SIMILAR)];
    let addresses = prop::collection::btree_set(address, 0..4).prop_map(Answer::Addresses);
    prop_oneof![3 => Just(named()), 3 => Just(not_named()), 2 => addresses, 2 => Just(failed())]
}

proptest! {
    #[test]
    fn a_vip_is_cleared_only_after_two_good_answers_that_lack_it(
        answers in prop::collection::vec(answer(), 0..24),
    ) {
        let lacks = |answer: &Answer| match answer {
            Answer::Addresses(all) => all.contains(&OWN) && !all.contains(&VIP),
            Answer::Unknown(_) => false,
        };
        let confirmed = answers.len() >= 2 && answers.iter().rev().take(2).all(lacks);
        prop_assert_eq!(after(&answers) == Holding::NotHeld, confirmed);
    }
}

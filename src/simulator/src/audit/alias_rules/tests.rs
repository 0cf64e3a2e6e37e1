//! Each rule about aliases catches who breaks it.

use super::*;
use crate::history::cluster::named;

const SECOND: Duration = Duration::from_secs(1);
const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 201);
const A: &str = "eni-0000000a";
const B: &str = "eni-0000000b";

const DOUBT: Rule = Rule::AliasNeverRemovedOnDoubt;
const TOUCHES: Rule = Rule::AliasUnitTouchesItsOwn;
const COMES: Rule = Rule::AliasComes;
const GOES: Rule = Rule::AliasGoes;

fn book() -> AliasBook {
    AliasBook::new(Some(A), [VIP].into_iter())
}

fn with() -> Answer {
    Answer::Addresses([OWN, VIP].into())
}

fn without() -> Answer {
    Answer::Addresses([OWN].into())
}

fn removal(answers: &[Answer], mode: Option<AliasMode>) -> Option<Rule> {
    repair(answers, mode, &Repair { link: 2, vip: VIP, act: Act::Remove(32) }, &[])
}

fn repair(
    answers: &[Answer],
    mode: Option<AliasMode>,
    repair: &Repair,
    along: &[Ipv4Addr],
) -> Option<Rule> {
    let mut book = book();
    for answer in answers {
        book.heard.entry(named("a")).or_default().hears(OWN, answer, SECOND);
    }
    book.judge_repair(&named("a"), mode, repair, along).map(|(rule, _)| rule)
}

#[test]
fn two_answers_in_a_row_take_an_alias_away_and_nothing_else_does() {
    let follow = Some(AliasMode::Follow);
    let empty = || Answer::Addresses([].into());
    let lacks_own = || Answer::Addresses([Ipv4Addr::new(10, 0, 0, 30)].into());
    let silent = || Answer::Unknown("no answer".to_owned());
    let sure = [without(), without()];
    assert_eq!(removal(&sure, follow), None);
    assert_eq!(removal(&[with(), without(), without()], follow), None);
    assert_eq!(removal(&sure, Some(AliasMode::Static)), Some(DOUBT));
    for answers in [
        vec![],
        vec![without()],
        vec![with(), without()],
        vec![without(), silent()],
        vec![without(), silent(), without()],
        vec![without(), empty(), without()],
        vec![without(), lacks_own()],
        vec![empty(), empty()],
    ] {
        assert_eq!(removal(&answers, follow), Some(DOUBT), "{answers:?}");
    }
}

#[test]
fn it_touches_vips_of_the_file_on_its_interface_alone() {
    let sure = [without(), without()];
    let follow = Some(AliasMode::Follow);
    let add = |link| Repair { link, vip: VIP, act: Act::Add };
    assert_eq!(repair(&[], follow, &add(2), &[]), None);
    assert_eq!(repair(&[], None, &add(2), &[]), Some(TOUCHES));
    assert_eq!(repair(&[], follow, &add(3), &[]), Some(TOUCHES));
    let remove = Repair { link: 2, vip: VIP, act: Act::Remove(24) };
    assert_eq!(repair(&sure, follow, &remove, &[OWN]), Some(TOUCHES));
}

/// A VIP that stands with node a as the case says, a hundred seconds into the history.
fn standing(mode: AliasMode, present: bool) -> Standing {
    Standing {
        node: named("a"),
        eni: A.to_owned(),
        service: named("svc"),
        vip: VIP,
        mode,
        present,
        bound: false,
        sound_since: Some(SECOND * 50),
        metadata_since: Some(Duration::ZERO),
        lag: SECOND,
    }
}

/// What is said of it when EC2 gave the VIP to `holder` at second 60.
fn judged(holder: &str, at: u32, standing: &Standing) -> Option<Rule> {
    let mut book = AliasBook::new(Some("eni-0000000c"), [VIP].into_iter());
    book.goes_to(VIP, Some(holder), SECOND * 60);
    book.judge(SECOND * at, standing).map(|(rule, _)| rule)
}

#[test]
fn an_alias_that_stays_away_is_found() {
    let missing = standing(AliasMode::Follow, false);
    assert_eq!(judged(A, 67, &missing), None, "it has time until then");
    assert_eq!(judged(A, 68, &missing), Some(COMES));
    assert_eq!(judged(B, 100, &missing), None);
    assert_eq!(judged(A, 100, &standing(AliasMode::Follow, true)), None);
    let fixed = standing(AliasMode::Static, false);
    assert_eq!((judged(B, 56, &fixed), judged(B, 57, &fixed)), (None, Some(COMES)));
    for excused in [
        Standing { sound_since: None, ..missing.clone() },
        Standing { metadata_since: None, ..missing.clone() },
        Standing { metadata_since: Some(SECOND * 99), ..missing.clone() },
        Standing { lag: SECOND * 39, ..missing.clone() },
    ] {
        assert_eq!(judged(A, 100, &excused), None, "{excused:?}");
    }
}

#[test]
fn what_a_unit_was_told_it_keeps_when_the_metadata_are_out() {
    let mut book = book();
    book.heard.entry(named("a")).or_default().hears(OWN, &with(), SECOND * 10);
    let missing = Standing { metadata_since: None, ..standing(AliasMode::Follow, false) };
    assert_eq!(book.judge(SECOND * 100, &missing).map(|(rule, _)| rule), Some(COMES));
    let mut hears = |answer: &Answer| {
        book.heard.entry(named("a")).or_default().hears(OWN, answer, SECOND * 20);
        book.judge(SECOND * 100, &missing).map(|(rule, _)| rule)
    };
    assert_eq!(hears(&without()), Some(COMES), "one odd answer");
    assert_eq!(hears(&Answer::Unknown("503".to_owned())), Some(COMES));
    assert_eq!(hears(&without()), Some(COMES));
    assert_eq!(hears(&without()), None, "it was told otherwise since");
}

#[test]
fn an_alias_that_stays_behind_is_found() {
    let left = standing(AliasMode::Follow, true);
    assert_eq!((judged(B, 67, &left), judged(B, 68, &left)), (None, Some(GOES)));
    assert_eq!(judged(B, 100, &standing(AliasMode::Static, true)), None);
    assert_eq!(judged(B, 100, &Standing { bound: true, ..left.clone() }), None);
    assert_eq!(judged(B, 100, &Standing { metadata_since: None, ..left }), None);
}

fn auditor() -> Auditor {
    let text = concat!(
        include_str!("../../../fixtures/pair.toml"),
        "[policy]
alias = \"follow\"
"
    );
    let config = vipward_core::Config::parse("sim", text).expect("it is right");
    Auditor::new(
        &config,
        crate::history::truth::Truth::default(),
        jiff::Timestamp::UNIX_EPOCH,
        false,
        false,
    )
}

fn end_with(standings: &[Standing], repaired: Option<u32>) -> Option<Rule> {
    let mut auditor = auditor();
    if let Some(at) = repaired {
        let add = Repair { link: 2, vip: VIP, act: Act::Add };
        auditor.unit_repaired(SECOND * at, &named("a"), &add, &[]);
    }
    auditor.ends_aliases(SECOND * 600, SECOND * 300, standings);
    auditor.breaches().first().map(|breach| breach.rule)
}

#[test]
fn at_rest_the_holder_has_the_address_and_in_follow_nobody_else() {
    const RULE: Rule = Rule::AliasAtHolderAtRest;
    let on_b = |standing| Standing { eni: B.to_owned(), ..standing };
    let (has, lacks) = (standing(AliasMode::Follow, true), standing(AliasMode::Follow, false));
    assert_eq!(end_with(&[has.clone(), on_b(lacks.clone())], None), None);
    assert_eq!(end_with(std::slice::from_ref(&lacks), None), Some(RULE));
    assert_eq!(end_with(&[has.clone(), on_b(has.clone())], None), Some(RULE));
    assert_eq!(end_with(&[on_b(Standing { bound: true, ..has })], None), None);
    assert_eq!(end_with(&[on_b(standing(AliasMode::Static, false))], None), Some(RULE));
    // Also one whose unit is not sound: nobody excuses that any more.
    assert_eq!(end_with(&[Standing { sound_since: None, ..lacks }], None), Some(RULE));
}

#[test]
fn at_rest_no_alias_is_changed() {
    let standings = [standing(AliasMode::Follow, true)];
    assert_eq!(end_with(&standings, Some(307)), None);
    let rule = Rule::AliasesRest;
    assert_eq!(end_with(&standings, Some(308)), Some(rule));
}

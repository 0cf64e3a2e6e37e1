use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Effect, EnvironmentId, FunctionSpec, Lambda, Settings};
use crate::journal::JournalEvent;

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

fn lambda(change: impl FnOnce(&mut FunctionSpec)) -> Lambda {
    let settings = Settings {
        init_timeout: SignedDuration::from_secs(10),
        error_retry: SignedDuration::from_secs(60),
        throttle_first: SignedDuration::from_secs(1),
        throttle_most: SignedDuration::from_secs(300),
        account_concurrency: 10,
    };
    let mut function = FunctionSpec {
        name: "f".to_owned(),
        arn: "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned(),
        timeout: SignedDuration::from_secs(5),
        memory_mb: 128,
        reserved: Some(1),
        role: None,
        environment: BTreeMap::new(),
        max_event_age: SignedDuration::from_hours(6),
        max_retries: 2,
    };
    change(&mut function);
    Lambda::new(settings, [function])
}

/// What the effects are, in short: `start`, `hand`, `stop`, `answer`.
fn names(effects: &[Effect]) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Start { .. } => "start",
        Effect::Hand { .. } => "hand",
        Effect::Stop { .. } => "stop",
        Effect::Answer { .. } => "answer",
    };
    effects.iter().map(name).collect()
}

fn answer(effects: &[Effect]) -> (String, bool) {
    let mut answers = effects.iter().filter_map(|effect| match effect {
        Effect::Answer { answer, .. } => Some(answer),
        _ => None,
    });
    let answer = answers.next().expect("an answer");
    let text = String::from_utf8(answer.payload.clone()).expect("text");
    (text, answer.error.is_some())
}

/// Runs all that is due at each deadline; every invocation ends as `ends` says, at once.
fn run(lambda: &mut Lambda, ends: impl Fn(i64) -> Answer, last: i64) -> Vec<(i64, &'static str)> {
    let mut seen = Vec::new();
    let mut now = at(0);
    while now <= at(last) {
        for effect in lambda.advance(now) {
            seen.push((now.as_second(), names(std::slice::from_ref(&effect))[0]));
            if let Effect::Hand { environment, invocation } = effect {
                lambda.began(environment, now).expect("handed");
                let done = ends(now.as_second());
                assert!(lambda.ended(environment, &invocation.request_id, done, now));
            }
        }
        let Some(next) = lambda.next_deadline() else {
            break;
        };
        now = next;
    }
    seen
}

fn dropped(lambda: &Lambda) -> Vec<&str> {
    let reasons = lambda.journal.iter().filter_map(|event| match event {
        JournalEvent::InvocationDropped { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn a_synchronous_invocation_goes_to_a_new_environment_and_the_next_to_the_same() {
    let mut lambda = lambda(|_| {});
    let first = lambda.invoke("f", b"1".to_vec(), at(0)).expect("room");
    assert_eq!(names(&lambda.advance(at(0))), ["start", "hand"]);
    assert_eq!(lambda.next_deadline(), Some(at(10)), "the process has its time to start");
    assert_eq!(lambda.began(ENVIRONMENT, at(2)), Some(at(7)));
    assert!(!lambda.ended(ENVIRONMENT, "other", Answer::ok(vec![]), at(3)));
    assert!(lambda.ended(ENVIRONMENT, &first, Answer::ok(b"2".to_vec()), at(3)));
    assert_eq!(answer(&lambda.advance(at(3))), ("2".to_owned(), false));
    lambda.invoke("123456789012:function:f:$LATEST", vec![], at(4)).expect("room again");
    assert_eq!(names(&lambda.advance(at(4))), ["hand"]);
}

#[test]
fn reserved_concurrency_refuses_a_second_caller() {
    let mut lambda = lambda(|_| {});
    lambda.invoke("f", vec![], at(0)).expect("room");
    let error = lambda.invoke("f", vec![], at(0)).expect_err("one at a time");
    assert_eq!((error.code.as_ref(), error.status), ("TooManyRequestsException", 429));
    let unknown = lambda.invoke("g", vec![], at(0)).expect_err("not there");
    assert_eq!((unknown.code.as_ref(), unknown.status), ("ResourceNotFoundException", 404));
}

#[test]
fn functions_without_a_reservation_share_what_the_others_leave() {
    let mut lambda = lambda(|function| function.reserved = None);
    for _ in 0..10 {
        lambda.invoke("f", vec![], at(0)).expect("room");
    }
    lambda.invoke("f", vec![], at(0)).expect_err("the account's concurrency is used up");
}

#[test]
fn a_function_that_runs_too_long_is_stopped_and_answered_for() {
    let mut lambda = lambda(|_| {});
    lambda.invoke("f", vec![], at(0)).expect("room");
    lambda.advance(at(0));
    lambda.began(ENVIRONMENT, at(1));
    assert!(lambda.advance(at(5)).is_empty());
    let effects = lambda.advance(at(6));
    assert_eq!(names(&effects), ["stop", "answer"]);
    let (text, failed) = answer(&effects);
    assert!(failed && text.contains("Task timed out after 5.00 seconds"), "{text}");
    assert_eq!(lambda.began(ENVIRONMENT, at(7)), None);
}

#[test]
fn an_environment_that_never_asks_for_work_is_given_up() {
    let mut lambda = lambda(|_| {});
    lambda.invoke("f", vec![], at(0)).expect("room");
    lambda.advance(at(0));
    assert_eq!(names(&lambda.advance(at(10))), ["stop", "answer"]);
}

#[test]
fn a_crash_or_an_init_error_is_an_error_answer_and_the_next_starts_anew() {
    let mut lambda = lambda(|_| {});
    lambda.invoke("f", vec![], at(0)).expect("room");
    lambda.advance(at(0));
    lambda.exited(ENVIRONMENT, "exit status 1", at(1));
    let (text, failed) = answer(&lambda.advance(at(1)));
    assert!(failed && text.contains("Runtime exited with error: exit status 1"), "{text}");

    lambda.invoke("f", vec![], at(2)).expect("room");
    assert_eq!(names(&lambda.advance(at(2))), ["start", "hand"]);
    lambda.init_failed(EnvironmentId(2), b"{\"errorType\":\"x\"}".to_vec(), at(3));
    assert_eq!(answer(&lambda.advance(at(3))), ("{\"errorType\":\"x\"}".to_owned(), true));
}

#[test]
fn a_failing_event_is_tried_again_after_one_and_two_minutes_then_dropped() {
    let mut lambda = lambda(|_| {});
    lambda.enqueue("f", vec![], at(0)).expect("queued");
    let seen = run(&mut lambda, |_| Answer::reported(vec![]), 1000);
    let hands: Vec<_> =
        seen.iter().filter(|(_, name)| *name == "hand").map(|(at, _)| *at).collect();
    assert_eq!(hands, [0, 60, 180]);
    assert_eq!(dropped(&lambda), ["RetriesExhausted"]);
}

#[test]
fn retries_end_with_success_with_the_configured_number_or_with_age() {
    let mut succeeds = lambda(|_| {});
    succeeds.enqueue("f", vec![], at(0)).expect("queued");
    let ends = |at| {
        if at == 0 { Answer::reported(vec![]) } else { Answer::ok(vec![]) }
    };
    assert_eq!(run(&mut succeeds, ends, 1000).last(), Some(&(60, "hand")));
    assert!(dropped(&succeeds).is_empty());

    let mut none = lambda(|function| function.max_retries = 0);
    none.enqueue("f", vec![], at(0)).expect("queued");
    run(&mut none, |_| Answer::reported(vec![]), 1000);
    assert_eq!(dropped(&none), ["RetriesExhausted"]);

    let mut old = lambda(|function| function.max_event_age = SignedDuration::from_secs(59));
    old.enqueue("f", vec![], at(0)).expect("queued");
    run(&mut old, |_| Answer::reported(vec![]), 1000);
    assert_eq!(dropped(&old), ["EventAgeExceeded"]);
}

#[test]
fn throttled_events_wait_a_second_and_twice_as_long_each_time() {
    let mut lambda = lambda(|function| function.timeout = SignedDuration::from_secs(900));
    lambda.invoke("f", vec![], at(0)).expect("room");
    lambda.advance(at(0));
    lambda.began(ENVIRONMENT, at(0));
    lambda.enqueue("f", vec![], at(0)).expect("queued");
    let mut waits = Vec::new();
    let mut now = at(0);
    while now < at(900) {
        assert!(lambda.advance(now).is_empty(), "{now}");
        let next = lambda.next_deadline().expect("still queued");
        waits.push(next.duration_since(now).as_secs());
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 89]);
    assert_eq!(names(&lambda.advance(at(900))), ["stop", "answer"]);
    assert_eq!(names(&lambda.advance(at(1111))), ["start", "hand"]);
}

#[test]
fn without_room_in_the_account_callers_are_refused_and_events_wait() {
    let mut lambda = lambda(|_| {});
    lambda.set_throttled(true);
    let refused = lambda.invoke("f", vec![], at(0)).expect_err("no room");
    assert_eq!((&*refused.code, refused.status), ("TooManyRequestsException", 429));
    lambda.enqueue("f", vec![], at(0)).expect("queued");
    assert!(lambda.advance(at(0)).is_empty());
    lambda.set_throttled(false);
    assert_eq!(names(&lambda.advance(at(1))), ["start", "hand"]);
}

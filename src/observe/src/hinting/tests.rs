use super::*;

/// Milliseconds since the epoch.
fn at(milliseconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_millis(milliseconds)
}

/// One line of a history.
enum Step {
    /// At that time: is there trouble, and what is it that changed.
    Change(u64, bool, News),
    /// The next hint is due at that time, is sent then and takes that long.
    Sent(u64, u64),
    /// No hint is due, ever.
    Quiet,
}
use Step::{Change, Quiet, Sent};

fn play(what: &str, steps: &[Step]) {
    let mut hinting = Hinting::default();
    for (index, step) in steps.iter().enumerate() {
        match *step {
            Change(when, trouble, news) => hinting.on_change(at(when), trouble, news),
            Sent(when, took) => {
                assert_eq!(hinting.deadline(), Some(at(when)), "{what}: step {index}");
                assert!(
                    !hinting.poll(at(when) - Duration::from_millis(1), None),
                    "{what}: step {index}"
                );
                assert!(hinting.poll(at(when), None), "{what}: step {index}");
                assert_eq!(hinting.deadline(), None, "{what}: one at a time");
                assert!(!hinting.poll(at(when + took), None), "{what}: one at a time");
                hinting.done(at(when + took), true);
            }
            Quiet => assert_eq!(hinting.deadline(), None, "{what}: step {index}"),
        }
    }
}

#[test]
fn hints_follow_the_table() {
    play("no trouble, no hint", &[Quiet, Change(0, false, News::Own), Quiet]);
    play(
        "trouble is told at once and again while it lasts",
        &[
            Change(500, true, News::Own),
            Sent(500, 20),
            Sent(1500, 20),
            Sent(3500, 20),
            Sent(7500, 20),
            Sent(17_500, 20),
            Sent(27_500, 20),
        ],
    );
    play(
        "a change of trouble is told at once and starts the pauses over",
        &[
            Change(0, true, News::Own),
            Sent(0, 20),
            Sent(1000, 20),
            Change(1200, true, News::Own),
            Sent(1200, 20),
            Sent(2200, 20),
        ],
    );
    play(
        "the end of another's trouble is silence",
        &[Change(0, true, News::Others), Sent(250, 20), Change(300, false, News::Others), Quiet],
    );
    play(
        "the end of own trouble is told once",
        &[
            Change(0, true, News::Own),
            Sent(0, 20),
            Change(300, false, News::OwnAllClear),
            Sent(300, 20),
            Quiet,
        ],
    );
    play(
        "and not lost when something else changes before it is sent",
        &[Change(0, false, News::OwnAllClear), Change(10, false, News::Others), Sent(0, 20), Quiet],
    );
}

#[test]
fn news_of_others_waits_for_their_own_word() {
    play(
        "another's trouble is told a moment later",
        &[Change(0, true, News::Others), Sent(250, 20), Sent(1250, 20)],
    );
    play(
        "and does not hold own trouble back",
        &[Change(0, true, News::Others), Change(50, true, News::Own), Sent(50, 20)],
    );
    play(
        "nor is it held back by it",
        &[Change(0, true, News::Own), Change(0, true, News::Others), Sent(0, 20)],
    );
}

#[test]
fn what_is_due_during_a_hint_follows_it() {
    let mut hinting = Hinting::default();
    hinting.on_change(at(0), true, News::Own);
    assert!(hinting.poll(at(0), None));
    hinting.on_change(at(100), true, News::Own);
    assert!(!hinting.poll(at(100), None));
    hinting.done(at(200), true);
    assert!(hinting.poll(at(5000), None));
    hinting.done(at(5000), true);
    assert_eq!(hinting.deadline(), Some(at(6000)));
}

#[test]
fn the_moment_at_which_an_observation_decides_alone_is_not_slept_through() {
    let mut hinting = Hinting::default();
    hinting.on_change(at(0), true, News::Others);
    let threshold = at(5000);
    let mut sent = Vec::new();
    while let Some(due) = hinting.deadline().filter(|due| *due < at(20_000)) {
        assert!(hinting.poll(due, Some(threshold).filter(|at| *at > due)));
        hinting.done(due, true);
        sent.push(due);
    }
    assert_eq!(sent, [250, 1250, 3250, 5000, 15_000].map(at));
}

#[test]
fn a_hint_that_could_not_be_sent_is_soon_tried_again() {
    let mut hinting = Hinting::default();
    hinting.on_change(at(0), true, News::Own);
    for due in [0, 1000, 3000, 7000] {
        assert!(hinting.poll(at(due), None));
        hinting.done(at(due), true);
    }
    assert!(hinting.poll(at(17_000), None));
    hinting.done(at(19_000), false);
    assert_eq!(hinting.deadline(), Some(at(20_000)));
}

#[test]
fn hints_that_fail_are_repeated_ever_less_often_until_one_gets_through() {
    let mut hinting = Hinting::default();
    hinting.on_change(at(0), false, News::OwnAllClear);
    let mut tried = Vec::new();
    for _ in 0..9 {
        let due = hinting.deadline().expect("it is not told yet");
        assert!(hinting.poll(due, None));
        hinting.done(due, false);
        tried.push(due);
    }
    let seconds = [0, 1, 3, 7, 15, 31, 63, 123, 183];
    assert_eq!(tried, seconds.map(|second| at(second * 1_000)), "an all-clear is not lost");
    assert!(hinting.poll(at(243_000), None));
    hinting.done(at(243_000), true);
    assert_eq!(hinting.deadline(), None);
    hinting.on_change(at(300_000), true, News::Own);
    assert!(hinting.poll(at(300_000), None));
    hinting.done(at(300_000), false);
    assert_eq!(hinting.deadline(), Some(at(301_000)), "and the pauses start over");
}

#[test]
fn what_was_never_told_of_another_is_told_though_it_is_over() {
    let mut hinting = Hinting::default();
    hinting.on_change(at(0), true, News::Others);
    assert!(hinting.poll(at(250), None));
    hinting.done(at(250), false);
    hinting.on_change(at(500), false, News::Others);
    assert_eq!(hinting.deadline(), Some(at(1_250)), "or nobody would see that hints work again");
    assert!(hinting.poll(at(1_250), None));
    hinting.on_change(at(1_300), false, News::Others);
    hinting.done(at(1_400), true);
    assert_eq!(hinting.deadline(), None);
}

#[test]
fn a_stall_ends_trouble_and_not_that_hints_fail() {
    for sent in [true, false] {
        let mut hinting = Hinting::default();
        hinting.on_change(at(0), true, News::Own);
        assert!(hinting.poll(at(0), None));
        hinting.done(at(0), sent);
        hinting.on_stall(at(60_000));
        assert_eq!(hinting.deadline(), (!sent).then_some(at(60_000)));
    }
}

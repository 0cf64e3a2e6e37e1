use super::*;

const INTERVAL: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn publishing() -> Publishing {
    Publishing::new(INTERVAL, at(0))
}

#[test]
fn ticks_come_at_the_interval_whatever_changes_between() {
    let mut publishing = publishing();
    assert_eq!((publishing.deadline(), publishing.poll(at(9), None)), (Some(at(10)), None));
    for (seconds, reason) in
        [(10, Reason::Tick), (20, Reason::Tick), (23, Reason::Change), (30, Reason::Tick)]
    {
        if reason == Reason::Change {
            publishing.on_change(at(seconds));
        }
        assert_eq!(publishing.deadline(), Some(at(seconds)));
        assert_eq!(publishing.poll(at(seconds), None), Some(reason));
        publishing.done();
    }
}

#[test]
fn what_becomes_due_during_a_request_is_sent_once_after_it() {
    let mut publishing = publishing();
    publishing.on_change(at(1));
    assert_eq!(publishing.poll(at(1), None), Some(Reason::Change));
    for seconds in 2..45 {
        publishing.on_change(at(seconds));
        assert_eq!((publishing.deadline(), publishing.poll(at(seconds), None)), (None, None));
    }
    publishing.done();
    assert_eq!(publishing.poll(at(45), None), Some(Reason::Change));
    publishing.done();
    assert_eq!(publishing.deadline(), Some(at(50)), "missed ticks are not made up for");
}

#[test]
fn a_tick_missed_during_a_request_is_sent_after_it() {
    let mut publishing = publishing();
    assert_eq!(publishing.poll(at(10), None), Some(Reason::Tick));
    publishing.done();
    assert_eq!(publishing.poll(at(20), None), Some(Reason::Tick));
    assert_eq!(publishing.poll(at(33), None), None);
    publishing.done();
    assert_eq!(publishing.poll(at(33), None), Some(Reason::Tick));
    publishing.done();
    assert_eq!(publishing.deadline(), Some(at(40)));
}

#[test]
fn a_change_that_meets_a_tick_is_one_request() {
    let mut publishing = publishing();
    publishing.on_change(at(10));
    assert_eq!(publishing.poll(at(10), None), Some(Reason::Change));
    publishing.done();
    assert_eq!(publishing.deadline(), Some(at(20)));
}

#[test]
fn a_threshold_is_a_tick_from_which_the_others_go_on() {
    let mut publishing = publishing();
    publishing.on_change(at(2));
    assert_eq!(publishing.poll(at(2), Some(at(15))), Some(Reason::Change));
    publishing.done();
    for (seconds, threshold) in [(10, Some(at(15))), (15, None), (25, None)] {
        assert_eq!(publishing.deadline(), Some(at(seconds)));
        assert_eq!(publishing.poll(at(seconds), threshold), Some(Reason::Tick));
        publishing.done();
    }
}

#[test]
fn a_threshold_within_a_second_is_published_together() {
    let mut publishing = publishing();
    let soon = at(10) + Duration::from_millis(90);
    assert_eq!(publishing.poll(at(10), Some(soon)), Some(Reason::Tick));
    publishing.done();
    assert_eq!(publishing.deadline(), Some(at(11)));
}

#[test]
fn a_change_in_the_second_of_another_publication_is_told_once_more() {
    let moment = |ms| Timestamp::UNIX_EPOCH + Duration::from_millis(ms);
    for (change, again) in [(10_800, Some(12_300)), (11_499, Some(12_999)), (11_500, None)] {
        let mut publishing = publishing();
        assert_eq!(publishing.poll(at(10), None), Some(Reason::Tick));
        publishing.done();
        publishing.on_change(moment(change));
        assert_eq!(publishing.poll(moment(change), None), Some(Reason::Change));
        publishing.done();
        if let Some(again) = again {
            assert_eq!(publishing.deadline(), Some(moment(again)), "{change}");
            assert_eq!(publishing.poll(moment(again), None), Some(Reason::Tick));
            publishing.done();
        }
        assert_eq!(publishing.deadline(), Some(at(20)), "the ticks go on as before");
    }
}

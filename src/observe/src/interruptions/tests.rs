//! What AWS's documentation shows, and what it does not.

use super::*;

/// 21 January 2019, 08:50 UTC, and some minutes.
fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2019-01-21T08:50:00Z".parse().expect("a time");
    start + jiff::SignedDuration::from_mins(minutes)
}

fn after(notice: Notice, text: &str) -> Notices {
    let mut notices = Notices::new(at(0));
    assert_eq!(notices.done(notice, &Ok(Some(text.to_owned()))), None, "{text}");
    notices
}

#[test]
fn each_notice_is_understood() {
    for (notice, text, reason) in [
        (
            Notice::Spot,
            r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#,
            Some("spot interruption: terminate at 2017-09-18T08:22:00Z"),
        ),
        (
            Notice::Rebalance,
            r#"{"noticeTime": "2020-10-27T08:22:00Z"}"#,
            Some("rebalance recommendation of 2020-10-27T08:22:00Z"),
        ),
        (Notice::Maintenance, "[]", None),
        (Notice::AutoScaling, "InService", None),
        (Notice::AutoScaling, "Standby", None),
        (Notice::AutoScaling, "Warmed:Running", None),
        (Notice::AutoScaling, "Warmed:Stopped", Some("Auto Scaling: Warmed:Stopped")),
        (Notice::AutoScaling, "Terminated", Some("Auto Scaling: Terminated")),
    ] {
        assert_eq!(after(notice, text).reason(at(0)), reason, "{text}");
    }
}

#[test]
fn a_node_leaves_shortly_before_maintenance_and_comes_back_after_it() {
    let event = |state: &str| {
        format!(
            r#"[{{"NotBefore": "21 Jan 2019 09:00:43 GMT", "Code": "system-reboot",
                "Description": "scheduled reboot", "EventId": "instance-event-0d59937288b749b32",
                "NotAfter": "21 Jan 2019 09:17:23 GMT", "State": "{state}"}}]"#
        )
    };
    let active = after(Notice::Maintenance, &event("active"));
    let leaves = |minutes| active.reason(at(minutes)).is_some();
    assert_eq!([0, 5, 6, 27, 28].map(leaves), [false, false, true, true, false]);
    let reason = "scheduled maintenance: system-reboot from 21 Jan 2019 09:00:43 GMT";
    assert_eq!(active.reason(at(10)), Some(reason));
    assert_eq!(after(Notice::Maintenance, &event("completed")).reason(at(10)), None);
    assert_eq!(after(Notice::Maintenance, &event("canceled")).reason(at(10)), None);
}

#[test]
fn of_several_events_each_counts_in_its_time() {
    let event = |code: &str, from: &str, until: &str| {
        format!(
            r#"{{"Code": "{code}", "State": "active",
                "NotBefore": "21 Jan 2019 {from}:00 GMT", "NotAfter": "21 Jan 2019 {until}:00 GMT"}}"#
        )
    };
    let (first, second) = (event("one", "09:00", "09:10"), event("two", "09:30", "09:40"));
    let notices = after(Notice::Maintenance, &format!("[{first}, {second}]"));
    let code = |minutes| notices.reason(at(minutes)).and_then(|reason| reason.split(' ').nth(2));
    let codes = [0, 6, 21, 36, 51].map(code);
    assert_eq!(codes, [None, Some("one"), None, Some("two"), None]);
    let ancient = r#"[{"NotBefore": "01 Jan -9999 00:00:00 GMT", "Code": "one"}]"#;
    assert_eq!(after(Notice::Maintenance, ancient).reason(at(0)), None);
}

#[test]
fn what_is_no_longer_announced_is_over_and_what_cannot_be_read_is_as_before() {
    let mut notices = after(Notice::AutoScaling, "Terminated");
    let late = Err(MetadataError("timed out".to_owned()));
    assert_eq!(notices.done(Notice::AutoScaling, &late), Some("timed out".to_owned()));
    assert_eq!(notices.done(Notice::AutoScaling, &late), None, "told once");
    assert_eq!(notices.reason(at(0)), Some("Auto Scaling: Terminated"));
    assert_eq!(notices.done(Notice::AutoScaling, &Ok(None)), None);
    assert_eq!(notices.reason(at(0)), None);
    assert!(notices.done(Notice::AutoScaling, &late).is_some(), "told again after a good answer");
}

#[test]
fn garbage_is_told_and_moves_nothing() {
    for (notice, text) in [
        (Notice::Spot, "<html>"),
        (Notice::Spot, "{}"),
        (Notice::Rebalance, "soon"),
        (Notice::Maintenance, r#"{"Code": "system-reboot"}"#),
    ] {
        let mut notices = Notices::new(at(0));
        assert!(notices.done(notice, &Ok(Some(text.to_owned()))).is_some(), "{text}");
        assert_eq!(notices.reason(at(0)), None, "{text}");
    }
    let timeless = r#"[{"NotBefore": "tomorrow", "Code": "system-reboot"}]"#;
    assert_eq!(after(Notice::Maintenance, timeless).reason(at(0)), None);
}

#[test]
fn a_look_is_due_every_five_seconds() {
    let mut notices = Notices::new(at(0));
    assert_eq!(notices.deadline(), Some(at(0)));
    assert_eq!(notices.poll(at(1)), Some(Notice::ALL));
    assert_eq!(notices.poll(at(1)), None, "not before the next look");
    assert_eq!(notices.deadline(), Some(at(1) + INTERVAL));
}

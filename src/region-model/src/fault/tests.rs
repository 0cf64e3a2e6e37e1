use super::*;

fn spec(text: &str) -> FaultSpec {
    serde_json::from_str(text).expect("a fault")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).expect("in range")
}

#[test]
fn an_error_hits_its_operation_as_often_as_it_says() {
    let mut faults = Faults::default();
    let fault = spec(
        r#"{"on":"ec2:AssignPrivateIpAddresses","kind":"error","code":"RequestLimitExceeded","status":503,"times":2}"#,
    );
    faults.add([fault], at(0));
    assert_eq!(faults.take("ec2:DescribeTags", at(1)), Hit::default());
    for _ in 0..2 {
        let error = faults.take("ec2:AssignPrivateIpAddresses", at(1)).error.expect("hits");
        assert_eq!((error.code.as_ref(), error.status), ("RequestLimitExceeded", 503));
    }
    assert_eq!(faults.take("ec2:AssignPrivateIpAddresses", at(1)), Hit::default());
    assert_eq!(faults.journal.len(), 2);
}

#[test]
fn a_fault_with_a_time_ends_by_itself_and_a_star_takes_every_operation() {
    let mut faults = Faults::default();
    let fault = spec(r#"{"on":"ec2:*","kind":"stale","ms":3000,"for_ms":1000}"#);
    faults.add([fault], at(0));
    assert_eq!(faults.take("ec2:DescribeTags", at(999)).stale, SignedDuration::from_secs(3));
    assert_eq!(faults.take("ec2:DescribeTags", at(1000)), Hit::default());
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_added() {
    let good = r#"{"on":"ec2:*","kind":"lost-reply"}"#;
    spec(good);
    for (text, wanted) in [
        (r#"{"on":"ec2:*","kind":"eror"}"#, "is not one of"),
        (r#"{"on":"ec2:*","kind":"error"}"#, "needs `code`"),
        (r#"{"on":"ec2:*","kind":"delay"}"#, "needs `ms`"),
        (r#"{"on":"ec2:Nope","kind":"lost-reply"}"#, "no operation `ec2:Nope`; it has ec2:A"),
        (r#"{"on":"ec2:Nope*","kind":"lost-reply"}"#, "no operation"),
        (r#"{"on":"*","kind":"delay","ms":1}"#, "it has cloudwatch:"),
        (r#"{"on":"ec2:*","kind":"drop"}"#, "cannot be on `ec2:*`"),
        (r#"{"on":"events:deliver","kind":"lost-reply"}"#, "cannot be on"),
        (r#"{"on":"cloudwatch:DescribeAlarms","kind":"stale","ms":1}"#, "cannot be on"),
    ] {
        let faults = format!("[{good},{text}]");
        let error = serde_json::from_str::<Vec<FaultSpec>>(&faults).expect_err(text);
        assert!(error.to_string().contains(wanted), "{text}: {error}");
    }
}

#[test]
fn faults_on_one_operation_add_up() {
    let mut faults = Faults::default();
    let specs = [
        spec(r#"{"on":"events:deliver","kind":"delay","ms":50}"#),
        spec(r#"{"on":"events:deliver","kind":"duplicate","times":1}"#),
    ];
    faults.add(specs, at(0));
    let hit = faults.take(DELIVERY, at(0));
    assert!(hit.duplicate && hit.delay == SignedDuration::from_millis(50));
    assert!(!faults.take(DELIVERY, at(0)).duplicate);
    faults.clear();
    assert_eq!(faults.take(DELIVERY, at(0)), Hit::default());
}

#[test]
fn a_fault_is_written_as_it_was_read() {
    for text in [
        r#"{"on":"ec2:*","kind":"error","code":"InternalError","status":500,"times":2}"#,
        r#"{"on":"ec2:*","kind":"error","code":"InternalError"}"#,
        r#"{"on":"ec2:Describe*","kind":"stale","ms":3000,"for_ms":1000}"#,
        r#"{"on":"events:deliver","kind":"reorder"}"#,
    ] {
        assert_eq!(serde_json::to_string(&spec(text)).expect("plain data"), text);
    }
}

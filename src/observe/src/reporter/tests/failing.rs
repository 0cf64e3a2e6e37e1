//! One of the two ways to AWS fails: the other tells.

use super::*;
use vipward_core::telemetry::HINTS_FAILING;

fn failed() -> Result<(), SendError> {
    Err(SendError::Failed("AccessDeniedException".to_owned()))
}

/// Lets time pass, with one of the ways failing; what was told of it by the other, and when.
fn told(
    reporter: &mut Reporter,
    seconds: std::ops::Range<u64>,
    fails: impl Fn(Channel) -> bool,
) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    for second in seconds {
        while let Some(report) = reporter.poll(at(second)) {
            let channel = report.channel();
            let well = !fails(channel);
            let words: Vec<_> = match report {
                Report::Metrics(_, data) => {
                    let about = data.iter().filter(|datum| datum.metric == HINTS_FAILING);
                    about.map(|datum| datum.value.to_string()).collect()
                }
                Report::Hint(hint) => {
                    vec![hint.metrics_failing_ms.map_or("well".to_owned(), |ms| ms.to_string())]
                }
            };
            told.extend(words.into_iter().filter(|_| well).map(|word| (second, word)));
            reporter.done(at(second), channel, &if well { Ok(()) } else { failed() });
        }
    }
    told
}

fn words(told: &[(u64, &str)]) -> Vec<(u64, String)> {
    told.iter().map(|(second, word)| (*second, (*word).to_owned())).collect()
}

#[test]
fn hints_that_fail_for_a_while_are_told_by_the_metrics_and_once_when_they_no_longer_do() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    let fails = |channel| channel == Channel::Hints;
    assert_eq!(told(&mut reporter, 2..16, fails), []);
    assert_eq!(told(&mut reporter, 16..31, fails)[..2], words(&[(16, "1"), (24, "1")]));
    reporter.on_change(at(31), &change("b", Verdict::Unhealthy, Verdict::Healthy));
    let told = told(&mut reporter, 31..100, |_| false);
    let metrics: Vec<_> = told.iter().filter(|(_, word)| *word != "well").cloned().collect();
    let said = metrics.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>();
    assert_eq!(said, ["1", "1", "0"], "the trouble is over before it was told");
}

#[test]
fn a_short_failure_is_no_news() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Unhealthy));
    assert_eq!(told(&mut reporter, 1..8, |channel| channel == Channel::Hints), []);
    let told = told(&mut reporter, 8..60, |_| false);
    assert!(told.iter().all(|(_, word)| word == "well"), "{told:?}");
}

#[test]
fn metrics_that_fail_are_told_by_hints_though_nothing_else_is_amiss() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("a", Verdict::Unknown, Verdict::Healthy));
    let fails = |channel| channel == Channel::Metrics;
    let known = [(20, "19000"), (21, "20000"), (23, "22000"), (27, "26000")];
    assert_eq!(told(&mut reporter, 1..30, fails)[..4], words(&known));
    assert_eq!(told(&mut reporter, 31..37, fails), []);
    assert_eq!(told(&mut reporter, 37..38, fails), words(&[(37, "36000")]));
    assert_eq!(told(&mut reporter, 40..100, |_| false), words(&[(40, "well")]), "once");
}

#[test]
fn with_hints_off_nobody_waits_for_them() {
    let mut reporter = reporter();
    reporter.on_change(at(1), &change("b", Verdict::Unknown, Verdict::Unhealthy));
    told(&mut reporter, 2..40, |channel| channel == Channel::Hints);
    let mut config = config(4242);
    config.policy.hints = false;
    reporter.on_config(at(40), &config, &BTreeSet::new());
    let told = told(&mut reporter, 40..70, |_| false);
    assert_eq!(told.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>(), ["0"]);
}

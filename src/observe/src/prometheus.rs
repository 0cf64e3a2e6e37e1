//! The agent's status in Prometheus's text format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::time::Duration;

use vipward_core::Verdict;

use crate::send_stats::Tally;
use crate::status::{Status, TargetStatus, word};

/// The media type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// All metrics, each with its meaning. Labels are names of the file, which need no escapes.
pub fn exposition(status: &Status) -> String {
    let mut text = String::new();
    family(&mut text, "vipward_verdict", "gauge", "1 for the verdict that holds.", |name| {
        status.targets.iter().flat_map(move |target| verdicts(name, target)).collect()
    });
    let durations = "How long the last probe took.";
    family(&mut text, "vipward_probe_duration_seconds", "gauge", durations, |name| {
        status.targets.iter().filter_map(|target| duration(name, target)).collect()
    });
    let publications = "Requests that publish to CloudWatch, by what came of them.";
    family(&mut text, "vipward_publications_total", "counter", publications, |name| {
        results(name, &status.metrics)
    });
    let hints = "Hints to EventBridge, by what came of them.";
    family(&mut text, "vipward_hints_total", "counter", hints, |name| results(name, &status.hints));
    text
}

fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    meaning: &str,
    samples: impl FnOnce(&str) -> Vec<String>,
) {
    writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}")
        .expect("writing to a string cannot fail");
    for sample in samples(name) {
        text.push_str(&sample);
        text.push('\n');
    }
}

fn verdicts(name: &str, target: &TargetStatus) -> Vec<String> {
    let sample = |verdict| {
        let holds = u8::from(target.verdict == verdict);
        format!("{name}{{{},verdict=\"{}\"}} {holds}", labels(target), word(verdict))
    };
    [Verdict::Healthy, Verdict::Unhealthy, Verdict::Unknown].map(sample).into()
}

fn duration(name: &str, target: &TargetStatus) -> Option<String> {
    let seconds = Duration::from_micros(target.probe_us?).as_secs_f64();
    Some(format!("{name}{{{}}} {seconds}", labels(target)))
}

fn results(name: &str, tally: &Tally) -> Vec<String> {
    let sample = |(result, count)| format!("{name}{{result=\"{result}\"}} {count}");
    [("sent", tally.sent), ("failed", tally.failed)].map(sample).into()
}

fn labels(target: &TargetStatus) -> String {
    format!("subject=\"{}\",service=\"{}\"", target.subject, target.service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tests::status;

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        let mut status = status(Verdict::Healthy, Verdict::Unknown);
        status.targets[1].probe_us = None;
        let expected = "\
# HELP vipward_verdict 1 for the verdict that holds.
# TYPE vipward_verdict gauge
vipward_verdict{subject=\"resource-01\",service=\"redis\",verdict=\"healthy\"} 1
vipward_verdict{subject=\"resource-01\",service=\"redis\",verdict=\"unhealthy\"} 0
vipward_verdict{subject=\"resource-01\",service=\"redis\",verdict=\"unknown\"} 0
vipward_verdict{subject=\"resource-02\",service=\"redis\",verdict=\"healthy\"} 0
vipward_verdict{subject=\"resource-02\",service=\"redis\",verdict=\"unhealthy\"} 0
vipward_verdict{subject=\"resource-02\",service=\"redis\",verdict=\"unknown\"} 1
# HELP vipward_probe_duration_seconds How long the last probe took.
# TYPE vipward_probe_duration_seconds gauge
vipward_probe_duration_seconds{subject=\"resource-01\",service=\"redis\"} 0.0015
# HELP vipward_publications_total Requests that publish to CloudWatch, by what came of them.
# TYPE vipward_publications_total counter
vipward_publications_total{result=\"sent\"} 12
vipward_publications_total{result=\"failed\"} 0
# HELP vipward_hints_total Hints to EventBridge, by what came of them.
# TYPE vipward_hints_total counter
vipward_hints_total{result=\"sent\"} 0
vipward_hints_total{result=\"failed\"} 3
";
        assert_eq!(exposition(&status), expected);
    }
}

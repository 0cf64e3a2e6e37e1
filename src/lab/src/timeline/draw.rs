//! A timeline as aligned text with bars.

use jiff::{SignedDuration, Timestamp};

use super::{Outage, Timeline};

/// Columns of the bars.
const WIDTH: usize = 32;

/// The lines of a timeline; plain text.
pub fn draw(timeline: &Timeline) -> Vec<String> {
    let first = timeline.subject.struck;
    let last = timeline.stages.last().map_or(first, |stage| stage.at);
    let whole = last.duration_since(first);
    let end = format!("{:>1$}", seconds(whole), WIDTH - 1);
    let mut lines = vec![format!("{:>10} {:>9}  {:<17}|0{end}|", "since", "took", "stage")];
    let mut previous = first;
    for stage in &timeline.stages {
        let since = seconds(stage.at.duration_since(first));
        let took = stage.at.duration_since(previous);
        let took = if stage.at == first { String::new() } else { length(took) };
        let bar = if stage.at == first {
            " ".repeat(WIDTH)
        } else {
            bar(first, whole, previous, stage.at)
        };
        lines.push(format!("{since:>10} {took:>9}  {:<17}|{bar}| {}", stage.name, stage.detail));
        previous = stage.at;
    }
    lines.push(String::new());
    lines.push(verdict(timeline.outage.as_ref()));
    lines
}

fn verdict(outage: Option<&Outage>) -> String {
    match outage {
        Some(outage) => {
            let (failed, plural) = (outage.failed, if outage.failed == 1 { "" } else { "s" });
            format!(
                "Clients were without an answer for {} ({failed} request{plural} failed); {} answers now.",
                seconds(outage.length()),
                outage.by,
            )
        }
        None => "Clients noticed nothing, or are not served yet.".to_owned(),
    }
}

/// A bar from one moment to another, on a scale from the fault to the end.
fn bar(first: Timestamp, whole: SignedDuration, from: Timestamp, to: Timestamp) -> String {
    let column = |at: Timestamp| {
        let (since, whole) = (at.duration_since(first).as_micros(), whole.as_micros().max(1));
        let width = i128::try_from(WIDTH).unwrap_or_default();
        usize::try_from(since * width / whole).unwrap_or_default().min(WIDTH)
    };
    let start = column(from).min(WIDTH - 1);
    let end = column(to).max(start + 1);
    format!("{}{}{}", " ".repeat(start), "█".repeat(end - start), " ".repeat(WIDTH - end))
}

fn seconds(duration: SignedDuration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// Short lengths in milliseconds: a stage of 4 ms is not 0.0 s.
fn length(duration: SignedDuration) -> String {
    if duration < SignedDuration::from_secs(1) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

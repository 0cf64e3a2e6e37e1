//! What the commands say: a header for each step, a line when it ends, a tally at the end.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed(Duration),
    /// It did not; the cause has been printed.
    Failed(Duration),
    /// It was not run, because of the step named here.
    Skipped(String),
}

/// One line of the closing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The step's name, as `--only` takes it.
    pub step: String,
    pub outcome: Outcome,
}

/// Prints a line at once, so that it stands before what a child process prints next.
pub fn say(line: impl fmt::Display) {
    let mut out = io::stdout().lock();
    // A closed pipe is the reader's wish; the exit code still tells the result.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The closing table and, last, the tally.
pub fn summary(lines: &[Line]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| lines.iter().filter(|l| wanted(&l.outcome)).count();
    let passed = count(|o| matches!(o, Outcome::Passed(_)));
    let failed = count(|o| matches!(o, Outcome::Failed(_)));
    let skipped = count(|o| matches!(o, Outcome::Skipped(_)));

    let table: String = lines.iter().map(|line| table_line(line) + "\n").collect();
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("{table}{passed} passed, {failed} failed{skipped}")
}

fn table_line(line: &Line) -> String {
    let step = &line.step;
    match &line.outcome {
        Outcome::Passed(took) => format!("  passed   {step:<9} {:>7}", seconds(*took)),
        Outcome::Failed(took) => {
            let took = seconds(*took);
            format!("  FAILED   {step:<9} {took:>7}   again: cargo xtask test --only {step}")
        }
        Outcome::Skipped(cause) => format!("  skipped  {step:<9}           {cause} failed"),
    }
}

/// `0.8 s`, `12.3 s`; minutes stay seconds, so that columns compare.
pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ends_with_the_tally_and_names_the_command_to_repeat() {
        let took = Duration::from_millis(1250);
        let line = |step: &str, outcome| Line { step: step.to_owned(), outcome };
        let lines = [
            line("fmt", Outcome::Passed(took)),
            line("build", Outcome::Failed(took)),
            line("wire", Outcome::Skipped("build".to_owned())),
        ];
        let text = summary(&lines);
        assert!(text.ends_with("\n1 passed, 1 failed, 1 skipped"), "{text}");
        assert!(text.contains("again: cargo xtask test --only build"), "{text}");
        assert!(text.contains("build failed"), "{text}");
        assert_eq!(summary(&lines[..1]).lines().last(), Some("1 passed, 0 failed"));
    }
}

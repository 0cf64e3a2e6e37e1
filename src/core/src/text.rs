//! What the programs say, in the form they share: columns, spans of time, errors and hints.

use std::error::Error;
use std::time::Duration;

/// Stands for a cell that has nothing to say.
pub const NOTHING: &str = "-";

/// Aligns the cells of each column, two spaces apart; each row becomes a line after `indent`.
pub fn aligned(rows: &[Vec<String>], indent: &str) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", format!("{indent}{}", line.join("  ")).trim_end())
    };
    rows.iter().map(line).collect()
}

/// A span as exact as people want it.
pub fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..10 => format!("{seconds}.{} s", span.subsec_millis() / 100),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// An error and its causes on one line: `cannot add 10.0.0.1: No such device (os error 19)`. A
/// cause of several lines, such as the faults of a configuration, begins on a line of its own.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        text.push_str(if cause.contains('\n') { ":\n" } else { ": " });
        text.push_str(&cause);
        source = error.source();
    }
    text
}

/// The last words of a program that failed, for standard error: the error with its causes, and a
/// line with what may help.
pub fn complaint(error: &dyn Error, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    format!("error: {}\n{hint}", chain(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_no_line_ends_in_spaces() {
        let rows = [vec!["a", "bb", "c"], vec!["ééé", "b", ""], vec!["a"]]
            .map(|row| row.into_iter().map(str::to_owned).collect());
        assert_eq!(aligned(&rows, " "), " a    bb  c\n ééé  b\n a\n");
        assert_eq!(aligned(&[], ""), "");
    }

    #[test]
    fn spans_are_as_exact_as_people_want() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (1_250, "1.2 s"),
            (90_000, "90 s"),
            (150_000, "2 min"),
            (7_200_000, "2 h"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), text);
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot listen")]
    struct Outer(#[source] Cause);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Cause(&'static str);

    #[test]
    fn a_chain_is_one_line_unless_a_cause_has_several() {
        assert_eq!(chain(&Outer(Cause("it is in use"))), "cannot listen: it is in use");
        assert_eq!(chain(&Outer(Cause("f:1: a\nf:2: b"))), "cannot listen:\nf:1: a\nf:2: b");
    }

    #[test]
    fn a_complaint_is_the_error_and_what_may_help() {
        let error = Outer(Cause("it is in use"));
        let text = "error: cannot listen: it is in use\n";
        assert_eq!(complaint(&error, None), text);
        assert_eq!(complaint(&error, Some("name another")), format!("{text}hint: name another\n"));
    }
}

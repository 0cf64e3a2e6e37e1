//! What the programs say, in the form they share: columns, spans of time, errors on one line.

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

/// An error and its sources on one line: `cannot add 10.0.0.1: No such device (os error 19)`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
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

    #[test]
    fn a_chain_is_one_line() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot listen")]
        struct Outer(#[from] std::fmt::Error);
        let cause = std::fmt::Error;
        assert_eq!(chain(&Outer(cause)), format!("cannot listen: {cause}"));
    }
}

//! Rows of cells to aligned text that needs no colour and no frame.

/// Aligns the cells of each column, two spaces apart; each row becomes a line after `indent`.
pub fn aligned(rows: &[Vec<String>], indent: &str) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(format!("{indent}{}", line.join("  ")).trim_end());
        text.push('\n');
    }
    text
}

/// A time of that many milliseconds, as exact as people want it; clocks that differ may make it
/// negative, which is shown as none.
pub fn span(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
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
            (-5, "0.0 s"),
            (0, "0.0 s"),
            (1_250, "1.2 s"),
            (90_000, "90 s"),
            (150_000, "2 min"),
            (7_200_000, "2 h"),
        ] {
            assert_eq!(span(milliseconds), text);
        }
    }
}

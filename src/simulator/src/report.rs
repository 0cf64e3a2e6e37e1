//! The tally as a table for terminals and as a picture for the docs.

use std::fmt::Write as _;

use crate::tally::{Line, Tally};

const COLUMNS: [&str; 4] = ["injected", "moves", "holds", "alerts"];

fn figures(line: &Line) -> [u64; 4] {
    [line.injected, line.moves, line.holds, line.alerts]
}

/// One line for each kind of fault, and what the function said.
pub fn table(tally: &Tally) -> String {
    let mut text = format!("{:<30}", "fault");
    for column in COLUMNS {
        let _ = write!(text, "{column:>10}");
    }
    text.push('\n');
    for (kind, line) in &tally.lines {
        let _ = write!(text, "{kind:<30}");
        for figure in figures(line) {
            let _ = write!(text, "{figure:>10}");
        }
        text.push('\n');
    }
    let said = |counts: &std::collections::BTreeMap<String, u64>| {
        let parts: Vec<_> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
        parts.join(", ")
    };
    let _ = writeln!(text, "held: {}", said(&tally.holds));
    let _ = writeln!(text, "moves decided: {}; alerts: {}", said(&tally.outcomes), tally.alerts);
    text
}

const ROW: usize = 22;
const LEFT: usize = 240;
const BAR: usize = 420;

/// The same as a picture: a bar for the faults injected, and figures for what came of them.
pub fn picture(tally: &Tally) -> String {
    let most = tally.lines.values().map(|line| line.injected).max().unwrap_or(1).max(1);
    let height = ROW * (tally.lines.len() + 4);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"980\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">Faults injected in {} histories ({} simulated hours), and what came of them</text>\n",
        tally.histories,
        tally.lasted.as_secs() / 3_600,
    );
    for (index, column) in COLUMNS.iter().enumerate().skip(1) {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#555\">{column}</text>",
            LEFT + BAR + 100 * index,
            ROW * 2
        );
    }
    for (index, (kind, line)) in tally.lines.iter().enumerate() {
        let y = ROW * (index + 3);
        let width = usize::try_from(line.injected * BAR as u64 / most).unwrap_or(BAR);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{kind}</text>\
             <rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"14\" fill=\"#4a7ebb\"/>\
             <text x=\"{}\" y=\"{y}\" fill=\"#333\">{}</text>",
            LEFT - 8,
            LEFT,
            y - 11,
            LEFT + width + 5,
            line.injected,
        );
        for (at, figure) in figures(line).into_iter().enumerate().skip(1) {
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{figure}</text>",
                LEFT + BAR + 100 * at,
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

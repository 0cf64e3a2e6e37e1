//! The table for terminals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{COLUMNS, MEANWHILE, figures, grouped, groups, totals};
use crate::audit::tally::Tally;

const NAME: usize = 34;
const FIGURE: usize = 10;

/// A line for each kind of fault, in groups; what the function said; and all together.
pub fn table(tally: &Tally, broken: usize) -> String {
    let width = NAME + FIGURE;
    let mut text = format!("{:width$}  {MEANWHILE}\n{:<NAME$}", "", "fault");
    for column in ["injected"].into_iter().chain(COLUMNS) {
        let _ = write!(text, "{column:>FIGURE$}");
    }
    text.push('\n');
    for (group, lines) in groups(tally) {
        let _ = writeln!(text, "{group}");
        for (kind, line) in lines {
            let _ = write!(text, "  {:<1$}", kind.name, NAME - 2);
            for figure in [line.injected].into_iter().chain(figures(&line)) {
                let _ = write!(text, "{:>FIGURE$}", grouped(figure));
            }
            text.push('\n');
        }
    }
    let _ = writeln!(text, "held for: {}", said(&tally.holds));
    let _ = writeln!(text, "moves decided: {}", said(&tally.outcomes));
    let totals: Vec<_> = totals(tally, broken)
        .into_iter()
        .map(|(what, figure)| format!("{what} {}", grouped(figure)))
        .collect();
    let _ = writeln!(text, "all together: {}", totals.join(", "));
    text
}

fn said(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(what, count)| (std::cmp::Reverse(**count), (*what).clone()));
    let parts: Vec<_> =
        counts.iter().map(|(what, count)| format!("{what} {}", grouped(**count))).collect();
    parts.join(", ")
}

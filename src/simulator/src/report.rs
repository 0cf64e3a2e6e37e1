//! The tally as a table for terminals and as a picture for the docs.

use crate::audit::tally::{Line, Tally};
use crate::history::fault_groups::{FaultClass, Group};

mod picture;
mod table;

pub use picture::picture;
pub use table::table;

/// What is counted while a fault lasts and in the minute after. Of several faults at a time each
/// counts: the figures say what happened meanwhile, not what caused it.
const COLUMNS: [&str; 3] = ["moves", "holds", "alerts"];
const MEANWHILE: &str = "meanwhile or in the minute after";

fn figures(line: &Line) -> [u64; 3] {
    [line.moves, line.holds, line.alerts]
}

/// Each group with its kinds, the most frequent first.
fn groups(tally: &Tally) -> Vec<(Group, Vec<(FaultClass, Line)>)> {
    let of = |group: Group| {
        let lines = tally.lines.iter().filter(|(kind, _)| kind.group == group);
        let mut lines: Vec<_> = lines.map(|(kind, line)| (*kind, *line)).collect();
        lines.sort_by_key(|(kind, line)| (std::cmp::Reverse(line.injected), *kind));
        (group, lines)
    };
    Group::ALL.into_iter().map(of).filter(|(_, lines)| !lines.is_empty()).collect()
}

/// What all histories together came to; `broken`: in so many a rule was.
fn totals(tally: &Tally, broken: usize) -> Vec<(&'static str, u64)> {
    let injected = tally.lines.values().map(|line| line.injected).sum();
    vec![
        ("histories", tally.histories),
        ("simulated hours", tally.lasted.as_secs() / 3_600),
        ("faults", injected),
        ("moves", tally.moves),
        ("holds", tally.held()),
        ("alerts", tally.alerts),
        ("alias repairs", tally.repairs),
        ("rules broken", broken as u64),
    ]
}

/// With a comma between thousands.
fn grouped(figure: u64) -> String {
    let digits = figure.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;

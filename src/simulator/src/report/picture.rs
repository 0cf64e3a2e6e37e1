//! The picture for the docs. It has a background of its own, light or dark as its reader likes.

use std::fmt::Write as _;

use super::{COLUMNS, MEANWHILE, figures, grouped, groups, totals};
use crate::audit::tally::Tally;

const WIDTH: usize = 980;
const ROW: usize = 22;
/// The end of the names, and the start and the greatest length of the bars.
const NAMES: usize = 270;
const BARS: usize = 282;
const BAR: usize = 300;
/// The right ends of the columns.
const ENDS: [usize; 3] = [740, 840, 940];
const TOP: usize = 128;

const STYLE: &str = "<style>\n\
    text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #24292f }\n\
    .back { fill: #ffffff; stroke: #d0d7de } .bar { fill: #3b75af } .rule { stroke: #d0d7de }\n\
    .title { font-size: 19px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #57606a }\n\
    .end { text-anchor: end } .mid { text-anchor: middle }\n\
    @media (prefers-color-scheme: dark) {\n\
    text { fill: #e6edf3 } .quiet { fill: #9da7b3 } .bar { fill: #5b9bd5 }\n\
    .back { fill: #161b22; stroke: #30363d } .rule { stroke: #30363d }\n\
    }\n</style>\n";

/// A bar for the faults of each kind, and figures for what happened meanwhile.
pub fn picture(tally: &Tally, broken: usize) -> String {
    let groups = groups(tally);
    // A group has a heading, and half a row after it; two notes end it all.
    let rows: usize = groups.iter().map(|(_, lines)| lines.len() + 1).sum();
    let height = TOP + ROW * (rows + 3) + ROW / 2 * groups.len();
    let most = tally.lines.values().map(|line| line.injected).max().unwrap_or(1).max(1);
    let mut svg = heading(tally, broken, height);
    let mut y = TOP;
    for (group, lines) in groups {
        y += ROW;
        let _ = writeln!(svg, "<text class=\"group\" x=\"24\" y=\"{y}\">{group}</text>");
        for (kind, line) in lines {
            y += ROW;
            let length = usize::try_from(line.injected * BAR as u64 / most).unwrap_or(BAR);
            let _ = writeln!(
                svg,
                "<text class=\"end\" x=\"{NAMES}\" y=\"{y}\">{}</text>\
                 <rect class=\"bar\" x=\"{BARS}\" y=\"{}\" width=\"{}\" height=\"14\" rx=\"2\"/>\
                 <text x=\"{}\" y=\"{y}\">{}</text>",
                kind.name,
                y - 11,
                length.max(1),
                BARS + length + 6,
                grouped(line.injected),
            );
            for (end, figure) in ENDS.into_iter().zip(figures(&line)) {
                let figure = grouped(figure);
                let _ = writeln!(svg, "<text class=\"end\" x=\"{end}\" y=\"{y}\">{figure}</text>");
            }
        }
        y += ROW / 2;
    }
    let notes = [
        "Several faults often last at once: what happened then is counted for each of them, whatever caused it.",
        "A hold is a pass of the function that left a VIP where it was, for another reason than that its holder is up.",
    ];
    for note in notes {
        y += ROW;
        let _ = writeln!(svg, "<text class=\"quiet\" x=\"24\" y=\"{y}\">{note}</text>");
    }
    svg.push_str("</svg>\n");
    svg
}

fn heading(tally: &Tally, broken: usize, height: usize) -> String {
    const TITLE: &str = "What the simulator did to vipward's code, and what happened meanwhile";
    let parts = totals(tally, broken).into_iter();
    let totals: Vec<_> =
        parts.map(|(what, figure)| format!("{} {what}", grouped(figure))).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{TITLE}</title>\n{STYLE}\
         <rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"24\" y=\"38\">{TITLE}</text>\n\
         <text x=\"24\" y=\"64\">{}</text>\n\
         <text class=\"quiet end\" x=\"{NAMES}\" y=\"{}\">fault</text>\
         <text class=\"quiet\" x=\"{BARS}\" y=\"{}\">times injected</text>\n\
         <text class=\"quiet mid\" x=\"{}\" y=\"{}\">{MEANWHILE}</text>\n",
        WIDTH - 1,
        height - 1,
        totals.join(" · "),
        TOP - 6,
        TOP - 6,
        (ENDS[0] + ENDS[2] - 50) / 2,
        TOP - 30,
    );
    let (from, to) = (ENDS[0] - 60, ENDS[2]);
    let _ = writeln!(
        svg,
        "<line class=\"rule\" x1=\"{from}\" x2=\"{to}\" y1=\"{0}\" y2=\"{0}\"/>\
         <line class=\"rule\" x1=\"24\" x2=\"{to}\" y1=\"{1}\" y2=\"{1}\"/>",
        TOP - 23,
        TOP + 2,
    );
    for (end, column) in ENDS.into_iter().zip(COLUMNS) {
        let y = TOP - 6;
        let _ = writeln!(svg, "<text class=\"quiet end\" x=\"{end}\" y=\"{y}\">{column}</text>");
    }
    svg
}

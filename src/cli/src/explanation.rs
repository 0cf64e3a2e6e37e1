//! `explain` for people: a paragraph for each service, the decision first, then what it rests on.

use std::time::Duration;

use vipward_core::text::{aligned, span};

use crate::answer::{Answer, ServiceState, Word};
use crate::table::headline;

/// [`vipward_core::hint::NOT_REPLICATING`], as it is told.
const NOT_REPLICATING_MS: i64 = 1_000_000_000_000;

/// A line about the cluster and a paragraph for each service.
pub fn explanation(answer: &Answer) -> String {
    let mut text = format!("{}\n", headline(answer));
    for state in &answer.services {
        text.push('\n');
        text.push_str(&paragraph(state));
    }
    text
}

fn paragraph(state: &ServiceState) -> String {
    let ServiceState { service, vip, holder, .. } = state;
    let since = state.last_move.as_ref().map(|since| format!(" since {since}"));
    let mut text = format!("{service} {vip}, held by {holder}{}\n", since.unwrap_or_default());
    let mut facts = vec![vec!["decision".to_owned(), state.choice.to_string()]];
    if let Some(because) = &state.because {
        facts.push(vec!["because".to_owned(), because.clone()]);
    }
    text.push_str(&aligned(&facts, "  "));
    let judgements = state.judgements.iter();
    let judgements = judgements.map(|(node, judgement)| vec![node.clone(), judgement.to_string()]);
    text.push_str(&block("judgement of each node", &judgements.collect::<Vec<_>>()));
    text.push_str(&block("evidence", &evidence(state)));
    let alarms = state.alarms.iter().map(|alarm| vec![alarm.clone()]);
    text.push_str(&block("alarms", &alarms.collect::<Vec<_>>()));
    text
}

fn evidence(state: &ServiceState) -> Vec<Vec<String>> {
    let words = state.evidence.iter().map(|word| {
        let about =
            if word.observer == word.subject { "itself".to_owned() } else { word.subject.clone() };
        vec![
            word.observer.clone(),
            format!("says of {about}:"),
            word.verdict.clone(),
            format!("for {}", time(word.held_ms)),
            format!("heard {} ago", time(word.age_ms)),
            of_itself(word),
        ]
    });
    words.collect()
}

/// Clocks that differ may make a time negative, which is shown as none.
fn time(milliseconds: i64) -> String {
    span(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

/// What a node says of its own service beside its verdict.
fn of_itself(word: &Word) -> String {
    let contested = word.contested.then(|| "contested: only by metrics".to_owned());
    let leaving = word.leaving.then(|| "leaving".to_owned());
    let unready = word.unready_ms.map(|ms| format!("not ready for the VIP for {}", time(ms)));
    let role = word.primary.map(|is| if is { "primary" } else { "not primary" }.to_owned());
    let lag = word.lag_ms.map(|lag| match lag {
        NOT_REPLICATING_MS.. => "not replicating".to_owned(),
        lag => format!("{} behind", time(lag)),
    });
    [contested, leaving, unready, role, lag].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn block(heading: &str, rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("  {heading}\n{}", aligned(rows, "    "))
}

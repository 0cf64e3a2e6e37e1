//! `status` for people: one line for each service.

use std::collections::BTreeSet;

use vipward_core::text::{NOTHING, aligned};

use crate::answer::{Answer, ServiceState};

/// A line about the cluster and a table of its services.
pub fn table(answer: &Answer) -> String {
    let nodes: BTreeSet<&String> =
        answer.services.iter().flat_map(|state| state.judgements.keys()).collect();
    let mut rows = vec![headings(&nodes)];
    rows.extend(answer.services.iter().map(|state| row(state, &nodes)));
    format!("{}\n\n{}", headline(answer), aligned(&rows, ""))
}

/// The cluster, its mode and the time of the answer.
pub fn headline(answer: &Answer) -> String {
    format!("{}, mode {}, at {}", answer.cluster, answer.mode, answer.now)
}

fn headings(nodes: &BTreeSet<&String>) -> Vec<String> {
    let fixed = ["SERVICE", "VIP", "HOLDER", "SINCE", "DECISION"];
    let nodes = nodes.iter().map(|node| format!("ON {}", node.to_uppercase()));
    fixed.map(str::to_owned).into_iter().chain(nodes).collect()
}

fn row(state: &ServiceState, nodes: &BTreeSet<&String>) -> Vec<String> {
    let mut cells = vec![
        state.service.clone(),
        state.vip.clone(),
        state.holder.to_string(),
        state.last_move.clone().unwrap_or_else(|| NOTHING.to_owned()),
        state.choice.to_string(),
    ];
    cells.extend(nodes.iter().map(|node| {
        let judgement = state.judgements.get(*node);
        judgement.map_or_else(|| NOTHING.to_owned(), ToString::to_string)
    }));
    cells
}

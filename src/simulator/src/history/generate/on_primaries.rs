//! Primaries that hand over, and nodes that take themselves for one.

use crate::history::fault::{Fault, What};
use crate::history::generate::FIRST_FAULT;
use crate::history::random::Stream;

/// What the servers of a service do to their primary at moments of a history, besides electing one after its death.
pub fn disturbances(nodes: &[&str], service: &str, span: u64, chance: &mut Stream) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..chance.below(4) {
        let (node, service) = (chance.pick(nodes), service.to_owned());
        let at_ms = FIRST_FAULT + chance.below(span);
        let (for_ms, what) = if chance.percent(65) {
            let what = What::PrimaryMoves { service, to: (*node).to_owned() };
            (chance.between(500, 60_000), what)
        } else {
            let what = What::TwoPrimaries { node: (*node).to_owned(), service };
            (chance.between(500, 120_000), what)
        };
        faults.push(Fault { at_ms, for_ms, what });
    }
    faults
}

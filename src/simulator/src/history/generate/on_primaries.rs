//! Primaries that hand over, and nodes that take themselves for one.

use vipward_core::{NodeName, ServiceName};

use crate::history::fault::{Fault, FaultKind};
use crate::history::generate::FIRST_FAULT;
use crate::history::random::Stream;

/// How the servers of a service disturb its primary, besides electing one after its death.
pub fn disturbances(
    nodes: &[NodeName],
    service: &ServiceName,
    span: u64,
    chance: &mut Stream,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..chance.below(4) {
        let (node, service) = (chance.pick(nodes).clone(), service.clone());
        let at_ms = FIRST_FAULT + chance.below(span);
        let (for_ms, what) = if chance.percent(65) {
            let what = FaultKind::PrimaryMoves { service, to: node };
            (chance.between(500, 60_000), what)
        } else {
            let what = FaultKind::TwoPrimaries { node, service };
            (chance.between(500, 120_000), what)
        };
        faults.push(Fault { at_ms, for_ms, what });
    }
    faults
}

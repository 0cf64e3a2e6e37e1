//! Nodes that leave by their own word.

use vipward_core::{NodeName, ServiceName};

use crate::history::fault::{Announcement, Fault, FaultKind};
use crate::history::generate::{FIRST_FAULT, LONGEST};
use crate::history::random::Stream;

/// From the notice of a spot interruption to the end of the instance, in milliseconds.
const NOTICE_MS: u64 = 120_000;

/// In half of all histories nodes leave by their own word. AWS ends the instances that it announces
/// so; or it thinks better of it.
pub fn departures(
    nodes: &[NodeName],
    services: &[ServiceName],
    span: u64,
    chance: &mut Stream,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..*chance.pick(&[0, 0, 0, 1, 2, 3]) {
        let node = chance.pick(nodes).clone();
        let at_ms = FIRST_FAULT + chance.below(span);
        let longest = *chance.pick(&[10_000, 120_000, LONGEST, 2 * LONGEST]);
        let for_ms = chance.between(500, longest);
        let service = chance.percent(50).then(|| chance.pick(services).clone());
        let notice = *chance.pick(&[
            Announcement::Spot,
            Announcement::Rebalance,
            Announcement::Maintenance,
            Announcement::AutoScaling,
        ]);
        if chance.percent(40) {
            faults.push(Fault { at_ms, for_ms, what: FaultKind::Leave { node, service } });
            continue;
        }
        let what = FaultKind::Announced { node: node.clone(), notice };
        if chance.percent(30) {
            faults.push(Fault { at_ms, for_ms, what });
        } else {
            faults.push(Fault { at_ms, for_ms: NOTICE_MS, what });
            let what = FaultKind::HostCrash { host: node };
            faults.push(Fault { at_ms: at_ms + NOTICE_MS, for_ms, what });
        }
    }
    faults
}

//! What goes wrong on the nodes themselves. Chance of its own: the rest of a seed's history does
//! not depend on it.

use vipward_core::{NodeName, ServiceName};

use crate::history::fault::{Fault, FaultKind};
use crate::history::host_fault::HostFault;
use crate::history::random::Stream;

/// The longest that the metadata lag behind, in milliseconds.
const LATEST: u64 = 60_000;
/// Half of these faults come so soon after the start of another one, in milliseconds: the moments
/// around a move are those that matter.
const SOON: u64 = 20_000;

/// Half of the clusters keep their aliases where the VIP is, or only those of one service.
pub fn with_alias_mode(cluster: &str, chance: &mut Stream) -> String {
    match chance.below(10) {
        0..5 => cluster.to_owned(),
        5..9 => cluster.replacen("[policy]\n", "[policy]\nalias = \"follow\"\n", 1),
        _ => cluster.replacen("[[service]]\n", "[[service]]\nalias = \"follow\"\n", 1),
    }
}

/// Up to five faults on nodes, and what comes on top of them, the first of them at `first` at the
/// soonest.
pub fn faults(
    nodes: &[NodeName],
    services: &[ServiceName],
    others: &[Fault],
    (first, last): (u64, u64),
    chance: &mut Stream,
) -> Vec<Fault> {
    let count = chance.between(0, 5);
    let one = |_| {
        let other = chance.pick(others).at_ms;
        let at_ms = if chance.percent(50) && other >= first {
            other + chance.below(SOON)
        } else {
            chance.between(first, last)
        };
        let longest = *chance.pick(&[1_000, 5_000, 30_000, 120_000]);
        let host = chance.pick(nodes).clone();
        let what = FaultKind::OnHost { host, fault: fault(services, chance) };
        Fault { at_ms, for_ms: chance.between(200, longest), what }
    };
    let mut faults: Vec<Fault> = (0..count).map(one).collect();
    let meddled: Vec<Fault> =
        faults.iter().filter_map(|fault| meddled(fault, services, chance)).collect();
    faults.extend(meddled);
    faults
}

/// While a host's metadata are out, somebody touches its interface: the unit has nobody to ask.
fn meddled(of: &Fault, services: &[ServiceName], chance: &mut Stream) -> Option<Fault> {
    let FaultKind::OnHost { host, fault } = &of.what else { return None };
    if !fault.silences_metadata() || !chance.percent(60) {
        return None;
    }
    let service = chance.pick(services).clone();
    let fault = match chance.below(4) {
        0..2 => HostFault::AliasRemoved { service },
        2 => HostFault::AliasReturns { service },
        _ => HostFault::UnitCrash,
    };
    let what = FaultKind::OnHost { host: host.clone(), fault };
    Some(Fault {
        at_ms: of.at_ms + chance.below(of.for_ms),
        for_ms: chance.between(200, 5_000),
        what,
    })
}

fn fault(services: &[ServiceName], chance: &mut Stream) -> HostFault {
    let service = chance.pick(services).clone();
    match chance.below(14) {
        0..2 => HostFault::UnitCrash,
        2..5 => HostFault::MetadataLate { ms: chance.between(2_000, LATEST) },
        5 => HostFault::MetadataThrottled,
        6 => HostFault::MetadataSilent,
        7 => HostFault::MetadataEmpty,
        8 => HostFault::MetadataPartial,
        9..11 => HostFault::AliasRemoved { service },
        11 => HostFault::NetworkReload,
        12 => HostFault::AliasReturns { service },
        // Its last octet is like those of VIPs and nodes, and is none.
        _ => HostFault::ForeignAddress { last: *chance.pick(&[20, 21, 101, 210]) },
    }
}

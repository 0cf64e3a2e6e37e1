//! What goes wrong with the function's calls, at the moments that matter. Each has a chance of its
//! own: the rest of a seed's history does not depend on it.

use vipward_core::{NodeName, ServiceName};
use vipward_region_model::fault::{FaultSpec, Kind};

use crate::history::fault::{Fault, FaultKind};
use crate::history::generate::{error, spec};
use crate::history::random::Stream;

const ASSIGN: &str = "ec2:AssignPrivateIpAddresses";
const DESCRIBE: &str = "ec2:Describe*";
const METRICS: &str = "cloudwatch:GetMetricData";
const ALARMS: &str = "cloudwatch:DescribeAlarms";

/// How many of a hundred histories have each.
const SHARE: u64 = 20;

type Generator<'p> = fn(&Place<'p>, u64, &mut Stream) -> Vec<Fault>;

/// What goes wrong with the calls in the history of `seed`, from `first` to `last` milliseconds.
pub fn faults<'p>(
    nodes: &'p [NodeName],
    services: &'p [ServiceName],
    (first, last): (u64, u64),
    seed: u64,
) -> Vec<Fault> {
    let place = Place { nodes, services };
    let mut faults = Vec::new();
    let kinds: [(&str, Generator<'p>); 4] = [
        ("throttled calls", Place::throttled_turn),
        ("slow reads", Place::slow_reads),
        ("hanging reads", Place::hanging_reads),
        ("slow calls", Place::slow_assignments),
    ];
    for (owner, kind) in kinds {
        let chance = &mut Stream::new(seed, owner);
        if chance.percent(SHARE) {
            let at_ms = chance.between(first, last);
            faults.extend(kind(&place, at_ms, chance));
        }
    }
    faults
}

struct Place<'p> {
    nodes: &'p [NodeName],
    services: &'p [ServiceName],
}

impl Place<'_> {
    /// EC2 throttles while the holder crashes shortly; and then another node.
    fn throttled_turn(&self, at_ms: u64, chance: &mut Stream) -> Vec<Fault> {
        let for_ms = chance.between(3_000, 40_000);
        let on = if chance.percent(70) { ASSIGN } else { DESCRIBE };
        let throttle = spec(on, error("RequestLimitExceeded", 503), None);
        let mut faults = vec![aws(at_ms, for_ms, throttle)];
        let service = chance.pick(self.services).clone();
        let first = chance.below(self.nodes.len() as u64);
        let first = usize::try_from(first).unwrap_or(0) * usize::from(chance.percent(50));
        let other = (first + 1) % self.nodes.len();
        let short = Fault {
            at_ms: at_ms + chance.below(for_ms / 2),
            for_ms: chance.between(1_000, 3_000),
            what: self.crash(first, &service),
        };
        let later = Fault {
            at_ms: short.at_ms + chance.between(500, 12_000),
            for_ms: chance.between(5_000, 90_000),
            what: self.crash(other, &service),
        };
        faults.extend([short, later]);
        faults
    }

    /// Every read is slow, and something happens.
    fn slow_reads(&self, at_ms: u64, chance: &mut Stream) -> Vec<Fault> {
        let for_ms = chance.between(10_000, 90_000);
        let ms = u32::try_from(chance.between(400, 1_900)).unwrap_or(u32::MAX);
        let slow = |on| aws(at_ms, for_ms, spec(on, Kind::Delay { ms }, None));
        let mut faults: Vec<Fault> = [DESCRIBE, METRICS, ALARMS].map(slow).into();
        faults.push(self.something(at_ms, for_ms, chance));
        faults
    }

    /// Reads of one kind have no answer in time.
    fn hanging_reads(&self, at_ms: u64, chance: &mut Stream) -> Vec<Fault> {
        let for_ms = chance.between(10_000, 60_000);
        let ms = u32::try_from(chance.between(10_000, 20_000)).unwrap_or(u32::MAX);
        let on = *chance.pick(&["ec2:DescribeInstances", METRICS, ALARMS, "cloudwatch:*"]);
        let hanging = spec(on, Kind::Delay { ms }, None);
        vec![aws(at_ms, for_ms, hanging), self.something(at_ms, for_ms, chance)]
    }

    /// Assignments take effect late.
    fn slow_assignments(&self, at_ms: u64, chance: &mut Stream) -> Vec<Fault> {
        let for_ms = chance.between(5_000, 60_000);
        let ms = u32::try_from(chance.between(1_000, 8_000)).unwrap_or(u32::MAX);
        let times = u32::try_from(chance.between(1, 4)).ok();
        let slow = spec(ASSIGN, Kind::Delay { ms }, times);
        vec![aws(at_ms, for_ms, slow), self.something(at_ms, for_ms, chance)]
    }

    fn something(&self, at_ms: u64, for_ms: u64, chance: &mut Stream) -> Fault {
        let service = chance.pick(self.services).clone();
        let node = usize::try_from(chance.below(self.nodes.len() as u64)).unwrap_or(0);
        Fault {
            at_ms: at_ms + chance.below(for_ms),
            for_ms: chance.between(1_000, 60_000),
            what: self.crash(node * usize::from(chance.percent(60)), &service),
        }
    }

    fn crash(&self, node: usize, service: &ServiceName) -> FaultKind {
        FaultKind::ServiceCrash { node: self.nodes[node].clone(), service: service.clone() }
    }
}

fn aws(at_ms: u64, for_ms: u64, fault: FaultSpec) -> Fault {
    Fault { at_ms, for_ms, what: FaultKind::Aws { fault } }
}

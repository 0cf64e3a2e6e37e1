//! From a seed to a history: a cluster, and what goes wrong with it.

use std::fmt::{Debug, Write as _};

use std::str::FromStr;

use vipward_core::{NodeName, ServiceName};
use vipward_region_model::fault::{DELIVERY, FaultSpec, Kind};

use crate::history::cluster::named;
use crate::history::concurrency::Concurrency;
use crate::history::fault::{Fault, FaultKind, WakingRule};
use crate::history::random::Stream;
use crate::history::scenario::Scenario;

mod departures;
mod on_calls;
mod on_hosts;
mod on_primaries;

/// Faults begin once the cluster has come to rest, in milliseconds.
pub const FIRST_FAULT: u64 = 180_000;
/// All faults begin within this, in milliseconds.
const SPAN: (u64, u64) = (600_000, 3_000_000);
/// After the last fault: longer than any wait beyond the budget that a history can bring about.
const CALM: u64 = 1_200_000;
/// The longest that one fault lasts, in milliseconds.
pub const LONGEST: u64 = 300_000;

/// The names that clusters are made of.
const NODES: [&str; 4] = ["a", "b", "c", "d"];
const WITNESSES: [&str; 2] = ["w", "x"];
const SERVICES: [&str; 3] = ["mysql", "redis", "web"];

struct Shape {
    nodes: Vec<NodeName>,
    witnesses: Vec<NodeName>,
    services: Vec<ServiceName>,
    /// How many services, from the first on, are one group.
    grouped: usize,
    /// Whether the first VIP follows a primary.
    follows: bool,
}

/// The history of a seed.
pub fn generate(seed: u64) -> Scenario {
    let chance = &mut Stream::new(seed, "history");
    let mut shape = Shape {
        nodes: names(&NODES[..*chance.pick(&[2, 2, 2, 3, 3, 4])]),
        witnesses: names(&WITNESSES[..*chance.pick(&[0, 0, 1, 1, 2])]),
        services: names(&SERVICES[..*chance.pick(&[1, 1, 2, 3])]),
        grouped: 0,
        follows: false,
    };
    let primaries = &mut Stream::new(seed, "primaries");
    shape.grouped = grouped(&shape, &mut Stream::new(seed, "groups"));
    shape.follows = shape.grouped == 0 && primaries.percent(25);
    let on_hosts = &mut Stream::new(seed, "on hosts");
    let cluster = cluster(&shape, chance, &mut Stream::new(seed, "policies"));
    let cluster = on_hosts::with_alias_mode(&cluster, on_hosts);
    let hooks = &mut Stream::new(seed, "hooks");
    let cluster = on_hosts::with_hooks(&cluster, hooks);
    let span = chance.between(SPAN.0, SPAN.1);
    let count = chance.between(2, 10);
    let mut faults: Vec<Fault> = (0..count).map(|_| fault(&shape, span, chance)).collect();
    faults.extend(clocks(&shape, chance));
    faults.extend(throttles(span, &mut Stream::new(seed, "throttles")));
    faults.extend(one_way_out(span, &mut Stream::new(seed, "ways")));
    let Shape { nodes, services, .. } = &shape;
    if shape.follows {
        faults.extend(on_primaries::disturbances(nodes, &services[0], span, primaries));
    }
    faults.extend(departures::departures(
        nodes,
        services,
        span,
        &mut Stream::new(seed, "departures"),
    ));
    let when = (FIRST_FAULT, FIRST_FAULT + span);
    faults.extend(on_hosts::faults(nodes, services, &faults, when, on_hosts));
    faults.extend(on_calls::faults(nodes, services, when, seed));
    faults.extend(on_hosts::hook_failures(&cluster, nodes, services, when, hooks));
    faults.sort_by_key(|fault| fault.at_ms);
    Scenario {
        seed,
        calm_ms: CALM,
        unplaced: chance.percent(15),
        concurrency: if chance.percent(15) {
            Concurrency::Unreserved
        } else {
            Concurrency::Deployed
        },
        describe_lag_ms: *chance.pick(&[0, 0, 300, 1_000, 3_000]),
        moves: None,
        leaves_within_ms: None,
        cluster,
        faults,
    }
}

/// How many services, from the first on, are one group: a third of the clusters that have several
/// services have one.
fn grouped(shape: &Shape, chance: &mut Stream) -> usize {
    match shape.services.len() {
        0 | 1 => 0,
        services if chance.percent(33) => {
            usize::try_from(chance.between(2, services as u64)).unwrap_or(2)
        }
        _ => 0,
    }
}

fn cluster(shape: &Shape, chance: &mut Stream, policies: &mut Stream) -> String {
    let mut text = "cluster = \"sim\"\nsubnet = \"10.0.0.0/24\"\n[policy]\n".to_owned();
    for (percent, line) in [
        (
            20,
            *policies
                .pick(&["failback = \"after 5m\"", "failback = \"after 1m\"\ncooldown = \"3m\""]),
        ),
        (12, "hints = false"),
        (20, "publish_interval = \"5s\""),
        (
            20,
            *policies.pick(&[
                "move_budget = { moves = 2, per = \"30m\" }",
                "move_budget = { moves = 1, per = \"1h\" }",
            ]),
        ),
    ] {
        if chance.percent(percent) {
            let _ = writeln!(text, "{line}");
        }
    }
    for (index, name) in shape.nodes.iter().enumerate() {
        let _ = write!(
            text,
            "[[node]]\nname = \"{name}\"\naddress = \"10.0.0.{}\"\neni = \"eni-0000000{index}\"\npriority = {}\n",
            10 + index,
            100 - 10 * index
        );
    }
    for (index, name) in shape.witnesses.iter().enumerate() {
        let _ =
            write!(text, "[[witness]]\nname = \"{name}\"\naddress = \"10.0.0.{}\"\n", 30 + index);
    }
    for (index, name) in shape.services.iter().enumerate() {
        let check = match (index, chance.percent(30)) {
            (0, true) if shape.follows => {
                "{ kind = \"mongodb\", port = 27017, max_lag = \"10s\" }".to_owned()
            }
            (0, false) if shape.follows => "{ kind = \"mongodb\", port = 27017 }".to_owned(),
            (1, true) => "{ kind = \"redis\", port = 6379, max_lag = \"10s\" }".to_owned(),
            _ => format!("{{ kind = \"tcp\", port = {} }}", 7_001 + index),
        };
        let _ = write!(
            text,
            "[[service]]\nname = \"{name}\"\nvip = \"10.0.0.{}\"\ncheck = {check}\n",
            201 + index
        );
        if index == 0 && shape.follows {
            text.push_str("role = \"primary\"\n");
        }
        if index < shape.grouped {
            text.push_str("group = \"db\"\n");
        }
    }
    text
}

/// Hosts whose clocks are wrong from the start, by seconds or by minutes.
fn clocks(shape: &Shape, chance: &mut Stream) -> Vec<Fault> {
    let mut faults = Vec::new();
    for host in hosts(shape) {
        if chance.percent(25) {
            let ahead_ms = *chance.pick(&[5_000, -5_000, 300_000, -300_000]);
            let drift_ppm = *chance.pick(&[0, 50, -50, 500, -500]);
            let what = FaultKind::Clock { host: host.clone(), ahead_ms, drift_ppm };
            faults.push(Fault { at_ms: 0, for_ms: LONGEST, what });
        }
    }
    faults
}

/// In some histories Lambda has no room for the function for a while.
fn throttles(span: u64, chance: &mut Stream) -> Option<Fault> {
    let fault = Fault {
        at_ms: FIRST_FAULT + chance.below(span),
        for_ms: chance.between(500, 90_000),
        what: FaultKind::FunctionThrottled,
    };
    chance.percent(12).then_some(fault)
}

/// In some histories hints, metrics or alarms are out all along: what is left has to do.
fn one_way_out(span: u64, chance: &mut Stream) -> Option<Fault> {
    let denied = || error("AccessDeniedException", 400);
    let what = match chance.below(6) {
        3 => FaultKind::RuleDisabled { rule: WakingRule::Alarm },
        4 => FaultKind::RuleDisabled { rule: WakingRule::Hint },
        5 => FaultKind::RuleDisabled { rule: WakingRule::Schedule },
        0 => FaultKind::Aws { fault: spec("events:PutEvents", denied(), None) },
        1 => FaultKind::Aws { fault: spec("cloudwatch:DescribeAlarms", denied(), None) },
        _ => FaultKind::MetricsLost,
    };
    let fault = Fault { at_ms: FIRST_FAULT, for_ms: span, what };
    chance.percent(12).then_some(fault)
}

fn names<Name: FromStr<Err: Debug>>(words: &[&str]) -> Vec<Name> {
    words.iter().map(|word| named(word)).collect()
}

fn hosts(shape: &Shape) -> Vec<&NodeName> {
    shape.nodes.iter().chain(&shape.witnesses).collect()
}

fn fault(shape: &Shape, span: u64, chance: &mut Stream) -> Fault {
    // Short ones are as likely as long ones.
    let longest = *chance.pick(&[2_000, 10_000, 40_000, 120_000, LONGEST]);
    Fault {
        at_ms: FIRST_FAULT + chance.below(span),
        for_ms: chance.between(500, longest),
        what: match chance.below(100) {
            0..55 => of_hosts(shape, chance),
            55..90 => of_aws(shape, chance),
            _ => of_operators(shape, chance),
        },
    }
}

/// What operators do, at moments that they do not choose well.
fn of_operators(shape: &Shape, chance: &mut Stream) -> FaultKind {
    let node = chance.pick(&shape.nodes).clone();
    let service = chance.pick(&shape.services).clone();
    match chance.below(6) {
        0 | 1 => FaultKind::Drain { node },
        2 => FaultKind::Resume { node },
        3 => FaultKind::Unfreeze { service },
        _ => FaultKind::Switchover { service, to: node },
    }
}

fn of_hosts(shape: &Shape, chance: &mut Stream) -> FaultKind {
    let all = hosts(shape);
    let host = (*chance.pick(&all)).clone();
    let other = *chance.pick(&all);
    // The first holder is hit more often than any other.
    let node = if chance.percent(40) { &shape.nodes[0] } else { chance.pick(&shape.nodes) };
    let node = node.clone();
    let service = chance.pick(&shape.services).clone();
    match chance.below(16) {
        0 => FaultKind::HostCrash { host: node },
        1 => FaultKind::HostCrash { host },
        2 => FaultKind::HostStall { host: node },
        3 => FaultKind::AgentCrash { host },
        4 => FaultKind::OtherFile { host },
        5 => FaultKind::ProbeError { host: node, service },
        6 | 7 => FaultKind::ServiceCrash { node, service },
        8 => FaultKind::ServiceHang { node, service },
        9 => FaultKind::ServiceFlap {
            node,
            service,
            down_ms: chance.between(200, 5_000),
            up_ms: chance.between(200, 10_000),
        },
        10 => FaultKind::ServiceSlow { node, service, ms: chance.between(100, 1_500) },
        11 if host != *other => FaultKind::Cut { from: host, to: other.clone() },
        11 | 12 => FaultKind::Partition { side: side(&all, chance) },
        13 => FaultKind::Loss { host, percent: *chance.pick(&[2, 10, 30, 60]) },
        14 => FaultKind::NoAws { host },
        _ => FaultKind::ServiceLag { node, service, ms: chance.between(1_000, 60_000) },
    }
}

/// One side of a partition: neither nobody nor everybody.
fn side(all: &[&NodeName], chance: &mut Stream) -> Vec<NodeName> {
    let size = usize::try_from(chance.between(1, all.len() as u64 - 1)).unwrap_or(1);
    let from = usize::try_from(chance.below(all.len() as u64)).unwrap_or(0);
    all.iter().cycle().skip(from).take(size).map(|host| (*host).clone()).collect()
}

fn of_aws(shape: &Shape, chance: &mut Stream) -> FaultKind {
    let service = chance.pick(&shape.services).clone();
    match chance.below(22) {
        21 => FaultKind::ForeignMetric {
            node: chance.pick(&shape.nodes).clone(),
            service,
            percent: *chance.pick(&[0, 0, 50, 75]),
        },
        0 => FaultKind::MetricsLate { ms: chance.between(2_000, 60_000) },
        1 => FaultKind::MetricsLost,
        2 => FaultKind::FunctionKilled,
        3 => FaultKind::FunctionSlow { ms: chance.between(500, 9_000) },
        4 => FaultKind::InstanceStopped { node: chance.pick(&shape.nodes).clone() },
        5 => FaultKind::VipTaken { service },
        6 => FaultKind::VipReleased { service },
        kind => FaultKind::Aws { fault: of_region(kind, chance) },
    }
}

fn of_region(kind: u64, chance: &mut Stream) -> FaultSpec {
    let times = u32::try_from(chance.between(1, 12)).ok();
    let ms = |low, high, chance: &mut Stream| {
        u32::try_from(chance.between(low, high)).unwrap_or(u32::MAX)
    };
    let call = *chance.pick(&[
        "ec2:AssignPrivateIpAddresses",
        "ec2:DescribeNetworkInterfaces",
        "ec2:CreateTags",
        "ec2:*",
    ]);
    let read = *chance.pick(&["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"]);
    match kind {
        7 => spec(DELIVERY, Kind::Drop, times),
        8 => spec(DELIVERY, Kind::Duplicate, times),
        9 => spec(DELIVERY, Kind::Reorder, times),
        10 => spec(DELIVERY, Kind::Delay { ms: ms(500, 20_000, chance) }, None),
        11 => spec(DELIVERY, Kind::Drop, None),
        12 => spec("ec2:Describe*", Kind::Stale { ms: ms(500, 8_000, chance) }, None),
        13 => spec("ec2:AssignPrivateIpAddresses", Kind::LostReply, times),
        14 => spec(call, Kind::Delay { ms: ms(1_000, 40_000, chance) }, times),
        15 => spec(call, error("RequestLimitExceeded", 503), times),
        16 => spec(call, error("InternalError", 500), times),
        17 => spec(read, error("ThrottlingException", 400), None),
        18 => spec("cloudwatch:PutMetricData", error("InternalFailure", 500), None),
        // An interface without a free slot: the first that is asked has none, or the first few.
        20 => {
            let times = u32::try_from(chance.between(1, 4)).ok();
            let full = error("PrivateIpAddressLimitExceeded", 400);
            spec("ec2:AssignPrivateIpAddresses", full, times)
        }
        _ => spec("events:PutEvents", error("InternalFailure", 500), None),
    }
}

/// A fault of the region, which hits so many times, or as long as the history says.
fn spec(on: &str, kind: Kind, times: Option<u32>) -> FaultSpec {
    let mut spec = FaultSpec::new(on, kind).expect("the region has it, and the kind fits");
    spec.times = times;
    spec
}

fn error(code: &str, status: u16) -> Kind {
    Kind::Error { code: code.to_owned(), status: Some(status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_makes_a_scenario_that_survives_its_text() {
        for seed in 0..200 {
            let scenario = generate(seed);
            let read = Scenario::parse(&scenario.to_text());
            assert_eq!(read.unwrap_or_else(|error| panic!("seed {seed}: {error}")), scenario);
        }
    }
}

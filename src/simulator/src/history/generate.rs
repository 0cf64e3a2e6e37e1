//! From a seed to a history: a cluster, and what goes wrong with it.

use std::fmt::Write as _;

use vipward_region_model::fault::FaultSpec;

use crate::history::concurrency::Concurrency;
use crate::history::fault::{Fault, What};
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
    nodes: usize,
    witnesses: usize,
    services: usize,
    /// How many services, from the first on, are one group.
    grouped: usize,
    /// Whether the first VIP follows a primary.
    follows: bool,
}

/// The history of a seed.
pub fn generate(seed: u64) -> Scenario {
    let chance = &mut Stream::new(seed, "history");
    let mut shape = Shape {
        nodes: *chance.pick(&[2, 2, 2, 3, 3, 4]),
        witnesses: *chance.pick(&[0, 0, 1, 1, 2]),
        services: *chance.pick(&[1, 1, 2, 3]),
        grouped: 0,
        follows: false,
    };
    let reigns = &mut Stream::new(seed, "primaries");
    shape.grouped = grouped(&shape, &mut Stream::new(seed, "groups"));
    shape.follows = shape.grouped == 0 && reigns.percent(25);
    let nodes = &NODES[..shape.nodes];
    let on_hosts = &mut Stream::new(seed, "on hosts");
    let cluster = cluster(&shape, chance, &mut Stream::new(seed, "policies"));
    let cluster = on_hosts::with_alias_mode(&cluster, on_hosts);
    let span = chance.between(SPAN.0, SPAN.1);
    let count = chance.between(2, 10);
    let mut faults: Vec<Fault> = (0..count).map(|_| fault(&shape, span, chance)).collect();
    faults.extend(clocks(&shape, chance));
    faults.extend(throttles(span, &mut Stream::new(seed, "throttles")));
    if shape.follows {
        faults.extend(on_primaries::disturbances(nodes, SERVICES[0], span, reigns));
    }
    let services = &SERVICES[..shape.services];
    faults.extend(departures::departures(
        nodes,
        services,
        span,
        &mut Stream::new(seed, "departures"),
    ));
    let when = (FIRST_FAULT, FIRST_FAULT + span);
    faults.extend(on_hosts::faults(nodes, services, &faults, when, on_hosts));
    faults.extend(on_calls::faults(nodes, services, when, seed));
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
    match shape.services {
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
    for (index, name) in NODES.iter().enumerate().take(shape.nodes) {
        let _ = write!(
            text,
            "[[node]]\nname = \"{name}\"\naddress = \"10.0.0.{}\"\neni = \"eni-0000000{index}\"\npriority = {}\n",
            10 + index,
            100 - 10 * index
        );
    }
    for (index, name) in WITNESSES.iter().enumerate().take(shape.witnesses) {
        let _ =
            write!(text, "[[witness]]\nname = \"{name}\"\naddress = \"10.0.0.{}\"\n", 30 + index);
    }
    for (index, name) in SERVICES.iter().enumerate().take(shape.services) {
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
            let what = What::Clock { host: host.to_owned(), ahead_ms, drift_ppm };
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
        what: What::FunctionThrottled,
    };
    chance.percent(12).then_some(fault)
}

fn hosts(shape: &Shape) -> Vec<&'static str> {
    let nodes = NODES.iter().take(shape.nodes);
    nodes.chain(WITNESSES.iter().take(shape.witnesses)).copied().collect()
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
fn of_operators(shape: &Shape, chance: &mut Stream) -> What {
    let node = (*chance.pick(&NODES[..shape.nodes])).to_owned();
    let service = (*chance.pick(&SERVICES[..shape.services])).to_owned();
    match chance.below(6) {
        0 | 1 => What::Drain { node },
        2 => What::Resume { node },
        3 => What::Unfreeze { service },
        _ => What::Switchover { service, to: node },
    }
}

fn of_hosts(shape: &Shape, chance: &mut Stream) -> What {
    let all = hosts(shape);
    let host = (*chance.pick(&all)).to_owned();
    let other = *chance.pick(&all);
    // The first holder is hit more often than any other.
    let node = if chance.percent(40) { NODES[0] } else { *chance.pick(&NODES[..shape.nodes]) };
    let node = node.to_owned();
    let service = (*chance.pick(&SERVICES[..shape.services])).to_owned();
    match chance.below(16) {
        0 => What::HostCrash { host: node },
        1 => What::HostCrash { host },
        2 => What::HostStall { host: node },
        3 => What::AgentCrash { host },
        4 => What::OtherFile { host },
        5 => What::ProbeError { host: node, service },
        6 | 7 => What::ServiceCrash { node, service },
        8 => What::ServiceHang { node, service },
        9 => What::ServiceFlap {
            node,
            service,
            down_ms: chance.between(200, 5_000),
            up_ms: chance.between(200, 10_000),
        },
        10 => What::ServiceSlow { node, service, ms: chance.between(100, 1_500) },
        11 if host != other => What::Cut { from: host, to: other.to_owned() },
        11 | 12 => What::Partition { side: side(&all, chance) },
        13 => What::Loss { host, percent: *chance.pick(&[2, 10, 30, 60]) },
        14 => What::NoAws { host },
        _ => What::ServiceLag { node, service, ms: chance.between(1_000, 60_000) },
    }
}

/// One side of a partition: neither nobody nor everybody.
fn side(all: &[&str], chance: &mut Stream) -> Vec<String> {
    let size = usize::try_from(chance.between(1, all.len() as u64 - 1)).unwrap_or(1);
    let from = usize::try_from(chance.below(all.len() as u64)).unwrap_or(0);
    all.iter().cycle().skip(from).take(size).map(|host| (*host).to_owned()).collect()
}

fn of_aws(shape: &Shape, chance: &mut Stream) -> What {
    let service = (*chance.pick(&SERVICES[..shape.services])).to_owned();
    match chance.below(21) {
        0 => What::MetricsLate { ms: chance.between(2_000, 60_000) },
        1 => What::MetricsLost,
        2 => What::FunctionKilled,
        3 => What::FunctionSlow { ms: chance.between(500, 9_000) },
        4 => What::InstanceStopped { node: (*chance.pick(&NODES[..shape.nodes])).to_owned() },
        5 => What::VipTaken { service },
        6 => What::VipReleased { service },
        kind => What::Aws { fault: of_region(kind, chance) },
    }
}

fn of_region(kind: u64, chance: &mut Stream) -> FaultSpec {
    let spec = |on: &str, kind: &str| FaultSpec {
        on: on.to_owned(),
        kind: kind.to_owned(),
        code: None,
        status: None,
        ms: None,
        times: None,
        for_ms: None,
    };
    let times = u32::try_from(chance.between(1, 12)).ok();
    let ms = |low, high, chance: &mut Stream| u32::try_from(chance.between(low, high)).ok();
    let call = *chance.pick(&[
        "ec2:AssignPrivateIpAddresses",
        "ec2:DescribeNetworkInterfaces",
        "ec2:CreateTags",
        "ec2:*",
    ]);
    let read = *chance.pick(&["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"]);
    let error = |on: &str, code: &str, status| FaultSpec {
        code: Some(code.to_owned()),
        status: Some(status),
        ..spec(on, "error")
    };
    match kind {
        7 => FaultSpec { times, ..spec("events:deliver", "drop") },
        8 => FaultSpec { times, ..spec("events:deliver", "duplicate") },
        9 => FaultSpec { times, ..spec("events:deliver", "reorder") },
        10 => FaultSpec { ms: ms(500, 20_000, chance), ..spec("events:deliver", "delay") },
        11 => spec("events:deliver", "drop"),
        12 => FaultSpec { ms: ms(500, 8_000, chance), ..spec("ec2:Describe*", "stale") },
        13 => FaultSpec { times, ..spec("ec2:AssignPrivateIpAddresses", "lost-reply") },
        14 => FaultSpec { times, ms: ms(1_000, 40_000, chance), ..spec(call, "delay") },
        15 => FaultSpec { times, ..error(call, "RequestLimitExceeded", 503) },
        16 => FaultSpec { times, ..error(call, "InternalError", 500) },
        17 => error(read, "ThrottlingException", 400),
        // An interface without a free slot: the first that is asked has none, or the first few.
        20 => FaultSpec {
            times: u32::try_from(chance.between(1, 4)).ok(),
            ..error("ec2:AssignPrivateIpAddresses", "PrivateIpAddressLimitExceeded", 400)
        },
        18 => error("cloudwatch:PutMetricData", "InternalFailure", 500),
        _ => error("events:PutEvents", "InternalFailure", 500),
    }
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

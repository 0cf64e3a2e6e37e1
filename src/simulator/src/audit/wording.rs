//! Faults and decisions in the words of a timeline.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use vipward_core::text::span;
use vipward_core::{Config, NodeName, ServiceName};
use vipward_region_model::fault::Kind;

use crate::history::cluster::{node_of, service_of};
use crate::history::fault::{Fault, FaultKind};
use crate::history::host_fault::HostFault;
use crate::history::validate::Names;

impl Fault {
    /// What begins, and for how long.
    pub fn in_words(&self) -> String {
        let what = self.what.in_words();
        if self.what.is_momentary() { what } else { format!("{what}, for {}", time(self.for_ms)) }
    }
}

fn time(ms: u64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { span(Duration::from_millis(ms)) }
}

impl FaultKind {
    /// Whether it is over as soon as it is done.
    pub fn is_momentary(&self) -> bool {
        matches!(
            self,
            Self::Switchover { .. }
                | Self::Unfreeze { .. }
                | Self::VipReleased { .. }
                | Self::FunctionKilled
                | Self::OnHost {
                    fault: HostFault::AliasRemoved { .. } | HostFault::AliasReturns { .. },
                    ..
                }
        )
    }

    /// The kind, where, and how badly.
    pub fn in_words(&self) -> String {
        let kind = self.name();
        let place = match self.place() {
            place if place.is_empty() => String::new(),
            place => format!(": {place}"),
        };
        match self.measure() {
            measure if measure.is_empty() => format!("{kind}{place}"),
            measure => format!("{kind}{place} ({measure})"),
        }
    }

    /// Where it is: `mysql on a`.
    fn place(&self) -> String {
        if let Self::Cut { from, to } = self {
            return format!("from {from} to {to}");
        }
        let Names { hosts, nodes, services } = self.names();
        let services = listed(services.into_iter().map(ServiceName::as_str));
        let places = listed(hosts.into_iter().chain(nodes).map(NodeName::as_str));
        match (services.is_empty(), places.is_empty()) {
            (true, _) => places,
            (false, true) => services,
            (false, false)
                if matches!(self, Self::Switchover { .. } | Self::PrimaryMoves { .. }) =>
            {
                format!("{services} to {places}")
            }
            (false, false) => format!("{services} on {places}"),
        }
    }

    fn measure(&self) -> String {
        match self {
            Self::Clock { ahead_ms, drift_ppm, .. } => {
                let off = time(ahead_ms.unsigned_abs());
                let way = if *ahead_ms < 0 { "behind" } else { "ahead" };
                format!("{off} {way}, drifting by {drift_ppm} ppm")
            }
            Self::ServiceFlap { down_ms, up_ms, .. } => {
                format!("down for {}, up for {}", time(*down_ms), time(*up_ms))
            }
            Self::Loss { percent, .. } => format!("{percent} %"),
            Self::ServiceSlow { ms, .. }
            | Self::ServiceLag { ms, .. }
            | Self::MetricsLate { ms }
            | Self::FunctionSlow { ms }
            | Self::OnHost { fault: HostFault::MetadataLate { ms }, .. } => time(*ms),
            Self::Aws { fault } => {
                let times = fault.times.map(|times| match times {
                    1 => "once".to_owned(),
                    times => format!("{times} times"),
                });
                let what = match fault.kind() {
                    Kind::Error { code, .. } => Some(code.clone()),
                    Kind::Delay { ms } | Kind::Stale { ms } => Some(time(u64::from(*ms))),
                    _ => None,
                };
                let parts = [Some(fault.on().to_string()), what, times];
                parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        }
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The node of that interface, or the interface where it is nobody's of the file.
pub fn node(config: &Config, eni: &str) -> String {
    node_of(config, eni).map_or_else(|| format!("the foreign {eni}"), |node| node.name.to_string())
}

/// The services of these VIPs.
pub fn services(config: &Config, vips: &[Ipv4Addr]) -> String {
    let of = |vip: &Ipv4Addr| {
        service_of(config, *vip).map_or_else(|| vip.to_string(), |service| service.name.to_string())
    };
    vips.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// A decision record: `mysql moves to b: failover; a down (own word), b up (own word)`.
pub fn decision(line: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let service = text(&line["service"]);
    let (choice, outcome) = (&line["choice"], text(&line["outcome"]));
    let decided = if let Some(reason) = choice["hold"]["reason"].as_str() {
        format!("{service} stays: {reason}")
    } else {
        let (kind, to) = (text(&choice["move"]["kind"]), text(&choice["move"]["to"]));
        let error = line["error"].as_str().map(|error| format!(" ({error})"));
        format!("{service} to {to}: {kind}, {outcome}{}", error.unwrap_or_default())
    };
    let judged: Vec<_> = line["judgements"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(node, judgement)| format!("{node} {}", judged(judgement)))
        .collect();
    let judged = if judged.is_empty() { String::new() } else { format!("; {}", judged.join(", ")) };
    format!("{decided}{judged}; woken by {}", text(&line["wake"]))
}

/// `up (own word)`, or `unknown`.
fn judged(judgement: &Value) -> String {
    match judgement {
        Value::String(word) => word.clone(),
        Value::Object(fields) => {
            let one = |(word, basis): (&String, &Value)| {
                format!("{word} ({})", basis.as_str().unwrap_or_default().replace('-', " "))
            };
            fields.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history::cluster::named;

    #[test]
    fn faults_name_what_where_and_how_badly() {
        let (node, service) = (|| named("a"), || named("mysql"));
        let spec = r#"{"on":"ec2:Assign*","kind":"error","code":"RequestLimitExceeded","times":8}"#;
        let table = [
            (
                FaultKind::ServiceCrash { node: node(), service: service() },
                "service crash: mysql on a",
            ),
            (
                FaultKind::Switchover { service: service(), to: node() },
                "operator switches over: mysql to a",
            ),
            (
                FaultKind::Clock { host: node(), ahead_ms: -300_000, drift_ppm: 50 },
                "clock skew and drift: a (5 min behind, drifting by 50 ppm)",
            ),
            (FaultKind::Loss { host: node(), percent: 30 }, "packet loss: a (30 %)"),
            (FaultKind::MetricsLost, "metric ingestion outage"),
            (
                FaultKind::OnHost {
                    host: node(),
                    fault: HostFault::AliasRemoved { service: service() },
                },
                "alias removed by a daemon: mysql on a",
            ),
            (
                FaultKind::Aws { fault: serde_json::from_str(spec).expect("a fault") },
                "EC2 throttle (ec2:Assign*, RequestLimitExceeded, 8 times)",
            ),
        ];
        for (what, words) in table {
            assert_eq!(what.in_words(), words);
        }
        let what = FaultKind::MetricsLost;
        assert_eq!(
            Fault { at_ms: 0, for_ms: 90_000, what }.in_words(),
            "metric ingestion outage, for 90 s"
        );
    }

    #[test]
    fn decisions_are_sentences() {
        let held = json!({
            "service": "mysql", "outcome": "held", "wake": "alarm",
            "choice": { "hold": { "reason": "no-candidate" } },
            "judgements": { "a": { "down": "own-word" }, "b": "unknown" },
        });
        let want = "mysql stays: no-candidate; a down (own word), b unknown; woken by alarm";
        assert_eq!(decision(&held), want);
        let moved = json!({
            "service": "mysql", "outcome": "moved", "wake": "hint",
            "choice": { "move": { "to": "b", "kind": "failover" } }, "judgements": {},
        });
        assert_eq!(decision(&moved), "mysql to b: failover, moved; woken by hint");
    }
}

//! The names under which agents, alarms and the function speak to each other through AWS.
//!
//! Who says something is taken from the metric namespace and the event source, never from the
//! content: a node's role allows it its own and no other.

use std::fmt;
use std::str::FromStr;

use crate::config::{Config, Role};
use crate::hint::Verdict;
use crate::name::{ClusterName, NodeName, ServiceName};

/// Metric: what a node says of its own service, by [`SelfHealth`].
pub const SELF_HEALTH: &str = "SelfHealth";
/// Metric: what an observer says of a service on another node. 1 is reached, 0 is not.
pub const PEER_HEALTH: &str = "PeerHealth";
/// Metric: by how many seconds a node's own service is behind its primary.
pub const REPLICA_LAG: &str = "ReplicaLag";
/// Metric: whether a node's own service is a primary. 1 is, 0 is not.
pub const IS_PRIMARY: &str = "IsPrimary";
/// Metric: that a VIP on a node's interface is not as it should be, of one service or of any. 1
/// while it is so, 0 once when it is over.
pub const ALIAS_DRIFT: &str = "AliasDrift";
/// Metric: how often a node's alias unit has mended what others had changed, since it started.
pub const ALIAS_REPAIRS: &str = "AliasRepairs";
/// Metric: that the last run of a hook failed, of one service or of any. 1 while it is so, 0 once
/// when it is over.
pub const HOOK_FAILING: &str = "HookFailing";
/// Metric: that nobody takes a host's hints. 1 while it is so, 0 once when it is over.
pub const HINTS_FAILING: &str = "HintsFailing";
/// Metric: a VIP has come to the node, by its instance metadata: 1, for half a minute.
pub const ARRIVED: &str = "Arrived";
/// Metric of the function: how many notices to people could not be sent.
pub const NOTICES_LOST: &str = "NoticesLost";
/// Dimension naming the cluster.
pub const DIM_CLUSTER: &str = "Cluster";
/// Dimension naming the service.
pub const DIM_SERVICE: &str = "Service";
/// Dimension naming the node that a peer observation is about.
pub const DIM_SUBJECT: &str = "Subject";

/// Detail type of a hint.
pub const HINT_DETAIL_TYPE: &str = "Vipward Observation";
/// The detail type of what an agent says before its first hint, for the date of the answer. No rule
/// hears it.
pub const HELLO_DETAIL_TYPE: &str = "Vipward Hello";
/// Source of the events that the function puts for people's own rules.
pub const FUNCTION_SOURCE: &str = "vipward.function";
/// Detail type of the event about a move that was proven.
pub const MOVE_DETAIL_TYPE: &str = "Vipward Move";
/// Detail type of the event about something a person should look at.
pub const ALERT_DETAIL_TYPE: &str = "Vipward Alert";

const HINT_SOURCE_PREFIX: &str = "vipward.agent";

/// What a node says of its own service in one number: 1 is healthy, 0 is not, and what is healthy
/// has less than 1 while it is leaving or unready, so that the alarm on it tells of these too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfHealth {
    /// Healthy or unhealthy.
    pub verdict: Verdict,
    /// Healthy, and soon gone.
    pub leaving: bool,
    /// Healthy, and not ready to serve at the VIP.
    pub unready: bool,
}

/// What leaving takes away.
const LEAVING: f64 = 0.5;
/// What being unready takes away.
const UNREADY: f64 = 0.25;

impl SelfHealth {
    /// The metric's value.
    pub fn value(self) -> f64 {
        let less = |is: bool, by: f64| if is { by } else { 0.0 };
        match self.verdict {
            Verdict::Healthy => 1.0 - less(self.leaving, LEAVING) - less(self.unready, UNREADY),
            Verdict::Unhealthy | Verdict::Unknown => 0.0,
        }
    }

    /// What a value says.
    pub fn of(value: f64) -> Self {
        if value < 1.0 - LEAVING - UNREADY {
            return Self { verdict: Verdict::Unhealthy, leaving: false, unready: false };
        }
        let leaving = value < 1.0 - UNREADY;
        let missing = 1.0 - value - if leaving { LEAVING } else { 0.0 };
        Self { verdict: Verdict::Healthy, leaving, unready: missing > 0.0 }
    }
}

/// The metric namespace in which `node` alone may publish.
pub fn namespace(cluster: &ClusterName, node: &NodeName) -> String {
    format!("Vipward/{cluster}/{node}")
}

/// The metric namespace of a cluster's function.
pub fn function_namespace(cluster: &ClusterName) -> String {
    format!("Vipward/{cluster}")
}

/// The event source with which `node` alone may put hints.
pub fn hint_source(cluster: &ClusterName, node: &NodeName) -> String {
    format!("{HINT_SOURCE_PREFIX}.{cluster}.{node}")
}

/// The cluster and node that a hint's source names; `None` when it is no hint's source.
pub fn parse_hint_source(source: &str) -> Option<(ClusterName, NodeName)> {
    let rest = source.strip_prefix(HINT_SOURCE_PREFIX)?.strip_prefix('.')?;
    let (cluster, node) = rest.split_once('.')?;
    Some((cluster.parse().ok()?, node.parse().ok()?))
}

/// The prefix that the names of all alarms of a cluster share.
pub fn alarm_prefix(cluster: &ClusterName) -> String {
    format!("vipward/{cluster}/")
}

/// What an alarm watches: an observation, or whether hints get through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// The node's own: silence is breaching.
    SelfHealth,
    /// The node's own that it is the primary: in `OK` while it is, so that silence is breaching.
    Primary,
    /// That observer's about the node: silence is not breaching.
    PeerHealth(NodeName),
    /// Whether that host's hints fail: silence is not breaching. While they do, only the metrics
    /// say what its agent sees.
    Hints,
}

/// An alarm's name: `vipward/<cluster>/<service>/<node>/self`, `…/primary` or `…/peer/<observer>`;
/// or `vipward/<cluster>/<host>/hints`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlarmName {
    /// The cluster it belongs to.
    pub cluster: ClusterName,
    /// The service it watches; `None` for that on a host's hints.
    pub service: Option<ServiceName>,
    /// The node on which it watches the service, or the host whose hints it watches.
    pub node: NodeName,
    /// What it watches.
    pub kind: AlarmKind,
}

impl fmt::Display for AlarmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", alarm_prefix(&self.cluster))?;
        if let Some(service) = &self.service {
            write!(f, "{service}/")?;
        }
        write!(f, "{}/", self.node)?;
        match &self.kind {
            AlarmKind::SelfHealth => write!(f, "self"),
            AlarmKind::Primary => write!(f, "primary"),
            AlarmKind::PeerHealth(observer) => write!(f, "peer/{observer}"),
            AlarmKind::Hints => write!(f, "hints"),
        }
    }
}

impl AlarmName {
    /// Every alarm that the file asks for.
    pub fn all(config: &Config) -> impl Iterator<Item = Self> {
        let hints = config.members().filter(|_| config.policy.hints).map(|host| Self {
            cluster: config.cluster.clone(),
            service: None,
            node: host.clone(),
            kind: AlarmKind::Hints,
        });
        let observations = config.services.iter().flat_map(move |service| {
            config.nodes.iter().flat_map(move |node| {
                let observers = config.observers_of(&node.name);
                let peers = observers.filter(|_| config.policy.peer_alarms).cloned();
                let primary = (service.role == Role::Primary).then_some(AlarmKind::Primary);
                let kinds = primary.into_iter().chain(peers.map(AlarmKind::PeerHealth));
                std::iter::once(AlarmKind::SelfHealth).chain(kinds).map(move |kind| Self {
                    cluster: config.cluster.clone(),
                    service: Some(service.name.clone()),
                    node: node.name.clone(),
                    kind,
                })
            })
        });
        observations.chain(hints)
    }
}

/// The text is not the name of one of vipward's alarms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a vipward alarm")]
pub struct NotOurAlarm(String);

impl FromStr for AlarmName {
    type Err = NotOurAlarm;

    fn from_str(text: &str) -> Result<Self, NotOurAlarm> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, [cluster, node], service) = match parts.as_slice() {
            ["vipward", c, n, "hints"] => (Some(AlarmKind::Hints), [c, n], None),
            ["vipward", c, s, n, "self"] => (Some(AlarmKind::SelfHealth), [c, n], Some(s)),
            ["vipward", c, s, n, "primary"] => (Some(AlarmKind::Primary), [c, n], Some(s)),
            ["vipward", c, s, n, "peer", observer] => {
                (observer.parse().ok().map(AlarmKind::PeerHealth), [c, n], Some(s))
            }
            _ => return Err(NotOurAlarm(text.to_owned())),
        };
        let service = service.map(|service| service.parse()).transpose();
        match (kind, cluster.parse(), service, node.parse()) {
            (Some(kind), Ok(cluster), Ok(service), Ok(node)) => {
                Ok(Self { cluster, service, node, kind })
            }
            _ => Err(NotOurAlarm(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_health_has_a_value_of_its_own_and_only_the_best_is_whole() {
        let healthy = |leaving, unready| SelfHealth { verdict: Verdict::Healthy, leaving, unready };
        let unhealthy = SelfHealth { verdict: Verdict::Unhealthy, leaving: false, unready: false };
        for (health, value) in [
            (healthy(false, false), 1.0),
            (healthy(false, true), 0.75),
            (healthy(true, false), 0.5),
            (healthy(true, true), 0.25),
            (unhealthy, 0.0),
        ] {
            assert_eq!(
                (health.value().to_bits(), SelfHealth::of(value)),
                (f64::to_bits(value), health)
            );
        }
        assert_eq!(SelfHealth::of(0.1), unhealthy);
    }

    #[test]
    fn alarm_names_survive_a_round_trip() {
        for text in [
            "vipward/prod-db/redis/resource-01/self",
            "vipward/c/s/n/primary",
            "vipward/c/s/n/peer/app-01",
            "vipward/c/app-01/hints",
        ] {
            let name: AlarmName = text.parse().expect("one of ours");
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn other_peoples_alarms_are_not_ours() {
        for text in [
            "",
            "cpu",
            "vipward/c/s/n",
            "vipward/c/s/n/hints",
            "vipward/c//hints",
            "vipward/c/s/n/other",
            "vipward/c/s/n/peer/",
            "x/c/s/n/self",
            "vipward/C/s/n/self",
        ] {
            assert_eq!(text.parse::<AlarmName>(), Err(NotOurAlarm(text.to_owned())));
        }
    }

    #[test]
    fn a_hint_speaks_for_the_node_in_its_source_only() {
        let cluster: ClusterName = "prod-db".parse().expect("a name");
        let node: NodeName = "resource-01".parse().expect("a name");
        assert_eq!(parse_hint_source(&hint_source(&cluster, &node)), Some((cluster, node)));
        for text in
            ["aws.cloudwatch", "vipward.agent.prod-db", "vipward.agentx.a.b", "vipward.agent.a.b.c"]
        {
            assert_eq!(parse_hint_source(text), None, "{text}");
        }
    }
}

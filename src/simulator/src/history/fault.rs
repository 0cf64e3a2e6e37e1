//! What goes wrong in a history, as data: when, for how long, and what.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vipward_core::{NodeName, ServiceName};
use vipward_region_model::fault::{FaultSpec, Kind};

use crate::history::host_fault::HostFault;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Milliseconds from the start of the history.
    pub at_ms: u64,
    /// For how many milliseconds.
    pub for_ms: u64,
    /// What.
    pub what: FaultKind,
}

impl Fault {
    /// When it begins.
    pub fn begins(&self) -> Duration {
        Duration::from_millis(self.at_ms)
    }

    /// When it is over.
    pub fn ends(&self) -> Duration {
        Duration::from_millis(self.at_ms.saturating_add(self.for_ms))
    }

    /// Whether it lasts at that moment.
    pub fn lasts_at(&self, moment: Duration) -> bool {
        self.begins() <= moment && moment < self.ends()
    }

    /// Whether any of it lies between these two moments.
    pub fn meets(&self, from: Duration, to: Duration) -> bool {
        self.begins() <= to && from < self.ends()
    }
}

/// The kinds of faults. A host may be a node or a witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultKind {
    /// The host is off; when it is over it boots, and everything on it starts anew.
    HostCrash { host: NodeName },
    /// Nothing on the host runs, and it notices only afterwards (a paused virtual machine).
    HostStall { host: NodeName },
    /// An agent that starts meanwhile finds the clock wrong, and going wrong.
    Clock { host: NodeName, ahead_ms: i64, drift_ppm: i64 },
    /// The agent is gone; its host and services are well.
    AgentCrash { host: NodeName },
    /// The agent has a file that means something else than the function's.
    OtherFile { host: NodeName },
    /// The agent cannot judge its own service: a wrong password.
    ProbeError { host: NodeName, service: ServiceName },
    /// The service's process is gone.
    ServiceCrash { node: NodeName, service: ServiceName },
    /// The service takes connections and says nothing.
    ServiceHang { node: NodeName, service: ServiceName },
    /// The service is up and down in turn.
    ServiceFlap { node: NodeName, service: ServiceName, down_ms: u64, up_ms: u64 },
    /// The service answers this late.
    ServiceSlow { node: NodeName, service: ServiceName, ms: u64 },
    /// The service is this far behind its primary.
    ServiceLag { node: NodeName, service: ServiceName, ms: u64 },
    /// Packets in this one direction are lost.
    Cut { from: NodeName, to: NodeName },
    /// These hosts and all others do not reach each other.
    Partition { side: Vec<NodeName> },
    /// So many of a hundred packets from and to the host are lost.
    Loss { host: NodeName, percent: u64 },
    /// The host reaches nothing of AWS; its services are well.
    NoAws { host: NodeName },
    /// A fault of the region: errors, throttling, delays, lost replies, stale reads, lost events.
    Aws { fault: FaultSpec },
    /// Metrics are to be read this much later, each another time: they overtake each other.
    MetricsLate { ms: u64 },
    /// Metrics are taken in and never to be read.
    MetricsLost,
    /// Somebody else of the account publishes in the node's name, when it begins and when it ends:
    /// how its service is, in hundredths of the metric.
    ForeignMetric { node: NodeName, service: ServiceName, percent: u32 },
    /// Somebody has disabled what wakes the function by these events.
    RuleDisabled { rule: WakingRule },
    /// The function's environment is ended, whatever it was at.
    FunctionKilled,
    /// A new environment takes that long to start.
    FunctionSlow { ms: u64 },
    /// Lambda starts no invocation: the account's concurrency is used up by others.
    FunctionThrottled,
    /// EC2 stops the instance; when it is over it is started, and boots.
    InstanceStopped { node: NodeName },
    /// Somebody else's interface has the VIP; when it is over it is given back to nobody.
    VipTaken { service: ServiceName },
    /// Somebody takes the VIP off its interface.
    VipReleased { service: ServiceName },
    /// An operator drains the node.
    Drain { node: NodeName },
    /// An operator drains the node and soon puts it back.
    Resume { node: NodeName },
    /// An operator brings the VIP to that node.
    Switchover { service: ServiceName, to: NodeName },
    /// An operator makes the budget whole.
    Unfreeze { service: ServiceName },
    /// Something is wrong on the node itself, around its alias unit.
    OnHost { host: NodeName, fault: HostFault },
    /// The node's agent is told that the service leaves, or all of them; in the end, that it stays.
    Leave {
        node: NodeName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<ServiceName>,
    },
    /// The servers' primary hands over to that node; until it is over there is none.
    PrimaryMoves { service: ServiceName, to: NodeName },
    /// The service on the node takes itself for the primary too.
    TwoPrimaries { node: NodeName, service: ServiceName },
    /// The metadata of the node's instance announce its end; in the end they no longer do.
    Announced { node: NodeName, notice: Announcement },
}

/// The rules that wake the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WakingRule {
    Alarm,
    Hint,
    Instance,
    Schedule,
}

impl WakingRule {
    /// How the names of its rules begin in the template.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Alarm => "AlarmRule",
            Self::Hint => "HintRule",
            Self::Instance => "InstanceRule",
            Self::Schedule => "ScheduleRule",
        }
    }
}

/// What AWS announces of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Announcement {
    Spot,
    Rebalance,
    Maintenance,
    AutoScaling,
}

impl FaultKind {
    /// The kind in words, as tables show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HostCrash { .. } => "host crash and restart",
            Self::HostStall { .. } => "host stall",
            Self::Clock { .. } => "clock skew and drift",
            Self::AgentCrash { .. } => "agent crash",
            Self::OtherFile { .. } => "agent with another file",
            Self::ProbeError { .. } => "probe error",
            Self::ServiceCrash { .. } => "service crash",
            Self::ServiceHang { .. } => "service hang",
            Self::ServiceFlap { .. } => "service flap",
            Self::ServiceSlow { .. } => "service slow",
            Self::ServiceLag { .. } => "replica lag",
            Self::Cut { .. } => "one-way partition",
            Self::Partition { .. } => "partition",
            Self::Loss { .. } => "packet loss",
            Self::NoAws { .. } => "host without AWS",
            Self::Aws { fault } => aws_name(fault),
            Self::MetricsLate { .. } => "metrics late and reordered",
            Self::MetricsLost => "metric ingestion outage",
            Self::ForeignMetric { .. } => "metric in another's name",
            Self::RuleDisabled { rule: WakingRule::Alarm } => "rule for alarms disabled",
            Self::RuleDisabled { rule: WakingRule::Hint } => "rule for hints disabled",
            Self::RuleDisabled { rule: WakingRule::Instance } => "rule for instances disabled",
            Self::RuleDisabled { rule: WakingRule::Schedule } => "schedule disabled",
            Self::FunctionKilled => "function killed",
            Self::FunctionSlow { .. } => "function slow to start",
            Self::FunctionThrottled => "function throttled",
            Self::InstanceStopped { .. } => "instance stopped",
            Self::VipTaken { .. } => "VIP taken by another ENI",
            Self::VipReleased { .. } => "VIP unassigned by hand",
            Self::Drain { .. } => "operator drains",
            Self::Resume { .. } => "operator drains and resumes",
            Self::Switchover { .. } => "operator switches over",
            Self::Unfreeze { .. } => "operator unfreezes",
            Self::OnHost { fault, .. } => fault.name(),
            Self::Leave { .. } => "told to leave",
            Self::PrimaryMoves { .. } => "primary hands over",
            Self::TwoPrimaries { .. } => "two primaries",
            Self::Announced { notice: Announcement::Spot, .. } => "spot interruption",
            Self::Announced { notice: Announcement::Rebalance, .. } => "rebalance recommendation",
            Self::Announced { notice: Announcement::Maintenance, .. } => "maintenance scheduled",
            Self::Announced { notice: Announcement::AutoScaling, .. } => "scaled in",
        }
    }

    /// Whether packets are lost by it, and nothing else is.
    pub fn is_of_network(&self) -> bool {
        matches!(self, Self::Partition { .. } | Self::Loss { .. } | Self::Cut { .. })
    }

    /// Whether it is about this service on this node, the node itself, or a way to it.
    pub fn affects(&self, node: &NodeName, service: &ServiceName) -> bool {
        match self {
            Self::HostCrash { host } | Self::HostStall { host } => host == node,
            Self::ServiceCrash { node: on, service: of }
            | Self::ServiceHang { node: on, service: of }
            | Self::ServiceFlap { node: on, service: of, .. }
            | Self::ServiceSlow { node: on, service: of, .. } => on == node && of == service,
            Self::Cut { from, to } => from == node || to == node,
            // Both sides of a partition are cut off, each from the other; and of two hosts that
            // lose each other's packets nobody knows whose they are.
            Self::Partition { .. } | Self::Loss { .. } => true,
            Self::InstanceStopped { node: on }
            | Self::Drain { node: on }
            | Self::Resume { node: on }
            | Self::Announced { node: on, .. } => on == node,
            Self::Leave { node: on, service: of } => {
                on == node && of.as_ref().is_none_or(|of| of == service)
            }
            Self::VipTaken { service: of }
            | Self::VipReleased { service: of }
            | Self::Switchover { service: of, .. } => of == service,
            // An agent that is gone, cut off from AWS or cannot judge says nothing of its services.
            Self::Clock { .. }
            | Self::AgentCrash { .. }
            | Self::NoAws { .. }
            | Self::ProbeError { .. }
            | Self::Unfreeze { .. }
            | Self::OtherFile { .. }
            | Self::ServiceLag { .. }
            | Self::PrimaryMoves { .. }
            | Self::TwoPrimaries { .. }
            | Self::Aws { .. }
            | Self::MetricsLate { .. }
            | Self::MetricsLost
            | Self::ForeignMetric { .. }
            | Self::RuleDisabled { .. }
            | Self::FunctionKilled
            | Self::FunctionThrottled
            | Self::FunctionSlow { .. }
            | Self::OnHost { .. } => false,
        }
    }

    /// Whether it is the alias unit's affair, and nobody else can notice.
    pub fn is_on_host(&self) -> bool {
        matches!(self, Self::OnHost { .. })
    }

    /// Whether the node leaves by its own word.
    pub fn is_leaving(&self) -> bool {
        matches!(self, Self::Leave { .. } | Self::Announced { .. })
    }

    /// Whether somebody wants VIPs to be elsewhere: an operator, the node itself, others with keys.
    pub fn wants_move(&self) -> bool {
        self.is_leaving()
            || matches!(
                self,
                Self::Drain { .. }
                    | Self::Resume { .. }
                    | Self::Switchover { .. }
                    | Self::VipTaken { .. }
                    | Self::VipReleased { .. }
            )
    }

    /// Whether it is on the way of hints alone: what else there is has to do.
    pub fn impairs_hints_alone(&self) -> bool {
        match self {
            Self::RuleDisabled { rule } => *rule == WakingRule::Hint,
            Self::Aws { fault } => fault.on().service() == "events" && !fault.on().is_delivery(),
            _ => false,
        }
    }

    /// Whether it is on the way of metrics and alarms alone.
    pub fn impairs_metrics_alone(&self) -> bool {
        match self {
            Self::Aws { fault } => fault.on().service() == "cloudwatch",
            Self::MetricsLate { .. } | Self::MetricsLost => true,
            _ => false,
        }
    }

    /// Whether the function hears later by it, and by no way less.
    pub fn delays_wakes(&self) -> bool {
        matches!(self, Self::RuleDisabled { rule } if *rule != WakingRule::Hint)
    }

    /// Whether it keeps the function from seeing or acting.
    pub fn impairs_aws(&self) -> bool {
        matches!(
            self,
            Self::Aws { .. }
                | Self::MetricsLate { .. }
                | Self::MetricsLost
                | Self::RuleDisabled { .. }
                | Self::FunctionKilled
                | Self::FunctionThrottled
                | Self::FunctionSlow { .. }
        )
    }
}

fn aws_name(fault: &FaultSpec) -> &'static str {
    match (fault.kind(), fault.on().service()) {
        (Kind::Drop, _) => "event lost",
        (Kind::Duplicate, _) => "event duplicated",
        (Kind::Reorder, _) => "event reordered",
        (Kind::Delay { .. }, _) if fault.on().is_delivery() => "event or alarm late",
        (Kind::Delay { .. }, _) => "call slow, past its time-out",
        (Kind::Stale { .. }, _) => "stale Describe",
        (Kind::LostReply, _) => "reply lost after the effect",
        (Kind::Error { code, .. }, _) if code == "RequestLimitExceeded" => "EC2 throttle",
        (Kind::Error { code, .. }, _) if code == "PrivateIpAddressLimitExceeded" => {
            "no room on the interface"
        }
        (Kind::Error { .. }, "ec2") => "EC2 error",
        (Kind::Error { .. }, "cloudwatch") => "CloudWatch error",
        (Kind::Error { .. }, _) => "EventBridge error",
    }
}

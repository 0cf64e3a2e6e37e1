//! The kinds of faults, in groups, as tables show them.

use std::fmt;

use crate::history::fault::FaultKind;

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Hosts,
    Services,
    Network,
    Aws,
    Operators,
    HostSide,
}

/// Faults that tables show in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultClass {
    pub group: Group,
    pub name: &'static str,
}

impl Group {
    /// All, in their order.
    pub const ALL: [Self; 6] =
        [Self::Hosts, Self::Services, Self::Network, Self::Aws, Self::Operators, Self::HostSide];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hosts => "Hosts and agents",
            Self::Services => "Services",
            Self::Network => "Network",
            Self::Aws => "AWS",
            Self::Operators => "Operators and others with keys",
            Self::HostSide => "Interfaces and alias units",
        })
    }
}

impl FaultKind {
    /// The line of tables that it belongs to.
    pub fn class(&self) -> FaultClass {
        FaultClass { group: self.group(), name: self.name() }
    }

    fn group(&self) -> Group {
        match self {
            Self::HostCrash { .. }
            | Self::HostStall { .. }
            | Self::Clock { .. }
            | Self::AgentCrash { .. }
            | Self::OtherFile { .. }
            | Self::InstanceStopped { .. }
            | Self::Announced { .. } => Group::Hosts,
            Self::ProbeError { .. }
            | Self::ServiceCrash { .. }
            | Self::ServiceHang { .. }
            | Self::ServiceFlap { .. }
            | Self::ServiceSlow { .. }
            | Self::ServiceLag { .. }
            | Self::PrimaryMoves { .. }
            | Self::TwoPrimaries { .. } => Group::Services,
            Self::Cut { .. } | Self::Partition { .. } | Self::Loss { .. } | Self::NoAws { .. } => {
                Group::Network
            }
            Self::Aws { .. }
            | Self::MetricsLate { .. }
            | Self::MetricsLost
            | Self::ForeignMetric { .. }
            | Self::RuleDisabled { .. }
            | Self::FunctionKilled
            | Self::FunctionThrottled
            | Self::FunctionSlow { .. } => Group::Aws,
            Self::VipTaken { .. }
            | Self::VipReleased { .. }
            | Self::Drain { .. }
            | Self::Resume { .. }
            | Self::Switchover { .. }
            | Self::Unfreeze { .. }
            | Self::Leave { .. } => Group::Operators,
            Self::OnHost { .. } => Group::HostSide,
        }
    }
}

//! The kinds of fabric, and which addresses each has.

use std::net::{Ipv4Addr, SocketAddrV4};

/// Where the AWS APIs are: beyond the router, as a VPC endpoint is.
pub const ENDPOINT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// Where instances ask for their metadata.
pub const IMDS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FabricKind {
    /// A network namespace a host; the lab's own is the VPC's router.
    Namespaces,
    /// All hosts on 127.0.N.0/24; VIPs are forwarders in the lab.
    Loopback(u8),
}

impl FabricKind {
    pub fn subnet(self) -> (Ipv4Addr, u8) {
        match self {
            Self::Namespaces => (Ipv4Addr::new(172, 31, 0, 0), 20),
            Self::Loopback(block) => (Ipv4Addr::new(127, 0, block, 0), 24),
        }
    }

    pub fn endpoint(self) -> SocketAddrV4 {
        match self {
            Self::Namespaces => SocketAddrV4::new(ENDPOINT, 4566),
            Self::Loopback(_) => SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0),
        }
    }

    /// Where instances find their metadata, on a fabric that can tell them apart.
    pub fn imds(self) -> Option<SocketAddrV4> {
        match self {
            Self::Namespaces => Some(SocketAddrV4::new(IMDS, 80)),
            Self::Loopback(_) => None,
        }
    }

    pub fn describe(self) -> String {
        match self {
            Self::Namespaces => {
                "network namespaces: one a host, and the VPC's router between them".to_owned()
            }
            Self::Loopback(block) => format!(
                "loopback: all hosts on 127.0.{block}.0/24, VIPs are forwarders, alias units are not run"
            ),
        }
    }
}
